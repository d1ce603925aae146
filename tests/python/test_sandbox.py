"""The sandbox, as a server for many clients."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from helpers import python

from clazar_auth import ConfigurationError
from clazar_auth.testing import Sandbox

REQUEST = b"GET /listings/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_open_connections_keep_no_other_waiting() -> None:
    for _ in range(20):
        with Sandbox() as sandbox, ExitStack() as stack:
            port = urlsplit(sandbox.url).port
            address = ("127.0.0.1", port)
            connect = socket.create_connection
            clients = [stack.enter_context(connect(address, 5)) for _ in range(64)]
            for client in clients:
                client.sendall(REQUEST)
            # None is closed before all have their answers, as in the pool of a client library.
            answers = [client.recv(12) for client in clients]
            assert answers == [b"HTTP/1.1 401"] * 64


PROGRAM = """
import os, sys, threading, warnings
from clazar_auth.testing import Sandbox

# Python 3.12 and later warn of what is tested here; 3.14 shows it.
warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
sandbox = Sandbox(delay=1)
provider = sandbox.provider()
waiting = threading.Thread(target=provider.token)
waiting.start()
while sandbox.requests() == 0:
    pass
child = os.fork()
if child == 0:
    {end}
assert os.waitpid(child, 0)[1] == 0
waiting.join()
print(sandbox.requests(), bool(provider.peek()))
"""


@pytest.mark.parametrize("end", ["sys.exit()", "sandbox.close(); sys.exit()"])
def test_a_child_leaves_it_to_its_parent(end: str) -> None:
    done = python(PROGRAM.format(end=end))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 True\n", "")


@pytest.mark.parametrize("status", [-1, 65_536, 99, 600])
def test_a_status_is_a_number_from_200_to_599(sandbox: Sandbox, status: int) -> None:
    with pytest.raises(ConfigurationError, match="status"):
        sandbox.answer_next(status)
    wrong: Any = "429"
    with pytest.raises(TypeError, match="status must be int, not str"):
        sandbox.answer_next(wrong)
