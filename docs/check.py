"""Checks the built site: each link within it leads somewhere, and each line of code has room.

On a screen of 1,280 pixels a line of code has room for 90 characters of 7.8 pixels: the theme gives the
text 736 pixels, and the margins of a code block take 28. The description of a class or a function takes
32 more, or 4 characters. Longer lines would wrap, as they do on narrower screens (site.css).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOM, INDENT = 90, 4


class Page(HTMLParser):
    """What a page links to, what on it can be linked to, and its code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.long_lines: list[str] = []
        self._room = ROOM
        self._code: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._code = ""
        elif tag == "dd":
            self._room -= INDENT
        for name, value in attributes:
            if name in ("id", "name"):
                self.anchors.add(value or "")
            elif name in ("href", "src"):
                self.links.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre" and self._code is not None:
            lines = self._code.splitlines()
            self.long_lines += [line for line in lines if len(line) > self._room]
            self._code = None
        elif tag == "dd":
            self._room += INDENT

    def handle_data(self, data: str) -> None:
        if self._code is not None:
            self._code += data


def faults(path: Path, page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    for link in sorted(page.links):
        url = urlsplit(link)
        if url.scheme or url.netloc:
            continue
        target = (path.parent / unquote(url.path)).resolve() if url.path else path
        if not target.is_file():
            yield f"{link}: there is no such file"
        elif target in pages and unquote(url.fragment) not in {"", *pages[target].anchors}:
            yield f"{link}: there is no such place on that page"
    for line in page.long_lines:
        yield f"this line of code is too long: {line}"


def main(site: Path) -> int:
    pages = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    found = [
        f"{path.relative_to(site)}: {fault}"
        for path, page in pages.items()
        for fault in faults(path, page, pages)
    ]
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
