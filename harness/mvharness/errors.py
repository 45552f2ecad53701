# SPDX-License-Identifier: MIT
"""The two ways in which the harness itself gives up. Both carry one sentence for the user."""


class UsageError(Exception):
    """The request cannot be served as written; the sentence names the valid form. Exit code 2."""


class HarnessError(Exception):
    """The request was fine but something it needs is missing or broken. Exit code 1."""

    def __init__(self, sentence: str, log: str = ""):
        """`log`: where more of it can be read."""
        super().__init__(f"{sentence}; log: {log}" if log else sentence)
        self.log = log


class Interrupted(KeyboardInterrupt):
    """A signal asked us to end. Exit code 128 and its number."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number
        self.finished: list = []  # the cells of the matrix that had ended before
