"""Compares what this library and Python read in URLs, dates and characters: where both accept, it must be the same.

python fuzz/differential.py PARSE [--generate COUNT] [--seed SEED] FOLDER...
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from string import digits
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

Parser = Callable[[str], Any]

PORTS = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}
# Categories of characters that are no part of a visible line.
INVISIBLE = {"Cc", "Cf", "Zl", "Zp"}


def split(text: str) -> SplitResult:
    """As urlsplit, but for what that drops without a word: tabs and line breaks, and spaces at the beginning."""
    if any(c in "\t\r\n" for c in text) or text[:1] <= " ":
        raise ValueError("urlsplit reads another text")
    return urlsplit(text)


def place(parts: SplitResult, default: int) -> list[Any]:
    if not parts.hostname:
        raise ValueError("no host")
    return [parts.hostname, default if parts.port is None else parts.port]


def url(text: str) -> Any:
    parts = split(text)
    # This library refuses user information.
    return place(parts, PORTS[parts.scheme]) + ([parts.username] if parts.username else [])


def allowed_host(text: str) -> Any:
    return place(split("//" + text), 443)


def user_info(parts: SplitResult) -> list[str | None]:
    return [unquote(part) if part else None for part in (parts.username, parts.password)]


def proxy(text: str) -> Any:
    parts = split(text if "://" in text else "http://" + text)
    host, port = place(parts, PORTS[parts.scheme])
    return [host, port, *user_info(parts)]


def store(text: str) -> Any:
    parts = split(text)
    database = parts.path.strip("/")
    return [[place(parts, PORTS[parts.scheme])], *user_info(parts), int(database or 0)]


def date(text: str) -> Any:
    at = parsedate_to_datetime(text)
    # Without a zone, as in the form of asctime, it is UTC (RFC 9110 section 5.6.7).
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


PYTHON: dict[str, Parser] = {
    "url": url,
    "allowed_host": allowed_host,
    "proxy": proxy,
    "store": store,
    "date": date,
}


def is_known(kind: str, text: str, ours: Any, python: Any) -> bool:
    """Differences that are meant."""
    if kind == "date":
        # Of a year of two digits, 69 is 2069 here and 1969 in Python; both are long ago or far off.
        return bool(ours - python == 36525 * 86400)
    return False


def normal(kind: str, ours: Any) -> Any:
    """Empty user information is none; a host is the same in any case."""
    if kind == "proxy":
        host, port, user, password = ours
        return [host.lower(), port, user or None, password or None]
    return ours


def texts(folders: list[Path]) -> Iterator[str]:
    for folder in folders:
        for file in sorted(folder.iterdir()):
            text = file.read_bytes().decode(errors="ignore")
            yield text
            yield from text.splitlines()


def generated(seeds: list[str], count: int) -> Iterator[str]:
    """Texts with other digits, and parts of two texts with one character changed."""
    alphabet = "/:@?#[]%.\\&=+-, \tGMTa0ä\u200b\uff0f"
    with_digits = [text for text in seeds if any(c in digits for c in text)]
    for _ in range(count // 2):
        text = random.choice(with_digits)
        yield "".join(random.choice(digits + c * 20) if c in digits else c for c in text)
        first, second = random.choices(seeds, k=2)
        text = first[: random.randint(0, len(first))] + second[random.randint(0, len(second)) :]
        at = random.randint(0, len(text))
        yield text[:at] + random.choice(alphabet) + text[at + random.randint(0, 1) :]


def visible_edges() -> Iterator[str]:
    """Each character that is invisible, and its neighbours."""
    invisible = [at for at in range(0x110000) if unicodedata.category(chr(at)) in INVISIBLE]
    near = {at + step for at in invisible for step in (-1, 0, 1)}
    for at in sorted(near & set(range(0x110000))):
        if unicodedata.category(chr(at)) not in {"Cs", "Cn"}:
            yield chr(at)


def parsed_here(program: str, given: list[str]) -> list[dict[str, Any]]:
    """What this library reads in each text, of each kind."""
    lines = "".join(text.encode().hex() + "\n" for text in given)
    run = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--generate", type=int, default=0, metavar="COUNT")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("folders", nargs="+", type=Path)
    given = options.parse_args()
    random.seed(given.seed)
    seeds = list(dict.fromkeys(texts(given.folders)))
    compared = [*seeds, *generated(seeds, given.generate)]

    differences, both = [], Counter[str]()
    for text, ours in zip(compared, parsed_here(given.program, compared), strict=True):
        for kind, parse in PYTHON.items():
            if ours[kind] is None:
                continue
            try:
                python = parse(text)
            except (ValueError, KeyError, TypeError, OverflowError):
                continue
            both[kind] += 1
            mine = normal(kind, ours[kind])
            if mine != python and not is_known(kind, text, mine, python):
                differences.append(f"{kind} {text!r}: {mine} here, {python} in Python")
    characters = list(visible_edges())
    for character, ours in zip(characters, parsed_here(given.program, characters), strict=True):
        if ours["is_unprintable"] != (unicodedata.category(character) in INVISIBLE):
            differences.append(f"the character {character!r}: {ours['is_unprintable']} here")

    print(*differences, sep="\n")
    print(f"{len(compared)} texts, {len(characters)} characters; accepted by both: {dict(both)}")
    if not all(both[kind] for kind in PYTHON):
        print("nothing was compared of one kind")
        return 1
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
