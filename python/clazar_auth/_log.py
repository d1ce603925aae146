"""The logger of this package: silent until the program gives it, or the root logger, a handler."""

from __future__ import annotations

import logging

logger = logging.getLogger("clazar_auth")
logger.addHandler(logging.NullHandler())
