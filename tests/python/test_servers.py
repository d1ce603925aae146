"""A provider that gunicorn or Celery made before it forked its workers."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from helpers import LONG, HeldServer, at_once, until

from clazar_auth.testing import Sandbox

WORKERS = 3

WORK = """
import os, pathlib, time
import clazar_auth

provider = clazar_auth.TokenProvider.from_env()
if "WARM" in os.environ:
    provider.token()

def work():
    # No worker gets a second request before each of the others has its first.
    (here / f"{os.getpid()}.worker").touch()
    while len(list(here.glob("*.worker"))) < WORKERS:
        time.sleep(0.001)
    return os.getpid(), provider.token().fingerprint
"""

GUNICORN = """
import json
from work import work

def application(environ, start_response):
    start_response("200 OK", [])
    return [json.dumps(work()).encode()]
"""

SETTINGS = """
from celery import Celery

app = Celery()
folders = {kind: folder for kind in ("data_folder_in", "data_folder_out", "control_folder")}
app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={**folders, "polling_interval": 0.01},
    result_backend=f"file://{folder}",
)
"""

TASKS = """
import os
import clazar_auth, work
from settings import app

@app.task(name="work")
def call():
    return work.work()

@app.task(name="fail", throws=clazar_auth.ClazarAuthError)
def fail():
    clazar_auth.authenticate("nobody", "not-a-real-secret", auth_url=os.environ["CLAZAR_AUTH_URL"])
"""

SEND = """
import json, sys
import clazar_auth
from settings import app

results = [app.send_task("work") for _ in range(WORKERS)]
answers = [result.get(timeout=60, interval=0.01) for result in results]
try:
    app.send_task("fail").get(timeout=60, interval=0.01)
except clazar_auth.InvalidCredentialsError as error:
    print(json.dumps([answers, str(error)]))
# A signal would be noticed only after some seconds.
app.control.shutdown()
"""

KINDS = pytest.mark.parametrize(
    ("settings", "token_requests"),
    [({"WARM": "1"}, 1), ({}, WORKERS), ({"CLAZAR_STORE": "file"}, 1)],
    ids=["one token before the fork", "one token each", "one token from the store"],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the programs are, and all that they leave behind."""
    queue = tmp_path / "queue"
    queue.mkdir()
    constants = f"import pathlib\nhere = pathlib.Path({str(tmp_path)!r})\n"
    constants += f"folder, WORKERS = here / 'queue', {WORKERS}\n"
    programs = {"work": WORK, "app": GUNICORN, "settings": SETTINGS, "tasks": TASKS, "send": SEND}
    for name, program in programs.items():
        (tmp_path / f"{name}.py").write_text(constants + program)
    return tmp_path


@contextmanager
def server(
    command: list[str], folder: Path, environment: dict[str, str], **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A running server; it has to end when it is told to, and to complain of nothing."""
    with (folder / "log").open("w") as log:
        options |= {"cwd": folder, "env": environment, "stdout": log, "stderr": log}
        process = subprocess.Popen([sys.executable, *command], **options)
    try:
        yield process
        assert process.wait(LONG) == 0
    finally:
        process.kill()
        process.wait()
        print((folder / "log").read_text())
    assert "Traceback" not in (folder / "log").read_text()


def check(answers: list[list[object]], token_requests: int) -> None:
    assert len(answers) == WORKERS
    assert len({process for process, _ in answers}) == WORKERS, "each worker answers"
    assert len({token for _, token in answers}) == token_requests


@KINDS
def test_gunicorn_with_preload(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    folder: Path,
    settings: dict[str, str],
    token_requests: int,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = ["-m", "gunicorn", "--preload", f"--workers={WORKERS}"]
        command += [f"--bind=fd://{listener.fileno()}", "--no-control-socket", "app"]
        environment = {**sandbox_environment, **settings}
        with server(command, folder, environment, pass_fds=[listener.fileno()]) as gunicorn:
            answers = at_once(WORKERS, lambda: json.load(urlopen(url, timeout=LONG)))
            gunicorn.terminate()
    check(answers, token_requests)
    assert sandbox.requests() == token_requests


GREEN = """
import clazar_auth

provider = clazar_auth.TokenProvider.from_env(timeout=60)

def application(environ, start_response):
    start_response("200 OK", [])
    is_alive = environ["PATH_INFO"] == "/alive"
    return [b"yes" if is_alive else provider.token().value.encode()]
"""


def test_gunicorn_with_gevent_goes_on_while_a_request_waits_for_a_token(folder: Path) -> None:
    def get(path: str) -> bytes:
        answer: bytes = urlopen(url + path, timeout=LONG).read()
        return answer

    (folder / "green.py").write_text(GREEN)
    with socket.create_server(("127.0.0.1", 0)) as listener, HeldServer() as held:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = ["-m", "gunicorn", "--worker-class=gevent", "--workers=1"]
        command += [f"--bind=fd://{listener.fileno()}", "--no-control-socket", "green"]
        options = {"pass_fds": [listener.fileno()]}
        with server(command, folder, held.environment(), **options) as gunicorn:
            with ThreadPoolExecutor() as pool:
                waiting = [pool.submit(get, "/token") for _ in range(3)]
                until(lambda: held.requests() == 1)
                assert get("/alive") == b"yes"
                held.go_on.set()
                assert {future.result() for future in waiting} == {b"held-1"}
            gunicorn.terminate()


@KINDS
def test_celery_prefork(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    folder: Path,
    settings: dict[str, str],
    token_requests: int,
) -> None:
    command = ["-m", "celery", "--app=tasks", "worker", "--pool=prefork"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    command += [f"--concurrency={WORKERS}"]
    environment = {**sandbox_environment, **settings}
    with server(command, folder, environment):
        done = subprocess.run(
            [sys.executable, "send.py"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * LONG,
        )
        assert (done.returncode, done.stderr) == (0, "")
    answers, message = json.loads(done.stdout)
    check(answers, token_requests)
    assert "401" in message
    assert sandbox.requests() == token_requests + 1
