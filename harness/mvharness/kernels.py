# SPDX-License-Identifier: MIT
"""Kernel rows: which kernels exist, and how a package name becomes one exact kernel."""

import functools
import json
import re
import subprocess
import time
from dataclasses import asdict, dataclass

from . import paths, say
from .aptroot import LISTS_MAX_AGE, AptRoot
from .errors import HarnessError, UsageError

DEFAULT = "linux-image-amd64"
VALID = ("linux-image-amd64, linux-image-cloud-amd64, or an exact image such as linux-image-6.1.0-50-amd64")
IMAGE_NAME = re.compile(r"^linux-image-(?P<release>[0-9][0-9a-z.+~-]*-amd64)$")
META_NAME = re.compile(r"^linux-image-(?:(?P<series>\d+\.\d+)-)?(?P<variant>cloud-|rt-)?amd64$")


@dataclass(frozen=True)
class Kernel:
    """One row of the kernel list, fully resolved: nothing in it says 'newest'."""

    release: str  # uname -r, e.g. 6.1.0-56-amd64
    version: str  # Debian's package version, e.g. 6.1.192-2
    image: str  # package that holds vmlinuz and the modules
    headers: tuple[tuple[str, str], ...]  # (package, version) needed to build a module

    @property
    def id(self) -> str:
        return f"{self.release}_{self.version}"

    @property
    def series(self) -> str:
        return ".".join(self.release.split(".")[:2])

    def __str__(self) -> str:
        return f"{self.release} (Debian {self.version})"


def _compare(a: str, b: str) -> int:
    if subprocess.run(["dpkg", "--compare-versions", a, "lt", b], check=False).returncode == 0:
        return -1
    return 0 if a == b else 1


def _depends(fields: dict[str, str]) -> list[tuple[str, str | None]]:
    """First alternatives of Depends as (package, exact version or None)."""
    out = []
    for clause in fields.get("Depends", "").split(","):
        first = clause.split("|")[0].strip()
        match = re.match(r"^(\S+)(?:\s+\(=\s*([^)]+)\))?", first)
        if match:
            out.append((match.group(1).partition(":")[0], match.group(2)))
    return out


def _row(apt: AptRoot, release: str) -> Kernel | None:
    """The row for one exact release, or None when image or headers cannot be had."""
    headers = apt.show(f"linux-headers-{release}")
    if headers is None:
        return None
    version = headers["Version"]
    # Signing lags behind: the unsigned image of the same build serves as well.
    for name in (f"linux-image-{release}", f"linux-image-{release}-unsigned"):
        image = apt.show(name)
        if image and image["Version"] == version:
            break
    else:
        return None
    wanted = [(f"linux-headers-{release}", version)]
    for name, exact in _depends(headers):
        if name.startswith(("linux-headers-", "linux-kbuild-")):
            # kbuild's package name carries the series only: pin it to this very build.
            wanted.append((name, exact or version))
    return Kernel(release, version, image["Package"], tuple(wanted))


def _newest(apt: AptRoot, series: str, variant: str) -> Kernel:
    pattern = re.compile(rf"^linux-headers-({re.escape(series)}\.[0-9a-z.+~-]*?-{variant}amd64)$")
    rows = []
    for name in apt.names(f"linux-headers-{series}"):
        match = pattern.match(name)
        if match and (variant or not re.search(r"-(cloud|rt)-amd64$", name)):
            fields = apt.show(name)
            if fields:
                rows.append((fields["Version"], match.group(1)))
    rows.sort(key=functools.cmp_to_key(lambda a, b: _compare(a[0], b[0])), reverse=True)
    for _, release in rows:
        row = _row(apt, release)
        if row:
            return row
    raise HarnessError(f"the archive has no linux {series} {variant}amd64 image together with its headers.")


def _resolve(apt: AptRoot, package: str) -> Kernel:
    meta = META_NAME.match(package)
    if meta:
        return _newest(apt, meta["series"] or "6.1", meta["variant"] or "")
    exact = IMAGE_NAME.match(package)
    if exact:
        row = _row(apt, exact["release"])
        if row:
            return row
    raise UsageError(f"-k {package}: no such kernel with headers in bookworm; valid: {VALID}.")


def resolve(package: str, offline: bool = False) -> Kernel:
    """Turns a package name into an exact kernel; remembered as long as the package lists are fresh."""
    if not (META_NAME.match(package) or IMAGE_NAME.match(package)):
        raise UsageError(f"-k {package}: not a kernel image package; valid: {VALID}.")
    memory = paths.cache("resolved") / f"{package}.json"
    known = None
    if memory.exists():
        data = json.loads(memory.read_text())
        data["headers"] = tuple(tuple(pair) for pair in data["headers"])
        known = Kernel(**data)
        if offline or time.time() - memory.stat().st_mtime < LISTS_MAX_AGE:
            return known
    with paths.locked("apt"):
        apt = AptRoot(offline)
        try:
            apt.refresh()
            row = _resolve(apt, package)
        except HarnessError as error:
            if known is None:
                raise
            say.warn(f"using the kernel resolved earlier, {known}, because {error}")
            return known
    paths.publish_file(memory, json.dumps(asdict(row), indent=1).encode())
    return row
