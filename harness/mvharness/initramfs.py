# SPDX-License-Identifier: MIT
"""Puts PID 1, the module and the suites' programs into one archive."""

import hashlib
import os
import shutil
import subprocess
import threading
from pathlib import Path

from . import elfdeps, paths
from .cpio import Cpio
from .errors import HarnessError

INIT_SOURCE = paths.HARNESS / "init" / "init.c"
STATIC_FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-static")


def compile_static(source: Path, arch: str = "amd64", flags: tuple[str, ...] = ()) -> Path:
    """A static program from one C file, compiled once per content."""
    names = ("aarch64-linux-gnu-gcc-12", "aarch64-linux-gnu-gcc") if arch == "arm64" else ("gcc-12", "gcc", "cc")
    compiler = next((found for found in map(shutil.which, names) if found), None)
    if compiler is None:
        raise HarnessError(f"no C compiler for {arch} is installed; run scripts/setup.")
    flags = (*STATIC_FLAGS, *flags)
    headers = b"".join(p.read_bytes() for p in sorted((paths.REPO / "uapi").rglob("*.h")))
    key = hashlib.sha256(source.read_bytes() + headers + " ".join((Path(compiler).name, *flags)).encode()).hexdigest()[:16]
    target = paths.cache("init") / f"{source.stem}-{key}"
    if target.exists():
        return target
    work = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    done = subprocess.run([compiler, *flags, "-o", work, source], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(f"{source} does not compile: {done.stderr.strip()}")
    work.rename(target)
    return target


def build_init(arch: str = "amd64") -> Path:
    """PID 1."""
    return compile_static(INIT_SOURCE, arch)


def base(arch: str = "amd64") -> Cpio:
    """The archive with PID 1 and the devices it needs before devtmpfs is mounted."""
    archive = Cpio()
    for directory in ("dev", "proc", "sys", "tmp", "run", "mv", "mv/mod", "mv/out", "mv/root", "host"):
        archive.directory(directory)
    archive.device("dev/console", 5, 1)
    archive.file("init", build_init(arch).read_bytes(), 0o755)
    busybox = Path("/bin/busybox") if Path("/bin/busybox").exists() else Path("/usr/bin/busybox")
    if busybox.exists() and arch != "arm64":
        archive.file("bin/busybox", busybox.read_bytes(), 0o755)
        archive.symlink("bin/sh", "busybox")
    return archive


def add_program(archive: Cpio, program: Path) -> None:
    """Copies a program and its libraries to the paths they have on the host."""
    found, missing = elfdeps.libraries(program) if elfdeps.is_program(program) else ([], [])
    if missing:
        raise HarnessError(f"{program} needs {', '.join(missing)}, which this machine does not have.")
    add_file(archive, program)
    for library in found:
        add_file(archive, library)


def add_file(archive: Cpio, path: Path) -> None:
    mode = 0o755 if os.access(path, os.X_OK) else 0o644
    archive.file(str(path.absolute()), elfdeps.loaded(path.read_bytes()), mode)
