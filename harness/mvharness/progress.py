# SPDX-License-Identifier: MIT
"""What each cell is doing, for how long, and how long it took last time."""

import contextlib
import json
import threading
import time

from . import paths, say

TICK = 15.0  # seconds between two lines about the same stage


def _timings_file():
    return paths.cache_root() / "timings.json"


def _known() -> dict[str, float]:
    try:
        return json.loads(_timings_file().read_text())
    except (OSError, ValueError):
        return {}


class Progress:
    """The stages of one cell."""

    def __init__(self, cell: str):
        self.cell = cell
        self.stages: list[tuple[str, float]] = []

    @contextlib.contextmanager
    def stage(self, name: str):
        expected = _known().get(f"{self.cell} {name}")
        hint = f" (last time {expected:.1f} s)" if expected else ""
        say.note(f"{name}{hint}")
        start = time.monotonic()
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(name, start, hint, done), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            done.set()
            self.stages.append((name, time.monotonic() - start))

    def _tick(self, name: str, start: float, hint: str, done: threading.Event) -> None:
        with say.about(self.cell):
            while not done.wait(TICK):
                say.note(f"still {name}: {time.monotonic() - start:.0f} s{hint}")

    def remember(self) -> None:
        """Keeps this run's times as what the next one expects."""
        with paths.locked("timings"):
            times = _known() | {f"{self.cell} {name}": round(seconds, 2) for name, seconds in self.stages}
            paths.publish_file(_timings_file(), json.dumps(times, indent=0, sort_keys=True).encode())
