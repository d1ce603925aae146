"""Programs at a terminal of their own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType

from helpers import LONG


def take_terminal() -> None:
    """Lets the keys of standard input's terminal, such as Ctrl-C, reach this process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A context manager that ends the program; all that was shown is in `shown`."""

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        self._keyboard, screen = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=screen,
            stdout=screen,
            stderr=screen,
            env={**os.environ, "TERM": "xterm", **environment},
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(screen)
        self.shown = ""
        self._read = 0

    def press(self, keys: str) -> None:
        os.write(self._keyboard, keys.encode())

    def until(self, text: str) -> None:
        """Wait until this is shown after what was waited for last."""
        while text not in self.shown[self._read :]:
            assert self._more(), f"ended before {text!r}: {self.shown!r}"
        self._read = self.shown.index(text, self._read) + len(text)

    def until_all(self, texts: tuple[str, ...]) -> None:
        """Wait until all of these are shown after what was waited for last, in any order."""
        while missing := [text for text in texts if text not in self.shown[self._read :]]:
            assert self._more(), f"ended before {missing}: {self.shown!r}"

    def end(self) -> int:
        """The status of the program, which is to end by itself."""
        while self._more():
            pass
        return self.process.wait(LONG)

    def _more(self) -> bool:
        started = time.monotonic()
        readable, _, _ = select.select([self._keyboard], [], [], LONG)
        assert readable, f"nothing new after {time.monotonic() - started:.0f} s: {self.shown!r}"
        try:
            self.shown += os.read(self._keyboard, 4096).decode()
        except OSError:  # The other side is closed.
            return False
        return True

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._keyboard)
