# SPDX-License-Identifier: MIT
"""The caller's terminal: raw while a guest uses it, and always put back."""

import contextlib
import os
import sys
import termios
import tty

from .errors import HarnessError

ESCAPE = b"\x1d"  # Ctrl-]


def is_terminal() -> bool:
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def can_rewrite_lines() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _forget(fd: int) -> None:
    """What cannot be written now cannot be when the interpreter ends and tries again."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, fd)
    os.close(null)


@contextlib.contextmanager
def _writing(fd: int):
    try:
        yield
    except BrokenPipeError:
        _forget(fd)
        raise  # main() ends quietly
    except OSError as error:
        _forget(fd)
        raise HarnessError(f"standard {'output' if fd == 1 else 'error'} cannot be written: {error.strerror}.") from error


def write_out(text: str) -> None:
    """All of it to standard output, now."""
    with _writing(1):
        sys.stdout.write(text)
        sys.stdout.flush()


def write_all(fd: int, data: bytes) -> None:
    with _writing(fd):
        while data:
            data = data[os.write(fd, data):]


def size() -> tuple[int, int]:
    """(rows, columns)"""
    try:
        got = os.get_terminal_size(sys.stdout.fileno())
        return got.lines, got.columns
    except OSError:
        return 0, 0


@contextlib.contextmanager
def raw():
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
