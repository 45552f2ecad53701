# SPDX-License-Identifier: MIT
"""Libraries for the arm64 build of the suites' programs, unpacked into the cache: the machine's own packages are untouched.

`python3 -m mvharness.crossroot` prints the directory (scripts/build arm64 uses it).
"""

import hashlib
import sys
from pathlib import Path

from . import deb, paths
from .aptroot import AptRoot
from .errors import HarnessError

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
PACKAGES = ("libboost1.74-dev", "libboost-program-options1.74.0", "libboost-program-options1.74-dev", "libfdt-dev", "libfmt-dev", "libfmt9", "libgtest-dev",
            "libgmock-dev", "libbenchmark-dev", "libbenchmark1debian")


def _versions(apt: AptRoot) -> list[tuple[str, str]]:
    out = []
    for name in PACKAGES:
        fields = apt.show(name)
        if fields is None:
            raise HarnessError(f"{SUITES[0]} has no {name} for {apt.arch}.")
        out.append((name, fields["Version"]))
    return out


def obtain(offline: bool = False) -> Path:
    """The root directory, fetched unless this very set is there."""
    apt = AptRoot(offline, SUITES, "arm64")
    with paths.locked(f"apt-{apt.name}"):
        apt.refresh()
        wanted = _versions(apt)
        final = paths.cache("cross") / f"arm64-{hashlib.sha256(repr(wanted).encode()).hexdigest()[:10]}"
        if not final.exists():
            debs = [apt.download(name, version) for name, version in wanted]
            with paths.published(final) as work:
                for file in debs:
                    deb.unpack(file, work)
    return final


if __name__ == "__main__":
    try:
        print(obtain("--offline" in sys.argv))
    except HarnessError as error:
        sys.exit(f"scripts/build: {error}")
