# SPDX-License-Identifier: MIT
"""The shared libraries of a host program, so that a guest without a root file system can run it."""

import re
import subprocess
from pathlib import Path

LIBRARY = re.compile(r"(?:=>\s*)?(/\S+)\s+\(0x")
MISSING = re.compile(r"(\S+) => not found")


def libraries(program: Path) -> tuple[list[Path], list[str]]:
    """(libraries with the loader, names that were not found); both empty for a static program."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    found = [Path(m.group(1)) for m in map(LIBRARY.search, done.stdout.splitlines()) if m]
    return found, MISSING.findall(done.stdout)
