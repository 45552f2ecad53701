# SPDX-License-Identifier: MIT
"""The flavors of kernels that the harness builds: configuration fragments in flavors/, and which may be had together."""

import re
from pathlib import Path

from . import paths
from .errors import UsageError

FLAVORS = paths.HARNESS / "flavors"
# In a configuration a later one wins. One order for all, so that the same kernel is not built once for each way to write it.
ORDER = ("kasan", "kcsan", "lockdep", "atomic", "kmemleak", "fault", "kcov")
# What a fragment says of itself when an architecture cannot have it, with the reason.
NOT_FOR = re.compile(r"^# Not for (\w+): (.+?)\.?$", re.M)


def names() -> list[str]:
    """The flavors there are."""
    return sorted(p.stem for p in FLAVORS.glob("*.config") if not re.search(r"^base|-(um|amd64)$", p.stem))


def normal(text: str, arch: str) -> str:
    """The flavors of a comma-separated list, each once and in ORDER; a UsageError where one cannot be had."""
    wanted = {name for name in text.split(",") if name}
    valid = names()
    if not wanted:
        raise UsageError(f"--flavor {text}: it names no flavor; valid: {', '.join(valid)}, or several joined by commas.")
    for name in sorted(wanted):
        if name not in valid:
            raise UsageError(f"--flavor {name}: no such flavor; valid: {', '.join(valid)}, or several joined by commas.")
        for other, reason in NOT_FOR.findall((FLAVORS / f"{name}.config").read_text()):
            if other == arch:
                raise UsageError(f"--flavor {name} is not for {arch} kernels: {reason}.")
    return ",".join(sorted(wanted, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)))


def fragments(arch: str, flavor: str) -> list[Path]:
    """The files that make up a configuration, in order; a later line wins."""
    wanted = ["base", *(normal(flavor, arch).split(",") if flavor else [])]
    return [p for name in wanted for p in (FLAVORS / f"{name}.config", FLAVORS / f"{name}-{arch}.config") if p.exists()]
