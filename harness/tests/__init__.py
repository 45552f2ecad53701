# SPDX-License-Identifier: MIT
import signal


def as_in_a_terminal() -> None:
    """What a shell starts in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
