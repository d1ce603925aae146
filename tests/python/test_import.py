"""Nothing happens at import: a shim that is loaded before the C library tells of what does."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
from helpers import python

import clazar_auth
from clazar_auth._variables import VARIABLES

PACKAGE = Path(clazar_auth.__file__).parent

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void tell(const char *function, const char *argument) {
    char line[4200];
    const int length = snprintf(line, sizeof line, "%s %s\n", function, argument);
    if (write(2, line, (size_t) length) < 0)
        _exit(1);
}

#define NEXT(function) ((__typeof__(&function)) dlsym(RTLD_NEXT, #function))

char *getenv(const char *name) {
    tell("getenv", name);
    return NEXT(getenv)(name);
}

char *secure_getenv(const char *name) {
    tell("getenv", name);
    return NEXT(secure_getenv)(name);
}

int socket(int family, int type, int protocol) {
    tell("socket", "");
    return NEXT(socket)(family, type, protocol);
}

int socketpair(int family, int type, int protocol, int ends[2]) {
    tell("socket", "pair");
    return NEXT(socketpair)(family, type, protocol, ends);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *data) {
    tell("thread", "");
    return NEXT(pthread_create)(thread, how, run, data);
}

typedef int opener(const char *, int, ...);

static int opened(opener *next, const char *path, int flags, va_list rest) {
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    tell("open", path);
    return next(path, flags, mode);
}

#define OPEN(function)                                               \
    int function(const char *path, int flags, ...) {                 \
        va_list rest;                                                \
        va_start(rest, flags);                                       \
        const int file = opened(NEXT(function), path, flags, rest);  \
        va_end(rest);                                                \
        return file;                                                 \
    }

OPEN(open)
OPEN(open64)
"""

# What os.environ holds is a copy that Python made at its start: nobody asks the C library for it.
PROGRAM = """
import logging, os, sys

class Watched(type(os.environ)):
    def __getitem__(self, name):
        os.write(2, f"getenv {name}\\n".encode())
        return super().__getitem__(name)

    def __iter__(self):
        os.write(2, b"getenv all\\n")
        return super().__iter__()

os.environ.__class__ = Watched

def step(name):
    os.write(2, f"-- {name}\\n".encode())

def state():
    root = logging.getLogger()
    return sorted(os.listdir("/proc/self/fd")), list(root.handlers), set(root.manager.loggerDict)

before = state()
step("import")
import clazar_auth
step("imported")
assert state() == before
assert len(os.listdir("/proc/self/task")) == 1
loaded = {name for name in sys.modules if name.startswith("clazar_auth")}
assert loaded == {"clazar_auth", *(f"clazar_auth.{it}" for it in ("_methods", "_native", "errors"))}, loaded

step("from_env")
provider = clazar_auth.TokenProvider.from_env()
step("token")
provider.token()
step("end")
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    command = ["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "shim.c", "-o", "shim.so"]
    subprocess.run([*command, "-ldl"], cwd=folder, check=True, timeout=60)
    return folder / "shim.so"


@pytest.fixture
def steps(shim: Path, sandbox_environment: dict[str, str]) -> dict[str, list[str]]:
    """What a program did in each of its steps."""
    environment = {**sandbox_environment, "LD_PRELOAD": str(shim)}
    done = python(PROGRAM, "-B", "-W", "error", env=environment)
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^-- (\w+)\n", done.stderr, flags=re.MULTILINE)
    return {name: text.splitlines() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_an_import_opens_modules_and_does_nothing_else(steps: dict[str, list[str]]) -> None:
    assert steps["imported"] == []
    opened = [line.removeprefix("open ") for line in steps["import"]]
    own = [path for path in opened if path.startswith(f"{PACKAGE}/")]
    library = [path for path in opened if path.startswith(f"{sysconfig.get_path('stdlib')}/")]
    assert own, "the shim sees what is done"
    assert sorted(opened) == sorted(own + library)
    assert {Path(path).suffix for path in opened} <= {".py", ".pyc"}


def test_the_environment_is_read_once(steps: dict[str, list[str]]) -> None:
    reads = {line.removeprefix("getenv ") for line in steps["from_env"]}
    assert reads >= {*VARIABLES, "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    assert not [line for line in steps["token"] if line.startswith("getenv")]


def test_a_thread_and_a_socket_come_with_the_first_token(steps: dict[str, list[str]]) -> None:
    for step, begun in (("from_env", False), ("token", True)):
        told = {line.split()[0] for line in steps[step]}
        assert ("thread" in told, "socket" in told) == (begun, begun)
