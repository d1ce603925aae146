"""The plain header, read by parsers without a preprocessor, and the library called through it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cffi import FFI

from clazar_auth.testing import Sandbox

pytestmark = pytest.mark.c

STAGE = Path(__file__).parents[2] / "target" / "stage"
HEADER = STAGE / "include/clazar_auth.ffi.h"
LIBRARY = STAGE / "lib/libclazar_auth.so.0"

# Each prints the Authorization header that it gets, and the time until the next token request.
LUA = """
local ffi = require("ffi")
ffi.cdef(io.open(arg[1]):read("*a"))
local clazar = ffi.load(arg[2])
assert(clazar.clazar_version_number() == clazar.CLAZAR_AUTH_VERSION_NUMBER)
local config, provider = ffi.new("clazar_config *[1]"), ffi.new("clazar_provider *[1]")
assert(clazar.clazar_config_new_from_env(config, nil) == clazar.CLAZAR_OK)
assert(clazar.clazar_provider_new(config[0], provider, nil) == 0)
local buffer, length = ffi.new("char[?]", clazar.CLAZAR_AUTHORIZATION_MAX), ffi.new("size_t[1]")
assert(clazar.clazar_provider_authorization(provider[0], buffer, ffi.sizeof(buffer), length, nil) == 0)
print(ffi.string(buffer, length[0]))
local stats = ffi.new("clazar_stats", {size = ffi.sizeof("clazar_stats")})
assert(clazar.clazar_provider_stats(provider[0], stats, nil) == 0)
print(tonumber(stats.refresh_in_ms))
clazar.clazar_provider_free(provider[0])
clazar.clazar_config_free(config[0])
"""

PHP = """<?php
$clazar = FFI::cdef(file_get_contents($argv[1]), $argv[2]);
[$config, $provider] = [$clazar->new("clazar_config *"), $clazar->new("clazar_provider *")];
$status = $clazar->clazar_config_new_from_env(FFI::addr($config), null);
$status += $clazar->clazar_provider_new($config, FFI::addr($provider), null);
[$size, $length] = [$clazar->CLAZAR_AUTHORIZATION_MAX, $clazar->new("size_t")];
$buffer = $clazar->new("char[$size]");
$status += $clazar->clazar_provider_authorization($provider, $buffer, $size, FFI::addr($length), null);
echo FFI::string($buffer, $length->cdata), "\\n";
$stats = $clazar->new("clazar_stats");
$stats->size = FFI::sizeof($stats);
$status += $clazar->clazar_provider_stats($provider, FFI::addr($stats), null);
echo $stats->refresh_in_ms, "\\n";
$clazar->clazar_provider_free($provider);
$clazar->clazar_config_free($config);
$is_same = $clazar->clazar_version_number() === $clazar->CLAZAR_AUTH_VERSION_NUMBER;
exit($status === $clazar->CLAZAR_OK && $is_same ? 0 : 1);
"""


def test_nothing_in_it_is_for_a_compiler_alone() -> None:
    assert not re.search(r"#|//|__|\bextern\b|\b[A-Z_]+\(", HEADER.read_text())


def test_cffi(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    ffi = FFI()
    ffi.cdef(HEADER.read_text())
    clazar: Any = ffi.dlopen(str(LIBRARY))
    assert clazar.clazar_version_number() == clazar.CLAZAR_AUTH_VERSION_NUMBER
    functions = [name for name in dir(clazar) if name.startswith("clazar_")]
    assert len(functions) > 40
    for name in functions:
        getattr(clazar, name)

    config, provider = ffi.new("clazar_config **"), ffi.new("clazar_provider **")
    assert clazar.clazar_config_new_from_env(config, ffi.NULL) == clazar.CLAZAR_OK
    assert clazar.clazar_provider_new(config[0], provider, ffi.NULL) == 0
    token = ffi.new("clazar_token **")
    assert clazar.clazar_provider_token(provider[0], token, ffi.NULL) == 0
    value = ffi.string(clazar.clazar_token_authorization(token[0], ffi.NULL))
    buffer = ffi.new("char[]", clazar.CLAZAR_AUTHORIZATION_MAX)
    size = len(buffer)
    clazar.clazar_provider_authorization(provider[0], buffer, size, ffi.NULL, ffi.NULL)
    assert ffi.string(buffer) == value
    stats: Any = ffi.new("clazar_stats *", {"size": ffi.sizeof("clazar_stats")})
    assert clazar.clazar_provider_stats(provider[0], stats, ffi.NULL) == 0
    assert stats.empty_succeeded == sandbox.requests() == 1
    assert stats.refresh_in_ms > 80_000_000
    clazar.clazar_token_free(token[0])
    clazar.clazar_provider_free(provider[0])
    clazar.clazar_config_free(config[0])


@pytest.mark.parametrize(("interpreter", "program"), [("luajit", LUA), ("php", PHP)])
def test_others(
    interpreter: str,
    program: str,
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    if shutil.which(interpreter) is None:
        pytest.skip(f"{interpreter} is not installed")
    file = tmp_path / "program"
    file.write_text(program)
    command = [interpreter, str(file), str(HEADER), str(LIBRARY)]
    done = subprocess.run(
        command, env=sandbox_environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    authorization, refresh_in = done.stdout.splitlines()
    assert re.fullmatch(r"Bearer [\w.-]+", authorization)
    assert int(refresh_in) > 80_000_000
    assert sandbox.requests() == 1
