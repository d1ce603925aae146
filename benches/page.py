"""Writes the page of the benchmarks and its figures from what measure.py found.

usage: page.py RESULTS FOLDER, in which benchmarks.md and figures/ are written
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dots
from subjects import OURS, PEERS
from words import HEAD, INSTRUCTIONS, RATIO, ROWS, SECTIONS, STORES, Section

Figures = dict[str, dict[str, float]]  # by subject
LANGUAGE = {subject.name: subject.language for subject in OURS + PEERS}
# Of several ways to the header the first counts.
LANGUAGE |= {name: s.language for s in OURS + PEERS for name in [*s.ways.values()][:1]}
BARE = "floor: an empty program in "


def number(value: float) -> str:
    """Three digits, or all of a larger number."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def text(figures: Figures, name: str | None, unit: str) -> str:
    return f"{number(figures[name]['median'])} {unit}".strip() if name in figures else "–"


def of(name: str) -> tuple[str, ...]:
    """The languages whose libraries a program in that of a subject can use."""
    return ("Python",) if LANGUAGE[name] == "Python" else ("C", "Rust", "Go")


def best_of(figures: Figures, languages: tuple[str, ...], ours: bool) -> list[str]:
    """Those of these languages, ours or the others, from the best to the worst."""
    names = [
        name
        for name in figures
        if LANGUAGE.get(name) in languages and name.startswith("clazar-auth") == ours
    ]
    return sorted(names, key=lambda name: figures[name]["median"])


def ratio(figures: Figures, ours: str | None, peer: str | None) -> float | None:
    """How many times the figure of the peer is ours."""
    if ours is None or peer is None:
        return None
    mine, its = figures[ours]["median"], figures[peer]["median"]
    if its == mine:
        return 1.0
    return its / mine if mine > 0 else float("inf")


def compared(ratio: float | None) -> str:
    if ratio is None:
        return "–"
    if ratio == float("inf"):
        return "none against some"
    return f"**{ratio:.2f}**" if ratio < 1 else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


NATIVE = ("C", "Rust", "Go")


def first_table(measures: dict[str, Figures]) -> Iterator[str]:
    yield "| | Python | best peer | ratio | C | Rust | best peer | ratio |"
    yield "| --- | --: | --- | --: | --: | --: | --- | --: |"
    for row in ROWS:
        figures = measures.get(row.measure, {})
        cells = [row.title]
        python = best_of(figures, ("Python",), True)[:1]
        native = [
            next(iter(best_of(figures, (language,), True)), None) for language in ("C", "Rust")
        ]
        theirs = [
            next(iter(best_of(figures, group, False)), None) for group in (("Python",), NATIVE)
        ]
        slower = max((n for n in native if n), key=lambda n: figures[n]["median"], default=None)
        for mine, its in (([next(iter(python), None)], theirs[0]), (native, theirs[1])):
            cells += [text(figures, name, row.unit) for name in mine]
            cells.append(f"{short(its)} {text(figures, its, row.unit)}" if its else "–")
            cells.append(compared(ratio(figures, slower if mine is native else mine[0], its)))
        yield f"| {' | '.join(cells)} |"


def short(name: str) -> str:
    return name.split(":")[0]


def losses(measures: dict[str, Figures]) -> Iterator[str]:
    """Each row in which a peer is ahead, and why."""
    for row in ROWS:
        figures = measures.get(row.measure, {})
        ahead = []
        for group, language in ((("Python",), "Python"), (NATIVE, "C"), (NATIVE, "Rust")):
            mine = next(iter(best_of(figures, (language,), True)), None)
            its = next(iter(best_of(figures, group, False)), None)
            times = ratio(figures, mine, its)
            if times is not None and times < 1:
                far = f"is {number(1 / times)} times ahead of" if times else "has none, against"
                ahead.append(f"{short(str(its))} {far} ours in {language}")
        if ahead:
            yield f"- *{row.title}*: {', '.join(ahead)}. {row.reason or 'Why is not known.'}"


