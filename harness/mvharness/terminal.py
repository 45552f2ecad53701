# SPDX-License-Identifier: MIT
"""The caller's terminal: raw while a guest uses it, and always put back."""

import contextlib
import os
import sys
import termios
import tty

ESCAPE = b"\x1d"  # Ctrl-]


def is_terminal() -> bool:
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


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
