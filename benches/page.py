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
from aims import AIMS
from figures import LANGUAGE, SIDES, Figures, Measures, best_of, is_one_run
from subjects import PEERS, Subject
from words import AIMS_NOTE, HEAD, INSTRUCTIONS, RATIO, ROWS, SECTIONS, STORES, Section


def number(value: float) -> str:
    """Three digits, or all of a larger number."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def text(figures: Figures, name: str | None, unit: str) -> str:
    return f"{number(figures[name]['median'])} {unit}".strip() if name in figures else "–"


def ratio(figures: Figures, ours: str | None, peer: str | None) -> str:
    """How many times the figure of the peer is ours."""
    if ours is None or peer is None:
        return "–"
    mine, its = figures[ours]["median"], figures[peer]["median"]
    if mine == its:
        return "1.00"
    if mine <= 0 or its <= 0:
        return "ours ahead" if mine < its else "**peer ahead**"
    return f"**{its / mine:.2f}**" if its < mine else number(its / mine)


def first_table(measures: Measures) -> Iterator[str]:
    yield "| | Python | best peer | ratio | C | Rust | best peer | ratio |"
    yield "| --- | --: | --- | --: | --: | --: | --- | --: |"
    for row in ROWS:
        figures = measures.get(row.measure, {})
        cells = [row.title]
        for languages, others in SIDES:
            ours = [best_of(figures, (language,), ours=True) for language in languages]
            slower = max(filter(None, ours), key=lambda n: figures[n]["median"], default=None)
            peer = best_of(figures, others, ours=False)
            cells += [text(figures, name, row.unit) for name in ours]
            cells.append(f"{short(peer)} {text(figures, peer, row.unit)}" if peer else "–")
            cells.append(ratio(figures, slower, peer))
        yield f"| {' | '.join(cells)} |"


def short(name: str) -> str:
    return name.split(":")[0]


def one_run(measures: Measures) -> str:
    titles = [
        f"*{row.title}*"
        for row in ROWS
        if row.measure in measures and is_one_run(measures[row.measure])
    ]
    return f"There was one run of: {', '.join(titles)}."


def peers() -> Iterator[str]:
    """Who they are, how they are used, and in what they are altered."""

    def names(those: list[Subject]) -> str:
        *others, last = [subject.name for subject in those]
        return f"{', '.join(others)} and {last}"

    python = [peer for peer in PEERS if peer.language == "Python"]
    native = [peer for peer in PEERS if peer not in python]
    without = [peer for peer in PEERS if not peer.keeps_tokens]
    yield (
        f"In Python the peers are {names(python)}, in other languages {names(native)}. {names(without)} keep no token, "
        "and are left out where one comes from memory. Notes on some:"
    )
    yield ""
    for peer in PEERS:
        if peer.note:
            yield f"- *{peer.name}* {peer.note}."


def losses(measures: Measures) -> Iterator[str]:
    """Each row in which a peer is ahead, and why."""
    for row in ROWS:
        figures = measures.get(row.measure, {})
        ahead = []
        for languages, others in SIDES:
            peer = best_of(figures, others, ours=False)
            ours = [best_of(figures, (language,), ours=True) for language in languages]
            behind = [
                f"{text(figures, name, row.unit)} in {LANGUAGE[name]}"
                for name in ours
                if name and peer and figures[peer]["median"] < figures[name]["median"]
            ]
            if peer and behind:
                its = f"{short(peer)} {text(figures, peer, row.unit)}"
                ahead.append(f"{its}, ours {' and '.join(behind)}")
        if ahead:
            yield f"- *{row.title}*: {'; '.join(ahead)}. {row.reason or 'Why is not known.'}"


def aims(measures: Measures) -> Iterator[str]:
    """What was aimed at, and whether it is reached."""
    yield "| aim | at | measured | |"
    yield "| --- | --: | --: | --- |"
    for aim in AIMS:
        measured = aim.measured(measures)
        verdict = "met" if aim.is_met(measured) else "**not met**"
        yield f"| {aim.title} | {aim.relation} {number(aim.bound)} | {number(measured)} | {verdict} |"
    yield AIMS_NOTE.rstrip()


def section(about: Section, measures: Measures, folder: Path) -> Iterator[str]:
    """A figure, and all subjects of the measure from the best to the worst."""
    figures, last = measures[about.measure], measures.get(about.last, {})
    name = f"bench-{about.measure.replace(' ', '-')}.svg"
    (folder / name).write_text(dots.svg(f"{about.title}: {about.unit}", figures))
    yield f"\n## {about.title}\n\n{about.words}\n"
    yield f"![The table below, drawn on a logarithmic scale.](figures/{name})\n"
    is_single = is_one_run(figures)
    titles = [about.unit, *(["one run"] if is_single else ["median", "range"])]
    titles += [about.last_title] if last else []
    yield f"| {' | '.join(titles)} |"
    yield f"| --- |{' --: |' * (len(titles) - 1)}"
    for name in sorted(figures, key=lambda name: figures[name]["median"]):
        value = figures[name]
        cells = [name, number(value["median"])]
        if not is_single:
            cells.append(f"{number(value['low'])} to {number(value['high'])}")
        if last:
            cells.append(text(last, name, ""))
        yield f"| {' | '.join(cells)} |"


def stores(measures: Measures) -> Iterator[str]:
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
    for toolchain, counts in counted.items():
        yield f"\nWith {toolchain}:\n"
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
    measures: Measures = results["measures"]
    yield HEAD
    yield from surroundings(results["machine"])
    yield ""
    yield from first_table(measures)
    yield RATIO
    yield from peers()
    yield f"\n{one_run(measures)}"
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
    yield f"\n## Instructions\n{INSTRUCTIONS.rstrip()}"
    yield from instructions()


def main(results: Path, folder: Path) -> None:
    lines = page(json.loads(results.read_text()), folder / "figures")
    (folder / "benchmarks.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
