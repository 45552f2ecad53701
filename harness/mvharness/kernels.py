# SPDX-License-Identifier: MIT
"""From a row to one exact stock kernel: which packages, which versions."""

import json
import re
import time
from dataclasses import asdict, dataclass

from . import paths, say
from .aptroot import LISTS_MAX_AGE, AptRoot
from .errors import HarnessError, UsageError
from .rows import Row

DEFAULT = "linux-image-amd64"
CANDIDATES = 4  # newest first: signing lags, and pools are pruned before their lists are


@dataclass(frozen=True)
class Kernel:
    """Fully resolved: nothing in it says 'newest'."""

    release: str  # uname -r, e.g. 6.1.0-56-amd64
    version: str  # Debian's package version, e.g. 6.1.192-2
    image: str  # package that holds vmlinuz
    headers: tuple[tuple[str, str], ...]  # (package, version) needed to build a module
    modules: tuple[tuple[str, str], ...] = ()  # where the kernel's own modules are, when not in the image's package
    arch: str = "amd64"
    suites: tuple[str, ...] = ()
    flavor: str = ""

    @property
    def id(self) -> str:
        # no comma: the compiler's -Wp takes it for a separator
        return f"{self.release}_{self.version}" + ("_" + self.flavor.replace(",", "+") if self.flavor else "")

    @property
    def number(self) -> tuple[int, ...]:
        return release_key(self.release)

    def __str__(self) -> str:
        origin = f"Debian {self.version}" if self.image else self.version
        return f"{self.release} ({origin})" + (f" {self.flavor}" if self.flavor else "")


def release_key(release: str) -> tuple[int, ...]:
    """Orders releases: 6.1.0-56-amd64 after 6.1.0-9-amd64, 7.3.4+deb13-amd64 after both."""
    return tuple(int(n) for n in re.findall(r"\d+", re.sub(r"-?(rt-|cloud-)?(amd64|arm64)$", "", release)))


def _depends(fields: dict[str, str]) -> list[tuple[str, str | None]]:
    """First alternatives of Depends as (package, exact version or None)."""
    out = []
    for clause in fields.get("Depends", "").split(","):
        first = clause.split("|")[0].strip()
        match = re.match(r"^(\S+)(?:\s+\(=\s*([^)]+)\))?", first)
        if match:
            out.append((match.group(1).partition(":")[0], match.group(2)))
    return out


def _image_names(release: str) -> list[str]:
    """Signing lags behind: the unsigned image of the same build serves as well. Since 6.19 it has a new name."""
    names = [f"linux-image-{release}", f"linux-image-{release}-unsigned"]
    if release_key(release)[:2] >= (6, 19):
        names = [f"linux-binary-{release}", f"linux-binary-unsigned-{release}"]
    return names


def exact(apt: AptRoot, release: str) -> Kernel | None:
    """The kernel of one release, or None when image or headers cannot be had."""
    headers = apt.show(f"linux-headers-{release}")
    if headers is None:
        return None
    version = headers["Version"]
    for name in _image_names(release):
        image = apt.show(name)
        if image and image["Version"] == version:
            break
    else:
        return None
    wanted = [(f"linux-headers-{release}", version)]
    for name, pinned in _depends(headers):
        if name.startswith(("linux-headers-", "linux-kbuild-")):
            # kbuild's package name carries the series only: pin it to this very build.
            wanted.append((name, pinned or version))
    split = image["Package"].startswith("linux-binary-")
    modules = ((f"linux-modules-{release}", version), (f"linux-base-{release}", version)) if split else ()
    return Kernel(release, version, image["Package"], tuple(wanted), modules, apt.arch, apt.suites)


def newest_first(names: list[str], series: str, variant: str, arch: str) -> list[str]:
    """The releases of a series among header packages."""
    start = r"\d+\.\d+" if series == "newest" else re.escape(series)
    middle = f"{variant}-" if variant else ""
    # A digit after the series: linux-headers-6.12-amd64 is a metapackage.
    pattern = re.compile(rf"^linux-headers-({start}\.\d[0-9a-z.+~-]*?-{middle}{arch})$")
    releases = []
    for name in names:
        match = pattern.match(name)
        if match and (variant or not re.search(r"-(cloud|rt)-\w+$", name)):
            releases.append(match.group(1))
    return sorted(releases, key=release_key, reverse=True)


def _resolve(apt: AptRoot, row: Row, usable) -> Kernel:
    """The first candidate that `usable` accepts; it raises HarnessError when something cannot be fetched."""
    if row.release:
        kernel = exact(apt, row.release)
        if kernel is None:
            raise UsageError(f"-k {row.name}: no such kernel with headers in {', '.join(row.suites)}.")
        usable(kernel)
        return kernel
    trouble = None
    prefix = "linux-headers-" if row.series == "newest" else f"linux-headers-{row.series}"
    for release in newest_first(apt.names(prefix), row.series, row.variant, row.arch)[:CANDIDATES]:
        kernel = exact(apt, release)
        if kernel is None:
            continue
        try:
            usable(kernel)
        except HarnessError as error:
            say.warn(f"{kernel} cannot be had ({error}); trying an older one")
            trouble = error
            continue
        return kernel
    if trouble:
        raise HarnessError(f"no kernel of row {row.name} could be fetched: {trouble}")
    what = " ".join(word for word in ("linux", row.series, row.variant, row.arch) if word)
    raise HarnessError(f"{', '.join(row.suites)} have no {what} image together with its headers.")


def _remembered(memory) -> Kernel | None:
    if not memory.exists():
        return None
    try:
        data = json.loads(memory.read_text())
        for key in ("headers", "modules"):
            data[key] = tuple(tuple(pair) for pair in data[key])
        data["suites"] = tuple(data["suites"])
        return Kernel(**data)
    except (ValueError, KeyError, TypeError):
        return None  # written by another version


def resolve(row: Row, offline: bool, usable) -> Kernel:
    """Turns a row into an exact kernel; remembered as long as the package lists are fresh.

    `usable(kernel)` fetches what is needed; what it refuses is not the answer.
    """
    memory = paths.cache("resolved") / f"{row.name}-{row.variant or 'generic'}-{row.arch}.json"
    known = _remembered(memory)
    if known and (offline or time.time() - memory.stat().st_mtime < LISTS_MAX_AGE):
        try:
            usable(known)
            return known
        except HarnessError as error:
            if offline:
                raise
            say.warn(f"{known}: {error}")
    try:
        apt = AptRoot(offline, row.suites, row.arch)
        with paths.locked(f"apt-{apt.name}"):
            apt.refresh()
        kernel = _resolve(apt, row, usable)
    except HarnessError as error:
        if known is None:
            raise
        say.warn(f"using the kernel resolved earlier, {known}, because {error}")
        usable(known)
        return known
    paths.publish_file(memory, json.dumps(asdict(kernel), indent=1).encode())
    return kernel
