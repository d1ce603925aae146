"""What measure.py found, and who is the best in it."""

from __future__ import annotations

from subjects import OURS, PEERS

Figures = dict[str, dict[str, float]]  # by subject: median, low, high, rounds
Measures = dict[str, Figures]
LANGUAGE = {subject.name: subject.language for subject in OURS + PEERS}
# Of several ways to the header the first counts.
LANGUAGE |= {name: s.language for s in OURS + PEERS for name in [*s.ways.values()][:1]}
# Languages of ours, and those of the peers that a program in them could use instead.
SIDES = ((("Python",), ("Python",)), (("C", "Rust"), ("C", "Rust", "Go")))


def best_of(figures: Figures, languages: tuple[str, ...], ours: bool) -> str | None:
    """The best one in these languages, of ours or of the peers."""
    names = [
        name
        for name in figures
        if LANGUAGE.get(name) in languages and name.startswith("clazar-auth") == ours
    ]
    return min(names, key=lambda name: figures[name]["median"], default=None)


def is_one_run(figures: Figures) -> bool:
    """Whether there is no median of them."""
    return all(figure["rounds"] == 1 for figure in figures.values())
