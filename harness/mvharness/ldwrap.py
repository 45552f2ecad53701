# SPDX-License-Identifier: MIT
"""Lets a newer Debian's build tools (modpost, objtool) run here: each is started by that Debian's own dynamic loader."""

import os
import re
from pathlib import Path

from . import deb, paths, say
from .aptroot import AptRoot

RUNTIME = ("libc6", "libelf1t64", "zlib1g", "libzstd1", "libssl3t64", "libgcc-s1")
RUNTIME_SUITES = ("trixie",)
SYMBOL_VERSION = re.compile(rb"\0GLIBC_(\d+)\.(\d+)(?=\0)")
WRAPPER = """#!/bin/sh
exec {root}/lib/ld-linux-x86-64.so.2 --library-path {root}/lib --argv0 "$0" "$0.elf" "$@"
"""


def host_glibc() -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", os.confstr("CS_GNU_LIBC_VERSION") or "0"))


def needs(program: Path) -> tuple[int, ...]:
    """The glibc that a program asks for; (0,) for what is no ELF program."""
    with open(program, "rb") as handle:
        if handle.read(4) != b"\x7fELF":
            return (0,)
        data = handle.read()
    return max((tuple(int(n) for n in m) for m in SYMBOL_VERSION.findall(data)), default=(0,))


def too_new(root: Path) -> list[Path]:
    """Programs of a kernel's build tools that this machine's C library cannot run."""
    have = host_glibc()
    found = []
    for top in root.glob("usr/lib/linux-kbuild-*"):
        for path in top.rglob("*"):
            if path.is_file() and not path.is_symlink() and os.access(path, os.X_OK) and needs(path) > have:
                found.append(path)
    return found


def runtime(offline: bool) -> Path:
    """The newer C library and what the tools link with, cached."""
    final = paths.cache("ldwrap") / "+".join(RUNTIME_SUITES)
    if final.exists():
        return final
    with paths.locked("ldwrap"):
        if final.exists():
            return final
        apt = AptRoot(offline, RUNTIME_SUITES)
        with paths.locked(f"apt-{apt.name}"):
            apt.refresh()
            files = []
            for name in RUNTIME:
                fields = apt.show(name)
                if fields:
                    files.append(apt.download(name, fields["Version"]))
        with paths.published(final) as work:
            for file in files:
                deb.unpack(file, work)
            (work / "lib").mkdir(exist_ok=True)
            for library in list(work.glob("usr/lib/x86_64-linux-gnu/*.so*")):
                target = work / "lib" / library.name
                if not target.exists():
                    target.symlink_to(os.path.relpath(library, target.parent))
    return final


def wrap(root: Path, offline: bool) -> None:
    programs = too_new(root)
    if not programs:
        return
    say.note(f"{len(programs)} build tools need a newer C library; they get Debian {RUNTIME_SUITES[0]}'s")
    script = WRAPPER.format(root=runtime(offline))
    for path in programs:
        path.rename(path.with_name(path.name + ".elf"))
        path.write_text(script)
        path.chmod(0o755)
