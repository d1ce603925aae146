"""What is aimed at, as ratios where the machine matters, and what was measured of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from figures import Figures, Measures, best_of
from subjects import BARE

C, PYTHON, RUST = "clazar-auth, C", "clazar-auth, Python", "clazar-auth, Rust"


def median(figures: Figures, name: str) -> float:
    """Of the first whose name begins so."""
    return next(figure["median"] for key, figure in figures.items() if key.startswith(name))


def best_peer(figures: Figures, language: str) -> float:
    return figures[str(best_of(figures, (language,), ours=False))]["median"]


def worst_of_ours(figures: Figures, of_rounds: str = "median") -> float:
    return max(f[of_rounds] for name, f in figures.items() if name.startswith("clazar-auth"))


@dataclass(frozen=True)
class Aim:
    title: str
    relation: str
    bound: float
    measured: Callable[[Measures], float]

    def is_met(self, measured: float) -> bool:
        return measured >= self.bound if self.relation == "at least" else measured <= self.bound


def no_more(title: str, bound: float, measure: str) -> Aim:
    """Of all languages."""
    return Aim(title, "at most", bound, lambda m: worst_of_ours(m[measure]))


def never_more(title: str, bound: float, measure: str) -> Aim:
    """Of all languages, and in each round."""
    return Aim(
        f"{title}, worst round", "at most", bound, lambda m: worst_of_ours(m[measure], "high")
    )


AIMS = [
    Aim(
        "header from memory, Python: times ahead of the best peer",
        "at least",
        15,
        lambda m: best_peer(m["cached"], "Python") / median(m["cached"], PYTHON),
    ),
    Aim(
        "header from memory, C: times a clock and a copy",
        "at most",
        1.8,
        lambda m: median(m["cached"], C) / median(m["cached"], "floor in C"),
    ),
    Aim(
        "header from memory, C: throughput of two threads, divided by that of one",
        "at least",
        1.9,
        lambda m: median(m["cached scaling"], C),
    ),
    no_more("import: ms", 2, "import"),
    no_more("memory after import: MiB", 2, "memory"),
    no_more("installed size: MB", 3, "size"),
    Aim(
        "start to header, C: times that of Go",
        "at most",
        1,
        lambda m: median(m["start"], C) / median(m["start"], "Go"),
    ),
    Aim(
        "start to header, Python: ms on top of an empty program",
        "at most",
        5,
        lambda m: median(m["start"], PYTHON) - median(m["start"], f"{BARE}Python"),
    ),
    Aim(
        "token request, C: times the processor of a ureq snippet",
        "at most",
        1.25,
        lambda m: median(m["request cpu"], C) / median(m["request cpu"], "ureq"),
    ),
    Aim(
        "token request, Rust: times the processor of a ureq snippet",
        "at most",
        1.25,
        lambda m: median(m["request cpu"], RUST) / median(m["request cpu"], "ureq"),
    ),
    Aim(
        "token request, Python: times the processor of a ureq snippet",
        "at most",
        1.4,
        lambda m: median(m["request cpu"], PYTHON) / median(m["request cpu"], "ureq"),
    ),
    never_more("longest wait for a renewal: ms", 1, "renewal wait"),
    never_more("longest wait with tokens of 3 s: ms", 0.5, "expiry wait"),
    never_more("waits of over 1 ms in an outage", 0, "outage waits"),
    never_more("failed calls in an outage", 0, "outage failed"),
    never_more("requests for 64 threads", 1, "stampede requests"),
    no_more("time of 64 threads, of which the API takes 200: ms", 210, "stampede"),
    never_more("requests for 8 processes", 1, "processes requests"),
]
