# SPDX-License-Identifier: MIT
"""The signals that end a run. The first is an exception in the main thread, so that guests are stopped and things are put
back; more of them change nothing for a while."""

import os
import signal
import time

from .errors import Interrupted

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 3.0  # seconds in which further signals are impatient fingers; after that somebody wants out
_first: float | None = None


def _stop(number, _frame):
    global _first
    if _first is None:
        _first = time.monotonic()
        raise Interrupted(number)
    if time.monotonic() - _first > PATIENCE:
        os._exit(128 + number)


def _handle(how) -> None:
    for number in NUMBERS:
        # what nohup, or a shell's &, told us to ignore stays ignored
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, how)


def catch() -> None:
    _handle(_stop)


def ignore() -> None:
    """For the last milliseconds, in which the interpreter takes itself apart."""
    _handle(signal.SIG_IGN)
