"""What the page of the benchmarks says about each measure."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = """# Benchmarks

What clazar-auth costs, beside what else gets a token with a client secret. `make bench` measures all of it in one run
and writes this page, its figures and `benches/results.json`. The programs are in `benches/`: each gets its token
from the same TLS server on loopback, and they take turns, so that what slows the machine slows all. The figures are
medians of several rounds, except where it says that there was one run.
"""

RATIO = """
The ratio is the best peer's figure divided by ours, of C and Rust the slower one: above 1 we are ahead, in **bold** the
peer is. Where one of the two is 0 there is no ratio, and it says who is ahead.
"""

INSTRUCTIONS = """
What the processor has to do, counted by callgrind, for which a clock is a system call and a system call is nothing.
`make test` fails when a count is more than 2 % above these, 3 % for a token request, or 5 % for a hot path in Rust.
The counts hold for the toolchain that is named above them. With any other `make test` compares nothing, and says
`skipped`; `make instructions` adds its counts.
"""

AIMS_NOTE = """
What can miss an aim, and why:

- *header from memory, C*: the call looks at its arguments, finds the token without a lock, by two atomic operations, and
  wipes the vector registers after the copy. What an atomic operation takes depends on the processor.
- *throughput of two threads*: the floor in C, in the next table, shows what two threads can reach on this machine.
- *time of 64 threads*: those of Python take turns to begin and to go on.
- *token request*: a thread of its own, and memory that is locked and wiped, which the snippet does not have.
- *waits in an outage*: the call that finds a renewal due starts the thread for it, which takes a busy machine longer.
"""

STORES = """
From the start of a process to its header, with a token in each store; all on loopback, the API without a delay.
"""


@dataclass(frozen=True)
class Row:
    """A row of the first table."""

    title: str
    measure: str
    unit: str
    # Why a peer can be ahead, if one is known to be.
    reason: str = ""


ROWS = [
    Row("header from memory", "cached", "ns"),
    Row("the same on two threads, for each call", "cached 2 threads", "ns"),
    Row("import, on top of the interpreter", "import", "ms"),
    Row(
        "start of a process to its header",
        "start",
        "ms",
        "A ureq snippet does one thing once: no thread for the request, no time limit over all attempts, no memory "
        "that is kept from swap and wiped.",
    ),
    Row(
        "token request: processor",
        "request cpu",
        "µs",
        "A ureq snippet sends from the thread that asks. Ours is on a thread of its own, which a caller can leave, "
        "and all memory of it is wiped.",
    ),
    Row(
        "token request: time",
        "request",
        "µs",
        "As with the processor: the request is on a thread of its own.",
    ),
    Row(
        "token request: page faults",
        "request faults",
        "",
        "The thread of a request ends with it, and its stack and memory go back to the system; a program that keeps "
        "both touches no new page.",
    ),
    Row("64 threads without a token: requests", "stampede requests", ""),
    Row("64 threads without a token: time", "stampede", "ms"),
    Row("8 processes: requests", "processes requests", ""),
    Row(
        "8 processes: time",
        "processes",
        "ms",
        "Seven of ours wait for the one that asks, and look into the file every 25 to 50 ms. The others do not wait "
        "for each other: the API counts eight requests.",
    ),
    Row(
        "longest wait for a renewal",
        "renewal wait",
        "ms",
        "The call of ours that finds a token due for renewal starts the thread for it; google-cloud-auth has a task that "
        "always runs.",
    ),
    Row(
        "longest wait, tokens of 3 s",
        "expiry wait",
        "ms",
        "botocore waits for nothing: it goes on with tokens that have expired.",
    ),
    Row("failed calls in an outage", "outage failed", ""),
    Row("waits of over 1 ms in an outage", "outage waits", ""),
    Row("memory after import", "memory", "MiB"),
    Row(
        "installed size",
        "size",
        "MB",
        "Ours brings TLS, the stores and the sandbox with it; the others use the TLS of Python, which is not counted.",
    ),
    Row("installed packages", "packages", ""),
]


@dataclass(frozen=True)
class Section:
    """A figure and a table of one measure, with another one in the last column."""

    title: str
    measure: str
    unit: str
    words: str
    last: str = ""
    last_title: str = ""


SECTIONS = [
    Section(
        "The header from memory",
        "cached",
        "ns",
        "What a request to the API costs besides, as long as the token is fresh. The header has 1,007 characters. The "
        "floors are what nobody can do better. google-auth writes the header into a dictionary and azure-core into a "
        "request, as their callers have it. The throughput of two threads is divided by that of one; in Python one "
        "thread runs at a time.",
        "cached scaling",
        "two threads",
    ),
    Section(
        "Import",
        "import",
        "ms",
        "What `import` adds to an interpreter.",
        "memory",
        "MiB of memory",
    ),
    Section(
        "From the start of a process to its header",
        "start",
        "ms",
        "No token is there, and the API gives one at once. Each program reads the system's certificate authorities and "
        "the one of the server. msal asks the server for its endpoints first.",
    ),
    Section(
        "One token request",
        "request cpu",
        "µs of the processor",
        "On all threads of the client. Each request makes a connection of its own, as requests that are hours apart "
        "do, and no TLS session is resumed. What is based on requests, botocore and libcurl reads the authorities for "
        "each connection. yup-oauth2 signs an assertion for each request, with RSA; google-cloud-auth has no call for "
        "a new token, so that each request makes new credentials.",
        "request faults",
        "page faults",
    ),
    Section(
        "64 threads",
        "stampede",
        "ms",
        "They ask at once in a process that has no token, and the API takes 200 ms: the time until all have it.",
        "stampede requests",
        "requests",
    ),
    Section(
        "8 processes",
        "processes",
        "ms",
        "They start at once and have no token, and the API takes 200 ms: the time until all have ended. Ours share a "
        "file.",
        "processes requests",
        "requests",
    ),
    Section(
        "A renewal",
        "renewal wait",
        "ms",
        "Four threads ask every 5 ms for 4 s, while a renewal is due after 2 s: the token of each library lives 2 s "
        "longer than its margin. The API takes 100 ms. The longest wait of a call.",
        "renewal requests",
        "requests",
    ),
    Section(
        "Tokens of 3 seconds",
        "expiry wait",
        "ms",
        "The same with tokens that live 3 s, for 7 s. A library with a longer margin wants a new token for each call. "
        "botocore asks once a minute at most. The longest wait of a call.",
        "expiry dead",
        "calls that got an expired token",
    ),
    Section(
        "An outage",
        "outage wait",
        "ms",
        "The same for 11 s, with a renewal due after 6 s, of ours after 6 to 9 s. From 5.5 to 10 s the API closes each "
        "connection. All tokens live on beyond the end. The longest wait of a call.",
        "outage failed",
        "failed calls",
    ),
]
