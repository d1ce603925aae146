"""What is compared: each is a program that answers the lines of benches/measure.py."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field

PEER = "benches/python/peer.py"
BARE = "floor: an empty program in "
"""Before the name of a language."""


@dataclass(frozen=True)
class Subject:
    name: str
    language: str
    command: list[str]
    ours: bool = False
    # Seconds before the end of a token from which on it asks for the next; without them it keeps no token.
    margin: int | None = None
    # Ways to the header from memory, with the names that the page gives them.
    ways: dict[str, str] = field(default_factory=dict)
    # The Python packages that a user installs.
    packages: tuple[str, ...] = ()
    # What the page says of it after its name: how it is used, and in what it is altered.
    note: str = ""

    @property
    def keeps_tokens(self) -> bool:
        return self.ours or self.margin is not None

    def lifetime(self, seconds: int) -> int:
        """Of a token that is due for renewal after so many seconds; ours, when they live shortly, from half to three
        quarters of their life, the others at their margin."""
        return 2 * seconds if self.margin is None else self.margin + seconds


def peer(
    name: str,
    language: str,
    command: list[str],
    packages: tuple[str, ...],
    margin: int | None,
    note: str,
) -> Subject:
    ways = {"authorization": name} if margin is not None else {}
    return Subject(name, language, command, False, margin, ways, packages, note)


def python(
    module: str, name: str, *packages: str, margin: int | None = None, note: str = ""
) -> Subject:
    return peer(name, "Python", [sys.executable, PEER, module], packages, margin, note)


def compiled(
    name: str, language: str, program: str, margin: int | None = None, note: str = ""
) -> Subject:
    return peer(name, language, [f"target/bench/{program}"], (), margin, note)


OURS = [
    Subject(
        "clazar-auth, Python",
        "Python",
        [sys.executable, PEER, "clazar"],
        ours=True,
        ways={
            "authorization": "clazar-auth, Python: authorization()",
            "headers": "clazar-auth, Python: headers()",
            "token": "clazar-auth, Python: token()",
        },
        packages=("clazar-auth",),
    ),
    Subject(
        "clazar-auth, C",
        "C",
        ["target/bench/clazar"],
        ours=True,
        ways={"authorization": "clazar-auth, C: clazar_provider_authorization"},
    ),
    Subject(
        "clazar-auth, Rust",
        "Rust",
        ["target/bench/rust/release/clazar"],
        ours=True,
        ways={
            "token": "clazar-auth, Rust: token",
            "with_authorization": "clazar-auth, Rust: with_authorization",
        },
    ),
]
PEERS = [
    python("requests", "requests.post", "requests", note="is the post of the API's documentation"),
    python("urllib", "urllib"),
    python("google", "google-auth", "google-auth", "requests", margin=225),
    python(
        "azure",
        "azure-core",
        "azure-core",
        margin=300,
        note="is altered: its margin has no random part, which is up to a minute, so that its renewal is due when it is "
        "measured",
    ),
    python(
        "botocore",
        "botocore",
        "botocore",
        margin=900,
        note="is altered: its clock is a minute slow until it has a token, because it asks once a minute at most and "
        "the measures are shorter",
    ),
    python("authlib", "Authlib", "Authlib", "requests", margin=60),
    python("msal", "msal", "msal", margin=300),
    compiled("libcurl", "C", "curl", note="sends a post that is written by hand"),
    compiled(
        "ureq snippet",
        "Rust",
        "rust/release/ureq-snippet",
        note="sends a post with rustls, and is written by hand",
    ),
    compiled("yup-oauth2", "Rust", "rust/release/yup", margin=60),
    compiled("google-cloud-auth", "Rust", "rust/release/google", margin=240),
    compiled("Go x/oauth2", "Go", "oauth2", margin=10),
]
# What nobody can do better; they are compared with, and are no peers.
OBJECT = Subject(
    "a C method of Python",
    "Python",
    [sys.executable, PEER, "floor"],
    ways={
        "authorization": "floor in Python: a method in C that returns an object",
        "clock_and_object": "floor in Python: the same with two reads of a clock",
    },
)
COPY = Subject(
    "clock and copy",
    "C",
    ["target/bench/clazar"],
    ways={"clock_and_copy": "floor in C: two reads of a clock and a copy"},
)
HANDSHAKE = Subject(
    "floor: TLS handshake and request", "Rust", ["target/bench/rust/release/bare-tls"]
)

ELSEWHERE = re.compile("(CLAZAR|SSL_CERT|AWS|PYTHON|MALLOC)_?.*|.*_PROXY", re.IGNORECASE)


def environment(url: str, bundle: str, service_account: str) -> dict[str, str]:
    """Of each program; the certificates by the names that libraries know."""
    return {k: v for k, v in os.environ.items() if not ELSEWHERE.fullmatch(k)} | {
        "CLAZAR_AUTH_URL": url,
        "CLAZAR_CLIENT_ID": "not-a-real-client",
        "CLAZAR_CLIENT_SECRET": "not-a-real-secret-0123456789abcdef",
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "BENCH_SERVICE_ACCOUNT": service_account,
    }
