# SPDX-License-Identifier: MIT
"""Kernels built from Debian's linux-source: User Mode Linux, and flavors with sanitizers. Cached by exact version."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import deb, flavors, marks, paths, qemu, say
from .aptroot import AptRoot
from .errors import HarnessError
from .kernels import Kernel
from .rows import Row

COMPILER = "gcc-12"
BOOT = {"um": Path("linux"), "amd64": Path("arch/x86/boot/bzImage")}
MAKE_ARCH = {"um": "um", "amd64": "x86_64"}
# A third of the unpacked source drives hardware that no guest here has; Kconfig and Kbuild files must stay.
UNWANTED = ("drivers/gpu/drm/amd/include", "drivers/net/ethernet", "drivers/net/wireless", "drivers/media", "sound",
            "arch/arm/boot/dts", "arch/arm64/boot/dts", "Documentation", "tools/testing", "tools/perf")
OPTION = re.compile(r"^(?:# )?(CONFIG_\w+)(?:=(.*)| is not set)$")
MATTERS = ("vmlinux", ".config", "Makefile", "Module.symvers", "include/generated/autoconf.h", "scripts/mod/modpost")
ROOM = 3 << 30  # bytes: the unpacked source and one build
DONT_CARE = "?"
NOT_SET = "n"
MAY_BE_MISSING = re.compile(r"^# Not in every kernel\b.*\n(CONFIG_\w+)=", re.M)


def read_config(text: str) -> dict[str, str]:
    """Options of a .config or a fragment; one that is not set is 'n'."""
    found = (OPTION.match(line.strip()) for line in text.splitlines())
    return {m[1]: m[2] if m[2] is not None else NOT_SET for m in found if m}


def wanted_options(files: list[Path]) -> dict[str, str]:
    out: dict[str, str] = {}
    for file in files:
        out |= read_config(file.read_text())
    return {name: value for name, value in out.items() if value != DONT_CARE}


def merge(start: str, wanted: dict[str, str]) -> str:
    """A .config for olddefconfig: `start` with the wanted options instead of its own."""
    kept = [line for line in start.splitlines() if not ((m := OPTION.match(line)) and m[1] in wanted)]
    return "\n".join([*kept, *(f"# {k} is not set" if v == NOT_SET else f"{k}={v}" for k, v in wanted.items())]) + "\n"


def may_be_missing(files: list[Path]) -> set[str]:
    """The options below a line that says so: some kernels have the thing without the option."""
    return {name for file in files for name in MAY_BE_MISSING.findall(file.read_text())}


def missing(config: str, wanted: dict[str, str]) -> list[str]:
    """What was asked for and is not in the configuration that came out."""
    have = read_config(config)
    return [f"{name}={value}" for name, value in wanted.items() if have.get(name, NOT_SET) != value]


def _source_tree(package: str, version: str, file: Path) -> Path:
    """The unpacked source, cached by version."""
    final = paths.cache("source") / f"{package}_{version}"
    if not final.exists():
        with paths.locked(f"source-{package}"):
            if not final.exists():
                _unpack_source(f"{package} {version}", file, final)
    return final


def _unpack_source(name: str, file: Path, final: Path) -> None:
    paths.remove_leftovers(final)
    with paths.published(final) as work:
        say.note(f"unpacking {name}")
        deb.unpack(file, work)
        archive = next(work.glob("usr/src/linux-source-*.tar.xz"))
        excludes = [f"--exclude=*/{sub}/*.{suffix}" for sub in UNWANTED for suffix in ("c", "h", "dts", "dtsi", "rst")]
        done = qemu.run(["tar", "-x", "-f", str(archive), "-C", str(work), "--strip-components=1", *excludes])
        archive.unlink()
        if done.returncode:
            said = done.stdout.strip().splitlines()
            raise HarnessError(f"{archive.name} could not be unpacked: {said[-1] if said else 'no message'}")


def resolve(row: Row, offline: bool, usable) -> Kernel:
    """The newest linux-source of the row's series, as a kernel that is not built yet."""
    arch = "um" if row.kind == "uml" else row.arch
    flavors.fragments(arch, row.flavor)
    apt = AptRoot(offline, row.suites, "amd64")
    with paths.locked(f"apt-{apt.name}"):
        apt.refresh()
    series = row.series
    if series == "newest":
        found = [n.removeprefix("linux-source-") for n in apt.names("linux-source-") if re.match(r"linux-source-\d", n)]
        series = max(found, key=lambda s: [int(x) for x in re.findall(r"\d+", s)], default="")
    fields = apt.show(f"linux-source-{series}") if series else None
    if fields is None:
        raise HarnessError(f"{', '.join(row.suites)} have no linux-source of series {row.series}.")
    kernel = Kernel(f"{series}-{arch}", fields["Version"], f"linux-source-{series}", (), (), arch, row.suites,
                    row.flavor or "plain")
    usable(kernel)
    return kernel


