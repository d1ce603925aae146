"""What Windows does in its own way, with the installed wheel, besides smoke.py; needs nothing but the
standard library."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from unittest import mock

from clazar_auth.__main__ import main
from clazar_auth._cli import waiting
from clazar_auth.testing import Sandbox

LONG = 60.0
COMMAND = [sys.executable, "-m", "clazar_auth"]


def interrupted(work: Callable[[], object]) -> object:
    """The result of work in whose midst Ctrl-C is pressed, which ends it before its time-out does."""
    began = time.monotonic()
    # When the command line has said that it waits.
    threading.Timer(1.5 * waiting.QUIET, signal.raise_signal, [signal.SIGINT]).start()
    try:
        return work()
    finally:
        assert time.monotonic() - began < 10


def printed(*arguments: str) -> str:
    """What a command prints that ends well."""
    return subprocess.check_output([*COMMAND, *arguments], timeout=LONG).decode()


class Windows(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = Sandbox()
        self.addCleanup(self.sandbox.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        variables = {
            "CLAZAR_CLIENT_ID": self.sandbox.client_id,
            "CLAZAR_CLIENT_SECRET": self.sandbox.client_secret,
            "CLAZAR_AUTH_URL": self.sandbox.auth_url,
            "LOCALAPPDATA": folder.name,
        }
        patch = mock.patch.dict(os.environ, variables)
        patch.start()
        self.addCleanup(patch.stop)

    def test_each_event_loop_is_woken(self) -> None:
        for kind in (asyncio.SelectorEventLoop, asyncio.new_event_loop):
            with contextlib.closing(kind()) as loop, self.sandbox.provider() as provider:
                token = loop.run_until_complete(provider.token_async(timeout=LONG))
                self.assertFalse(token.expired)

    def test_ctrl_c_ends_each_wait(self) -> None:
        self.sandbox.set_delay(LONG)
        with self.sandbox.provider(timeout=LONG) as provider:
            self.assertRaises(KeyboardInterrupt, interrupted, provider.token)
            wait = provider.token_async
            self.assertRaises(KeyboardInterrupt, interrupted, lambda: asyncio.run(wait()))
        self.assertEqual(interrupted(lambda: main(["token", "--no-store"])), 130)

    def test_ctrl_c_ends_the_sandbox(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            self.assertEqual(interrupted(lambda: main(["sandbox"])), 0)
        self.assertIn("$env:CLAZAR_CLIENT_ID = 'sandbox-client'\n", shown.getvalue())
        self.assertIn("$env:CLAZAR_STORE = $null\n", shown.getvalue())

    def test_the_sandbox_runs_a_command(self) -> None:
        done = subprocess.run([*COMMAND, "sandbox", "--", "cmd", "/c", "exit 7"], timeout=LONG)
        self.assertEqual(done.returncode, 7)

    def test_commands_share_the_token_in_the_store(self) -> None:
        self.assertTrue(printed("token").endswith("\n"))
        self.assertEqual(printed("token"), printed("token"))
        self.assertNotIn("\r", printed("token") + printed("completion", "bash"))
        self.assertEqual(self.sandbox.requests(), 1)
        folder = os.path.join(os.environ["LOCALAPPDATA"], "clazar-auth")
        self.assertIn(f"store: {folder}\\", printed("status"))
        printed("logout")
        self.assertIn("token: none", printed("status"))

    def test_a_reader_that_has_gone_is_no_error(self) -> None:
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [*COMMAND, "completion", "bash"], stdout=pipe, stderr=pipe
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            self.assertEqual((process.stderr.read(), process.wait(LONG)), (b"", 1))


if __name__ == "__main__":
    unittest.main()
