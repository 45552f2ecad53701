# SPDX-License-Identifier: MIT
"""Progress lines. They go to stderr, so that stdout holds KTAP or the command's own output only.

On a terminal the last line is alive: what each cell is doing right now.
"""

import contextlib
import shutil
import sys
import threading
import time

_start = time.monotonic()
_local = threading.local()
_lock = threading.Lock()
_statuses: dict[str, str] = {}
CLEAR = "\r\033[K"
quiet = False
live_line = False  # set by whoever owns the terminal; a guest's console must not be written over


@contextlib.contextmanager
def about(subject: str):
    """Lines that this thread says inside the block begin with the subject."""
    _local.subject = subject
    try:
        yield
    finally:
        _local.subject = ""


def live() -> bool:
    return live_line and not quiet


def _write(text: str) -> None:
    """A line above the live one. Nobody may be there to read it any more; that is no reason to end."""
    with _lock, contextlib.suppress(OSError):
        below = _live_text()
        print(f"{CLEAR if live() else ''}{text}", file=sys.stderr)
        sys.stderr.write(below)
        sys.stderr.flush()


def _live_text() -> str:
    if not live():
        return ""
    width = shutil.get_terminal_size().columns - 1
    return " | ".join(text for text in _statuses.values() if text)[:width]


def status(who: str, text: str) -> None:
    """Replaces what the live line says of one cell; an empty text ends it."""
    if not live():
        return
    with _lock, contextlib.suppress(OSError):
        _statuses[who] = text
        sys.stderr.write(CLEAR + _live_text())
        sys.stderr.flush()


def note(text: str) -> None:
    if not quiet:
        subject = getattr(_local, "subject", "")
        _write(f"# [{time.monotonic() - _start:5.1f}s] {subject + ': ' if subject else ''}{text}")


def warn(text: str) -> None:
    subject = getattr(_local, "subject", "")
    _write(f"# {text}" if not subject else f"# {subject}: {text}")


def last(text: str) -> None:
    """The sentence with which the harness ends."""
    with contextlib.suppress(OSError):
        print(f"harness/run: {text}", file=sys.stderr, flush=True)
