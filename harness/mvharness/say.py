# SPDX-License-Identifier: MIT
"""Progress lines. They go to stderr, so that stdout holds KTAP or the command's own output only."""

import sys
import time

_start = time.monotonic()
quiet = False


def note(text: str) -> None:
    if not quiet:
        print(f"# [{time.monotonic() - _start:5.1f}s] {text}", file=sys.stderr, flush=True)


def warn(text: str) -> None:
    print(f"# {text}", file=sys.stderr, flush=True)
