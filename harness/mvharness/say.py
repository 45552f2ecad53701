# SPDX-License-Identifier: MIT
"""Progress lines. They go to stderr, so that stdout holds KTAP or the command's own output only."""

import contextlib
import sys
import threading
import time

_start = time.monotonic()
_local = threading.local()
_lock = threading.Lock()
quiet = False


@contextlib.contextmanager
def about(subject: str):
    """Lines that this thread says inside the block begin with the subject."""
    _local.subject = subject
    try:
        yield
    finally:
        _local.subject = ""


def _say(text: str) -> None:
    subject = getattr(_local, "subject", "")
    with _lock:
        print(f"# {text}" if not subject else f"# {subject}: {text}", file=sys.stderr, flush=True)


def note(text: str) -> None:
    if not quiet:
        subject = getattr(_local, "subject", "")
        with _lock:
            print(f"# [{time.monotonic() - _start:5.1f}s] {subject + ': ' if subject else ''}{text}", file=sys.stderr,
                  flush=True)


def warn(text: str) -> None:
    _say(text)
