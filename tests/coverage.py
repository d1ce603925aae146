"""Prints how many lines of each file of src/ are covered, and which are not: python tests/coverage.py LCOV."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def lines(lcov: str) -> dict[Path, dict[int, int]]:
    """Of each file, how often each line was run."""
    files: dict[Path, dict[int, int]] = {}
    for line in lcov.splitlines():
        kind, _, value = line.partition(":")
        if kind == "SF":
            counts = files.setdefault(Path(value).relative_to(ROOT), {})
        elif kind == "DA":
            at, count = map(int, value.split(",")[:2])
            counts[at] = counts.get(at, 0) + count
    return files


def is_test(file: Path) -> bool:
    return "tests" in file.parts or file.name == "tests.rs"


def end(file: Path) -> int:
    """Where the file's own tests begin."""
    code = (ROOT / file).read_text()
    tests = re.search(r"^#\[cfg\(test\)\]\nmod tests \{", code, re.MULTILINE)
    return code[: tests.start()].count("\n") + 1 if tests else sys.maxsize


def ranges(numbers: list[int]) -> str:
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)


def main() -> None:
    reached = total = 0
    for file, counts in sorted(lines(Path(sys.argv[1]).read_text()).items()):
        if is_test(file):
            continue
        own = {at: count for at, count in counts.items() if at < end(file)}
        missed = sorted(at for at, count in own.items() if count == 0)
        total += len(own)
        reached += len(own) - len(missed)
        share = 100 * (len(own) - len(missed)) / max(len(own), 1)
        print(f"{share:6.1f} %  {len(own):4}  {file}  {ranges(missed)}".rstrip())
    print(f"{100 * reached / total:6.1f} %  {total:4}  lines of src/ without its tests")


if __name__ == "__main__":
    main()
