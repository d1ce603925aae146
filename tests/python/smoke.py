"""What every interpreter must do with the installed wheel; needs nothing but the standard library.

matrix.py runs it as `python -X dev -W error smoke.py`.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import os
import pickle
import subprocess
import sys
import tempfile
import unittest
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import clazar_auth
from clazar_auth.testing import Sandbox

LONG = 60.0
"""Seconds after which a wait has failed; nothing here takes a tenth of it."""
THREADS = 8


ENDINGS = {
    "an event loop is woken": """
class Loop(asyncio.SelectorEventLoop):
    def call_soon_threadsafe(self, *arguments, **options):
        handle = super().call_soon_threadsafe(*arguments, **options)
        time.sleep(0.05)  # This thread wants to go on in Python when the program ends.
        return handle

loop = Loop()
loop.run_until_complete(sandbox.provider().token_async())
loop.close()
""",
    "the function runs": """
def function():
    called.set()
    for _ in range(1000):
        time.sleep(0.001)
    return sandbox.client_secret

called = threading.Event()
provider = sandbox.provider(client_secret=function)
try:
    provider.token(timeout=0.01)
except clazar_auth.AuthTimeoutError:
    pass
called.wait()
""",
}
ENDING = """
import asyncio, sys, threading, time, clazar_auth
from clazar_auth.testing import Sandbox

sandbox = Sandbox()
{program}
class Busy:
    def __del__(self):
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass

