"""A provider in the worker processes of real servers: gunicorn, uvicorn and Celery; Django and FastAPI."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from helpers import LONG, HeldServer, until

from clazar_auth.testing import Sandbox

WORKERS = 3

PROGRAM = Path(__file__).with_name("programs") / "workers.py"

DJANGO = """
import workers
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

def view(request):
    return JsonResponse(workers.work(), safe=False)

async def async_view(request):
    return JsonResponse(await workers.work_async(), safe=False)

urlpatterns = [path("", view), path("async", async_view)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="not-a-real-secret")
wsgi, asgi = get_wsgi_application(), get_asgi_application()
"""

FASTAPI = """
import workers
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
def answer():
    return workers.work()

@app.get("/async")
async def answer_async():
    return await workers.work_async()
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
import clazar_auth, workers
from settings import app

@app.task(name="work")
def call():
    return workers.work()

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

GUNICORN = ["gunicorn", f"--workers={WORKERS}", "--no-control-socket", "--bind=fd://{fd}"]
UVICORN = ["uvicorn", f"--workers={WORKERS}", "--fd={fd}"]
THREADS = ["--worker-class=gthread", "--threads=4"]
UVICORN_WORKERS = ["--worker-class=uvicorn_worker.UvicornWorker"]

PRELOADED = {
    "gunicorn sync": ([*GUNICORN, "workers"], "/"),
    "gunicorn gevent": ([*GUNICORN, "--worker-class=gevent", "workers"], "/"),
    "gunicorn gthread": ([*GUNICORN, *THREADS, "workers"], "/"),
    "gunicorn uvicorn, FastAPI": ([*GUNICORN, *UVICORN_WORKERS, "fast:app"], "/async"),
    "gunicorn gthread, Django": ([*GUNICORN, *THREADS, "site_of_django:wsgi"], "/"),
}
# These workers are spawned, not forked.
SPAWNED = {
    "uvicorn, FastAPI": ([*UVICORN, "fast:app"], "/async"),
    "uvicorn, FastAPI in threads": ([*UVICORN, "fast:app"], "/"),
    "uvicorn, Django": ([*UVICORN, "site_of_django:asgi"], "/async"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the programs are, and all that they leave behind."""
    queue = tmp_path / "queue"
    queue.mkdir()
    constants = f"import pathlib\nhere = pathlib.Path({str(tmp_path)!r})\n"
    constants += f"folder, WORKERS = here / 'queue', {WORKERS}\n"
    programs = {"site_of_django": DJANGO, "fast": FASTAPI}
    programs |= {"settings": SETTINGS, "tasks": TASKS, "send": SEND}
    for name, program in programs.items():
        (tmp_path / f"{name}.py").write_text(constants + program)
    shutil.copy(PROGRAM, tmp_path)
    return tmp_path


@contextmanager
def server(
    command: list[str], folder: Path, environment: dict[str, str], **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A running server; it has to end when it is told to, and to complain of nothing."""
    with (folder / "log").open("w") as log:
        environment = {**environment, "MEETING": str(folder)}
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


def each_answers(folder: Path, url: str) -> list[list[object]]:
    """Answers of all workers, some of which may have taken more than one request."""

    def ask() -> Any:
        return json.load(urlopen(url, timeout=LONG))

    end = time.monotonic() + LONG
    with ThreadPoolExecutor(100) as pool:
        asked = [pool.submit(ask)]
        while len(list(folder.glob("*.worker"))) < WORKERS:
            assert time.monotonic() < end, "not all workers get a request"
            time.sleep(0.02)
            asked.append(pool.submit(ask))
        return [answer.result() for answer in asked]


def serve(
    command: list[str], path: str, folder: Path, environment: dict[str, str]
) -> list[list[object]]:
    """What the workers of this server answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{path}"
        fd = listener.fileno()
        command = ["-m", *(word.format(fd=fd) for word in command)]
        with server(command, folder, environment, pass_fds=[fd]) as process:
            answers = each_answers(folder, url)
            process.terminate()
    return answers


def check(answers: list[list[object]], token_requests: int) -> None:
    assert len({process for process, _ in answers}) == WORKERS, "each worker answers"
    assert len({token for _, token in answers}) == token_requests


@KINDS
@pytest.mark.parametrize(("command", "path"), PRELOADED.values(), ids=PRELOADED)
def test_workers_that_are_forked(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    folder: Path,
    command: list[str],
    path: str,
    settings: dict[str, str],
    token_requests: int,
) -> None:
    environment = {**sandbox_environment, **settings}
    answers = serve([command[0], "--preload", *command[1:]], path, folder, environment)
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


@pytest.mark.parametrize(("command", "path"), SPAWNED.values(), ids=SPAWNED)
def test_workers_that_are_spawned(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    folder: Path,
    command: list[str],
    path: str,
) -> None:
    environment = {**sandbox_environment, "CLAZAR_STORE": "file"}
    check(serve(command, path, folder, environment), 1)
    assert sandbox.requests() == 1


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
