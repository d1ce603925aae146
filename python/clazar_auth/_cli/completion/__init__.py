"""The command completion: prints a script that `make completion` wrote."""

from __future__ import annotations

import os
from argparse import Namespace

from clazar_auth._cli import DONE
from clazar_auth._cli.output import say


def completion(arguments: Namespace) -> int:
    script = os.path.join(os.path.dirname(__file__), f"clazar-auth.{arguments.shell}")
    with open(script, encoding="utf-8") as file:
        for line in file:
            say(line.rstrip("\n"))
    return DONE