def _key(kernel: Kernel, files: list[Path]) -> str:
    said = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    digest = hashlib.sha256(repr((said, sorted(wanted_options(files).items()))).encode())
    return f"{kernel.release}_{kernel.version}_{kernel.flavor.replace(',', '+')}_{digest.hexdigest()[:8]}"


def _make(source: Path, out: Path, arch: str, *targets: str) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH")}
    env |= {"LC_ALL": "C", "KBUILD_BUILD_TIMESTAMP": "1970-01-01", "KBUILD_BUILD_USER": "mockvisor",
            "KBUILD_BUILD_HOST": "mockvisor"}
    return qemu.run(["nice", "make", "-s", f"-j{os.cpu_count() or 1}", "-C", str(source), f"O={out}",
                     f"ARCH={MAKE_ARCH[arch]}", f"CC={COMPILER}", f"HOSTCC={COMPILER}", *targets], env=env)


def _must(done: subprocess.CompletedProcess, what: str, log: Path) -> None:
    with open(log, "a", encoding="utf-8") as out:
        out.write(done.stdout)
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if re.search(r"\b(error|Error)\b", line)]
        raise HarnessError(f"{what} failed: {errors[0] if errors else 'no message'}", str(log))


def configure(source: Path, out: Path, arch: str, files: list[Path], log: Path) -> None:
    _must(_make(source, out, arch, "tinyconfig"), "make tinyconfig", log)
    config = out / ".config"
    wanted = wanted_options(files)
    config.write_text(merge(config.read_text(), wanted))
    _must(_make(source, out, arch, "olddefconfig"), "make olddefconfig", log)
    spared = may_be_missing(files)
    lost = missing(config.read_text(), {name: value for name, value in wanted.items() if name not in spared})
    if lost:
        # without them the kernel would find less than its name promises
        raise HarnessError(f"this kernel's configuration has no {', '.join(lost)}", str(log))


def _need_room(out: Path) -> None:
    """A compiler that meets a full disk says so in the middle of a long log."""
    free = shutil.disk_usage(out.parent).free
    if free < ROOM:
        raise HarnessError(f"building a kernel needs {ROOM >> 20} MiB and {out.parent} has {free >> 20} MiB free: "
                           "No space left for it; set XDG_CACHE_HOME to a larger disk.")


def prepare(kernel: Kernel, offline: bool) -> Path:
    """The build directory of a kernel, built unless it was before. `complete` is written last: without it, or where it
    does not fit, a directory is not trusted but made anew."""
    files = flavors.fragments(kernel.arch, "" if kernel.flavor == "plain" else kernel.flavor)
    out = paths.cache("own") / _key(kernel, files)
    matters = (str(BOOT[kernel.arch]), *MATTERS)
    if marks.fits(out / "complete", matters):
        return out
    with paths.locked(f"own-{out.name}"):
        if marks.fits(out / "complete", matters):
            return out
        _need_room(out)
        apt = AptRoot(offline, kernel.suites, "amd64")
        with paths.locked(f"apt-{apt.name}"):
            file = apt.download(kernel.image, kernel.version)
        source = _source_tree(kernel.image, kernel.version, file)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        say.note(f"building {kernel}: this takes minutes, once")
        log = out / "build.log"
        configure(source, out, kernel.arch, files, log)
        targets = (BOOT[kernel.arch].name, "modules")
        _must(_make(source, out, kernel.arch, *targets), f"building {kernel}", log)
        marks.write(out / "complete", matters)
    return out
