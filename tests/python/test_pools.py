"""A module's provider in the workers of thread and process pools, and their exceptions at home."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import LONG

from clazar_auth.testing import Sandbox

PROGRAM = """
import json, multiprocessing, os, sys, warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
import clazar_auth

# Python 3.12 warns of what is tested here.
warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
provider = clazar_auth.TokenProvider.from_env()

class OrderError(clazar_auth.ServerError):
    def __init__(self, order, *, reason):
        super().__init__(f"order {order}: {reason}", http_status=503, retry_after=70.0)

def authorization(_):
    return os.getpid(), provider.authorization()

def fail(_):
    raise OrderError(7, reason="no answer")

def refuse(_):
    clazar_auth.authenticate("nobody", "not-a-real-secret", auth_url=os.environ["CLAZAR_AUTH_URL"])

def attributes(error):
    return type(error).__name__, error.http_status, error.retry_after, error.retryable

def report(map, apply):
    answers = list(map(authorization, range(20)))
    errors = []
    for work in (fail, refuse):
        try:
            apply(work)
        except clazar_auth.ClazarAuthError as error:
            errors.append(attributes(error))
    print(json.dumps([answers, errors]))

def main(pool, method):
    if pool == "threads":
        with ThreadPoolExecutor(4) as executor:
            report(executor.map, lambda work: executor.submit(work, None).result())
        return
    context = multiprocessing.get_context(method)
    if pool == "executor":
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            report(executor.map, lambda work: executor.submit(work, None).result())
        return
    with context.Pool(2) as pool:
        report(pool.map, lambda work: pool.apply(work, (None,)))
        pool.close()
        pool.join()

if __name__ == "__main__":
    if "warm" in sys.argv:
        provider.token()
    main(*sys.argv[1:3])
"""
METHODS = ["fork", "forkserver", "spawn"]
PROCESSES = [(pool, method) for pool in ("executor", "pool") for method in METHODS]


@pytest.mark.parametrize("warm", ["warm", "cold"])
@pytest.mark.parametrize(("pool", "method"), [("threads", "none"), *PROCESSES])
def test_a_pool(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    tmp_path: Path,
    pool: str,
    method: str,
    warm: str,
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-W", "error", str(program), pool, method, warm]
    done = subprocess.run(
        command, env=sandbox_environment, capture_output=True, text=True, timeout=2 * LONG
    )
    assert (done.returncode, done.stderr) == (0, "")
    answers, errors = json.loads(done.stdout)
    assert errors == [
        ["OrderError", 503, 70.0, False],
        ["InvalidCredentialsError", 401, None, False],
    ]
    assert len(answers) == 20
    token_requests = len({authorization for _, authorization in answers})
    shared = pool == "threads" or (method, warm) == ("fork", "warm")
    assert token_requests == (1 if shared else len({process for process, _ in answers}))
    refused, own = 1, int(warm == "warm" and not shared)
    assert sandbox.requests() == token_requests + refused + own
