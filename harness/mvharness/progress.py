# SPDX-License-Identifier: MIT
"""What each cell is doing, for how long, and how long it took last time."""

import contextlib
import json
import threading
import time
from typing import NamedTuple

from . import paths, say

TICK = 15.0  # seconds between two lines about the same stage where there is no terminal
BEGIN = time.monotonic()


class Stage(NamedTuple):
    name: str
    seconds: float
    start: float = 0.0  # seconds after the run's
    what: str = ""  # with what else the time is not to be compared


def _timings_file():
    return paths.cache_root() / "timings.json"


def _known() -> dict[str, float]:
    """What the file says, as far as it makes sense: it is a hint, and anybody may have written to it."""
    try:
        read = json.loads(_timings_file().read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(read, dict):
        return {}
    return {name: float(seconds) for name, seconds in read.items() if type(seconds) in (int, float)}


class Progress:
    """The stages of one cell."""

    def __init__(self, cell: str):
        self.cell = cell
        self.stages: list[Stage] = []

    @contextlib.contextmanager
    def stage(self, name: str, what: str = ""):
        """`what`: other suites take another time, though the stage has the same name."""
        expected = _known().get(self._key(name, what))
        hint = f" of {expected:.0f} s" if expected and expected >= 1 else " s"
        say.note(f"{name}" + (f" (last time {expected:.1f} s)" if expected else ""))
        start = time.monotonic()
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(name, start, hint, done), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            done.set()
            ticker.join()
            say.status(self.cell, "")
            self.stages.append(Stage(name, time.monotonic() - start, start - BEGIN, what))

    def _key(self, name: str, what: str) -> str:
        return " ".join(filter(None, (self.cell, name, what)))

    def _tick(self, name: str, start: float, hint: str, done: threading.Event) -> None:
        with say.about(self.cell):
            while not done.wait(1.0 if say.live() else TICK):
                elapsed = f"{time.monotonic() - start:.0f}{hint}"
                if say.live():
                    say.status(self.cell, f"{self.cell}: {name}, {elapsed}")
                else:
                    say.note(f"still {name}: {elapsed}")

    def remember(self) -> None:
        """Keeps this run's times as what the next one expects."""
        with paths.locked("timings"):
            times = _known() | {
                self._key(stage.name, stage.what): round(stage.seconds, 2) for stage in self.stages}
            paths.publish_file(_timings_file(), json.dumps(times, indent=0, sort_keys=True).encode())
