"""What the environment is to say where a sandbox stands in for the API."""

from __future__ import annotations

from collections.abc import Mapping

SANDBOX = "127.0.0.1"


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """NO_PROXY, in both cases since libraries read either, with the sandbox's host besides others."""
    known = (environment.get("no_proxy"), environment.get("NO_PROXY"), SANDBOX)
    exempt = ",".join(dict.fromkeys(filter(None, known)))
    return {"NO_PROXY": exempt, "no_proxy": exempt}