def aims(measures: dict[str, Figures]) -> Iterator[str]:
    """What was aimed at, and whether it is reached."""

    def median(measure: str, name: str) -> float:
        """Of the first whose name begins so."""
        return next(f["median"] for key, f in measures[measure].items() if key.startswith(name))

    def peer(measure: str, languages: tuple[str, ...]) -> float:
        figures = measures[measure]
        return figures[best_of(figures, languages, False)[0]]["median"]

    def worst(measure: str) -> float:
        return max(
            f["median"] for name, f in measures[measure].items() if name.startswith("clazar")
        )

    c, py = "clazar-auth, C", "clazar-auth, Python"
    python_floor = measures["start"][f"{BARE}Python"]["median"]
    rows = [
        ("header from memory, Python: times ahead of the best peer", ">=", 15,
         peer("cached", ("Python",)) / median("cached", py)),
        ("header from memory, C: times a clock and a copy", "<=", 1.8,
         median("cached", c) / median("cached", "floor in C")),
        ("import: ms", "<=", 2, median("import", py)),
        ("start to header, C: ms, against those of Go", "<=", median("start", "Go"), median("start", c)),
        ("start to header, Python: ms on top of an empty program", "<=", 5,
         median("start", py) - python_floor),
        ("token request, C: times the processor of a ureq snippet", "<=", 1.25,
         median("request cpu", c) / median("request cpu", "ureq")),
        ("longest wait for a renewal: ms", "<=", 1, worst("renewal wait")),
        ("longest wait with tokens of 3 s: ms", "<=", 1, worst("expiry wait")),
        ("waits of over 1 ms in an outage", "<=", 0, worst("outage waits")),
        ("failed calls in an outage", "<=", 0, worst("outage failed")),
        ("requests for 64 threads", "<=", 1, worst("stampede requests")),
        ("requests for 8 processes", "<=", 1, worst("processes requests")),
    ]  # fmt: skip
    yield "| aim | at | measured | |"
    yield "| --- | --: | --: | --- |"
    for title, relation, aim, measured in rows:
        is_met = measured >= aim if relation == ">=" else measured <= aim
        at = f"{'at least' if relation == '>=' else 'at most'} {number(aim)}"
        yield f"| {title} | {at} | {number(measured)} | {'met' if is_met else '**not met**'} |"


def section(about: Section, measures: dict[str, Figures], folder: Path) -> Iterator[str]:
    """A figure, and all subjects of the measure from the best to the worst."""
    figures, last = measures[about.measure], measures.get(about.last, {})
    name = f"bench-{about.measure.replace(' ', '-')}.svg"
    (folder / name).write_text(dots.svg(f"{about.title}: {about.unit}", figures))
    yield f"\n## {about.title}\n\n{about.words}\n"
    yield f"![The table below, drawn on a logarithmic scale.](figures/{name})\n"
    yield f"| {about.unit} | median | range |{f' {about.last_title} |' if last else ''}"
    yield f"| --- | --: | --: |{' --: |' if last else ''}"
    for name in sorted(figures, key=lambda name: figures[name]["median"]):
        value = figures[name]
        cells = [
            name,
            number(value["median"]),
            f"{number(value['low'])} to {number(value['high'])}",
        ]
        if last:
            cells.append(text(last, name, ""))
        yield f"| {' | '.join(cells)} |"


def stores(measures: dict[str, Figures]) -> Iterator[str]:
    ours = [f"clazar-auth, {language}" for language in ("C", "Python")]

    def milliseconds(way: str) -> list[float]:
        return [measures[f"store {way}"][name]["median"] for name in ours]

    empty = milliseconds("nothing")
    yield f"| on top of an empty program, {number(empty[0])} and {number(empty[1])} ms | C | Python |"
    yield "| --- | --: | --: |"
    for way in [name.removeprefix("store ") for name in measures if name.startswith("store ")][1:]:
        more = [took - least for took, least in zip(milliseconds(way), empty, strict=True)]
        yield f"| {way} | {number(more[0])} ms | {number(more[1])} ms |"


def instructions() -> Iterator[str]:
    counted: dict[str, dict[str, int]] = json.loads(Path("benches/instructions.json").read_text())
    toolchain, counts = next(iter(counted.items()))
    yield f"With {toolchain}:"
    yield ""
    yield "| | instructions |"
    yield "| --- | --: |"
    for name, count in counts.items():
        yield f"| {name} | {count:,} |"


def surroundings(machine: dict[str, Any]) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    yield (
        f"Measured on {machine['date']} at commit {machine['commit']}: {machine['cores']} cores of "
        f"{machine['processor']}, {machine['kernel']}, {machine['libc']}, {machine['authorities']} certificate "
        f"authorities. {versions}."
    )
    if machine["busy"] > 0.05:
        yield ""
        yield (
            f"**The machine was busy**: before or after, {machine['busy']:.0%} of its time went to others. These "
            "figures are not to be relied on."
        )


def page(results: dict[str, Any], folder: Path) -> Iterator[str]:
    measures: dict[str, Figures] = results["measures"]
    yield HEAD
    yield from surroundings(results["machine"])
    yield ""
    yield from first_table(measures)
    yield RATIO.rstrip()
    if behind := list(losses(measures)):
        yield "\n## Where a peer is ahead\n"
        yield from behind
    if "outage failed" in measures:
        yield "\n## What was aimed at\n"
        yield from aims(measures)
    for about in SECTIONS:
        if about.measure in measures:
            yield from section(about, measures, folder)
    yield f"\n## With a token in a store\n{STORES}"
    yield from stores(measures)
    yield f"\n## Instructions\n{INSTRUCTIONS}"
    yield from instructions()


def main(results: Path, folder: Path) -> None:
    lines = page(json.loads(results.read_text()), folder / "figures")
    (folder / "benchmarks.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