# It takes a while until the interpreter has ended.
sys.modules["busy"] = Busy()
print("the end")
"""


class Smoke(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = Sandbox()
        self.addCleanup(self.sandbox.close)
        # Warnings and errors that Python prints and then ignores.
        self.ignored: list[object] = []
        patch = mock.patch.object(sys, "unraisablehook", self.ignored.append)
        patch.start()
        self.addCleanup(patch.stop)

    def tearDown(self) -> None:
        gc.collect()
        self.assertEqual(self.ignored, [])

    def test_it_is_the_installed_package(self) -> None:
        assert clazar_auth.__file__ is not None
        self.assertTrue(clazar_auth.__file__.startswith(sys.prefix), clazar_auth.__file__)

    def test_threads_share_one_token_request(self) -> None:
        with self.sandbox.provider() as provider, ThreadPoolExecutor(THREADS) as pool:
            headers = set(pool.map(lambda _: provider.authorization(), range(THREADS)))
        self.assertEqual(len(headers), 1)
        self.assertTrue(headers.pop().startswith("Bearer "))
        self.assertEqual(self.sandbox.requests(), 1)

    def test_threads_do_not_disturb_each_other(self) -> None:
        def ask(_: int) -> tuple[object, ...]:
            token = provider.token()
            return token.value, provider.headers()["Authorization"], provider.stats().empty

        with self.sandbox.provider() as provider, ThreadPoolExecutor(THREADS) as pool:
            provider.token()
            self.assertEqual(len(set(pool.map(ask, range(1000)))), 1)

    def test_tasks_share_one_token_request(self) -> None:
        async def ask() -> list[clazar_auth.AccessToken]:
            with self.sandbox.provider() as provider:
                waits = [provider.token_async(timeout=LONG) for _ in range(THREADS)]
                return await asyncio.gather(*waits)

        tokens = asyncio.run(ask())
        self.assertEqual(len({token.value for token in tokens}), 1)
        self.assertEqual(self.sandbox.requests(), 1)

    def test_coroutine_functions_are_known_as_such(self) -> None:
        async def ask() -> clazar_auth.AccessToken:
            async with self.sandbox.provider() as provider:
                self.assertTrue(inspect.iscoroutinefunction(provider.token_async))
                return await provider.refresh_async(timeout=LONG)

        token = asyncio.run(ask())
        self.assertEqual({token}, {copy.deepcopy(token)})

    def test_the_token_knows_its_life(self) -> None:
        token = self.sandbox.provider().token()
        self.assertIsNotNone(token.expires_at.tzinfo)
        self.assertGreater(token.expires_in, 0)
        self.assertFalse(token.expired)
        self.assertNotIn(token.value, repr(token))

    def test_headers_for_a_library_without_an_adapter(self) -> None:
        url = self.sandbox.url + "/listings/"
        with self.sandbox.provider() as provider:
            request = urllib.request.Request(url, headers=provider.headers())
            with urllib.request.urlopen(request, timeout=LONG) as answer:
                self.assertEqual(answer.status, 200)

    def test_the_provider_authorizes_a_request_of_any_kind(self) -> None:
        class Request:
            url = self.sandbox.url + "/listings/"
            headers: dict[str, str] = {}
            body = None
            hooks: dict[str, list[object]] = {"response": []}

        with self.sandbox.provider() as provider:
            request = provider(Request())
        self.assertTrue(request.headers["Authorization"].startswith("Bearer "))
        self.assertNotIn("requests", sys.modules)

    def test_an_invalid_token_is_replaced(self) -> None:
        with self.sandbox.provider() as provider:
            old = provider.token()
            self.sandbox.revoke_tokens()
            provider.invalidate(old)
            self.assertNotEqual(provider.token().value, old.value)

    def test_a_secret_that_is_no_text_is_not_shown(self) -> None:
        secret = "not-a-real-secret-0123456789abcdef"
        with self.assertRaises(clazar_auth.ConfigurationError) as caught:
            clazar_auth.TokenProvider("id", secret + "\udcff")
        self.assertIn("client_secret holds", str(caught.exception))
        self.assertNotIn(secret, repr(vars(caught.exception)) + repr(caught.exception))
        with self.assertRaisesRegex(TypeError, "^client_secret must be str, not bytes$"):
            clazar_auth.TokenProvider("id", secret.encode())  # type: ignore[arg-type]

    def test_an_error_survives_pickle(self) -> None:
        self.sandbox.answer_next(429, headers={"Retry-After": "3600"})
        with (
            self.sandbox.provider() as provider,
            self.assertRaises(clazar_auth.RateLimitedError) as caught,
        ):
            provider.token()
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertIs(type(again), clazar_auth.RateLimitedError)
        self.assertEqual((again.http_status, again.retryable), (429, True))
        self.assertEqual(str(again), str(caught.exception))

    def test_stats_count(self) -> None:
        with self.sandbox.provider() as provider:
            provider.token()
            stats = provider.stats()
        self.assertEqual((stats.empty.succeeded, stats.empty.failed), (1, 0))

    @unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
    def test_a_forked_child_has_the_token(self) -> None:
        with self.sandbox.provider() as provider:
            token = provider.token()
            receiver, sender = os.pipe()
            with warnings.catch_warnings():
                # Python 3.12 warns of what is tested here.
                warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
                child = os.fork()
            if child == 0:
                os.write(sender, provider.token().fingerprint.encode())
                os._exit(0)
            os.close(sender)
            with open(receiver) as pipe:
                self.assertEqual(pipe.read(), token.fingerprint)
            self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_processes_share_a_store(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            variables = {
                "CLAZAR_CLIENT_ID": self.sandbox.client_id,
                "CLAZAR_CLIENT_SECRET": self.sandbox.client_secret,
                "CLAZAR_AUTH_URL": self.sandbox.auth_url,
                "CLAZAR_STORE": os.path.join(folder, "store"),
            }
            command = [sys.executable, "-X", "dev", "-W", "error", "-m", "clazar_auth", "header"]
            headers = {
                subprocess.check_output(command, env={**os.environ, **variables}, timeout=LONG)
                for _ in range(2)
            }
        self.assertEqual(len(headers), 1)
        self.assertTrue(headers.pop().startswith(b"Authorization: Bearer "))
        self.assertEqual(self.sandbox.requests(), 1)

    def test_a_program_ends_well_while_a_thread_of_the_library_is_in_python(self) -> None:
        for name, program in ENDINGS.items():
            with self.subTest(name):
                command = [sys.executable, "-c", ENDING.format(program=program)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
                shown = (done.returncode, done.stdout, done.stderr)
                self.assertEqual(shown, (0, "the end\n", ""))

    def test_a_closed_provider_says_so(self) -> None:
        provider = self.sandbox.provider()
        provider.close()
        self.assertRaises(clazar_auth.ClosedError, provider.token)


if __name__ == "__main__":
    unittest.main()
