"""Says which lines of src/ no test reaches, and whether tests/uncovered has them all: python tests/coverage.py LCOV."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LISTED = Path(__file__).with_name("uncovered")
# In percent of all lines.
LEAST = 97

# From here on a file has its own tests.
TESTS = re.compile(r"^#\[cfg\((all\()?test\b.*\n(pub\(crate\) )?mod tests \{", re.MULTILINE)


class Entry(NamedTuple):
    """What tests/uncovered says: of which file, and a part of which line, or of the one before it."""

    file: Path
    phrase: str


def entries() -> list[Entry]:
    lines = (line.strip() for line in LISTED.read_text().splitlines())
    parts = (line.partition(": ") for line in lines if line and not line.startswith("#"))
    return [Entry(Path(file), phrase) for file, _, phrase in parts]


def counts(lcov: str) -> dict[Path, dict[int, int]]:
    """Of each file, how often each line was run."""
    files: dict[Path, dict[int, int]] = {}
    for line in lcov.splitlines():
        kind, _, value = line.partition(":")
        if kind == "SF":
            lines = files.setdefault(Path(value).relative_to(ROOT), {})
        elif kind == "DA":
            at, count = map(int, value.split(",")[:2])
            lines[at] = lines.get(at, 0) + count
    return files


def is_test(file: Path) -> bool:
    return "tests" in file.parts or file.name == "tests.rs"


def without_tests(code: str, lines: dict[int, int]) -> dict[int, int]:
    tests = TESTS.search(code)
    end = code[: tests.start()].count("\n") + 1 if tests else sys.maxsize
    return {at: count for at, count in lines.items() if at < end}


def gaps(lines: dict[int, int]) -> list[range]:
    """Those that were not run, from one that was run to the next."""
    found: list[range] = []
    is_in_gap = False
    for at, count in sorted(lines.items()):
        if count == 0:
            found.append(range(found.pop().start if is_in_gap else at, at + 1))
        is_in_gap = count == 0
    return found


def main() -> int:
    listed = dict.fromkeys(entries(), 0)
    reached = total = 0
    is_complete = True
    for file, all_lines in sorted(counts(Path(sys.argv[1]).read_text()).items()):
        if is_test(file):
            continue
        code = (ROOT / file).read_text()
        lines = without_tests(code, all_lines)
        reached += sum(count > 0 for count in lines.values())
        total += len(lines)
        for gap in gaps(lines):
            # With the line before it: of some gaps only a brace is left.
            text = code.splitlines()[max(gap.start - 2, 0) : gap.stop - 1]
            known = [it for it in listed if it.file == file and it.phrase in "\n".join(text)]
            listed.update((it, listed[it] + 1) for it in known)
            if not known:
                is_complete = False
                print(f"{file}:{gap.start}: is not run, and not in {LISTED.name}:", *text, sep="\n")
    for entry, gaps_of_it in listed.items():
        if gaps_of_it == 0:
            print(f"{entry.file}: {entry.phrase}: is in {LISTED.name}, and run now, or gone")
        if gaps_of_it > 1:
            is_complete = False
            print(f"{entry.file}: {entry.phrase}: stands for {gaps_of_it} gaps; name each")
    share = 100 * reached / total
    print(f"{share:.2f} % of the {total} lines of src/ are run by tests; {LEAST} % is the least")
    return 0 if is_complete and share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
