"""Runs in a strict interpreter: no warning, no damage to memory, no output at the end."""

from __future__ import annotations

import pytest
from helpers import python

PROGRAM = """
import asyncio, gc, os, pickle, warnings
from concurrent.futures import ThreadPoolExecutor
import clazar_auth
from clazar_auth.testing import Sandbox

def refused(call, kind):
    try:
        call()
    except kind as error:
        return pickle.loads(pickle.dumps(error))
    raise AssertionError(f"{kind} was expected")

def request_token(provider):
    token = provider.token()
    assert not token.expired and repr(token) and token.expires_at
    assert provider.headers() == {"Authorization": provider.authorization()}
    provider.invalidate(token)
    assert provider.peek() is None
    assert provider.refresh().value != token.value
    provider.unseal(provider.seal())
    return repr(provider), repr(provider.stats())

def threads(provider):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: provider.authorization(), range(100)))) == 1

async def tasks(sandbox, provider):
    # Debug mode complains of a slow machine, too.
    asyncio.get_running_loop().slow_callback_duration = 3600
    await asyncio.gather(*(provider.headers_async() for _ in range(100)))
    sandbox.set_delay(0.05)
    await asyncio.gather(*(sandbox.provider().token_async() for _ in range(10)))
    sandbox.set_delay(0)

def fork(provider):
    before = provider.authorization()
    # Python 3.12 warns of what is tested here.
    warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
    child = os.fork()
    if child == 0:
        os._exit(provider.authorization() != before or provider.refresh().authorization == before)
    assert os.waitpid(child, 0)[1] == 0

def errors(sandbox, provider):
    sandbox.answer_next(400)
    assert refused(provider.refresh, clazar_auth.RejectedError).http_status == 400
    refused(lambda: provider.token(timeout=-1), clazar_auth.ConfigurationError)
    refused(clazar_auth.TokenProvider.from_env, clazar_auth.ConfigurationError)
    refused(lambda: provider.check_url("http://example.com/"), clazar_auth.ConfigurationError)
    provider.close()
    refused(provider.token, clazar_auth.ClosedError)

def main():
    with Sandbox() as sandbox:
        provider = sandbox.provider()
        request_token(provider)
        threads(provider)
        asyncio.run(tasks(sandbox, provider))
        fork(provider)
        errors(sandbox, provider)
    gc.collect()

main()
left = Sandbox(delay=3600)
provider = left.provider(timeout=3600)
refused(lambda: provider.token(timeout=0), clazar_auth.AuthTimeoutError)
print("ends while a token request is under way")
"""

MODES: dict[str, tuple[list[str], dict[str, str]]] = {
    "warnings are errors": (["-W", "error"], {}),
    "malloc is checked": ([], {"PYTHONMALLOC": "debug"}),
    "development mode": (["-X", "dev", "-W", "error"], {}),
    "asyncio is checked": (["-W", "error"], {"PYTHONASYNCIODEBUG": "1"}),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_strict_interpreter_has_nothing_to_say(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, settings = MODES[mode]
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    done = python(PROGRAM, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "ends while a token request is under way\n"
