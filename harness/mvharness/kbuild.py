# SPDX-License-Identifier: MIT
"""Builds mockvisor.ko for one kernel in a scratch copy, so that the repository stays clean."""

import filecmp
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from . import paths, qemu, say
from .errors import HarnessError, UsageError
from .kerneltree import KernelTree

SOURCES = ("Kbuild", "kmod", "uapi")
MODES = {
    "normal": (),
    "w1": ("W=1",),
    "sparse": ("C=2", "CHECK=sparse"),
}
STEP = re.compile(r"^\s+(?P<what>CC|CHECK|AS)(?: \[M\])?\s+(?P<file>\S+)$")
COMPLAINT = re.compile(r"(?P<file>[^\s:]+?):(?:\d+:)*\s*(?P<kind>warning|error)\b|^(?P<modpost>WARNING|ERROR): modpost")


@dataclass
class BuildResult:
    ok: bool
    log: Path
    module: Path | None
    compiled: list[str] = field(default_factory=list)  # what this run compiled or checked
    complaints: list[str] = field(default_factory=list)  # warnings and errors from our own files


def sync(source: Path, scratch: Path, names=SOURCES) -> bool:
    """Makes scratch hold the sources, and tells whether something changed. Files that did not change keep their times,
    so make compiles what changed and no more."""
    wanted, changed = set(), False
    for name in names:
        top = source / name
        if not top.exists():
            continue
        files = [top] if top.is_file() else [p for p in top.rglob("*") if p.is_file()]
        for path in files:
            relative = path.relative_to(source)
            wanted.add(str(relative))
            target = scratch / relative
            if target.exists() and filecmp.cmp(path, target, shallow=False):
                continue
            changed = True
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
            # An older file that replaces a newer one must still look changed to make.
            os.utime(target)
    manifest = scratch / ".sources"
    before = set(manifest.read_text().splitlines()) if manifest.exists() else set()
    for gone in before - wanted:
        (scratch / gone).unlink(missing_ok=True)
    manifest.write_text("\n".join(sorted(wanted)) + "\n")
    return changed or before != wanted


def read_log(text: str, scratch: Path) -> tuple[list[str], list[str]]:
    """The files a build compiled, and the lines in which it complains about ours (kernel headers are not ours)."""
    compiled, complaints = [], []
    for line in text.splitlines():
        step = STEP.match(line)
        if step:
            name = step["file"].removeprefix(f"{scratch}/")
            if not name.endswith(".mod.o"):
                compiled.append(name)
            continue
        found = COMPLAINT.search(line)
        if not found:
            continue
        if found["modpost"] or found["file"].startswith(str(scratch)):
            complaints.append(line.replace(f"{scratch}/", ""))
    return compiled, complaints


def _ages(headers: Path) -> list[str]:
    """What changes when a kernel is configured or built anew."""
    files = (headers / name for name in (".config", "Module.symvers", "include/generated/autoconf.h"))
    return [str(file.stat().st_mtime_ns) for file in files if file.exists()]


def _stamp(words: str, modules: list[Path]) -> str:
    """Of which sources and commands the modules are, and how long."""
    return " ".join([words, *(str(module.stat().st_size) for module in modules)])


def _make_var(tree: KernelTree, name: str) -> str:
    """What make is told; empty if it is told nothing."""
    return next((v.removeprefix(f"{name}=") for v in tree.make_vars if v.startswith(f"{name}=")), "")


def check_source(source: Path) -> None:
    if not (source / "Kbuild").exists():
        raise UsageError(f"{source}/Kbuild does not exist; the module's Kbuild belongs at the top of the tree.")


def build(tree: KernelTree, mode: str = "normal", source: Path | None = None,
          ahead: bool = False) -> BuildResult:
    """Builds in the given mode. W=1 always compiles everything: warnings show only for what is compiled. Sparse looks at
    every source, too, beside the objects of a normal build.

    `ahead`: a guest is running meanwhile, and goes first.
    """
    place = "normal" if mode == "sparse" else mode
    if mode == "sparse":
        before = build(tree, "normal", source, ahead)
        if not before.ok:
            return before
    source = source or paths.REPO
    check_source(source)
    compiler = _make_var(tree, "CC")
    if shutil.which(compiler) is None:
        raise HarnessError(f"{compiler} is not installed; run scripts/setup.")
    names = SOURCES if source == paths.REPO else tuple(p.name for p in source.iterdir() if p.name[0] != ".")
    owner = paths.path_id(source)
    with paths.locked(f"build-{owner}-{tree.kernel.id}-{place}"):
        scratch = paths.cache("build", owner, tree.kernel.id, place)
        if place != "normal":
            shutil.rmtree(scratch)
            scratch.mkdir()
        jobs = os.cpu_count() or 1
        argv = ["make", f"-j{jobs}", "-C", str(tree.headers), f"M={scratch}", *tree.make_vars, *MODES[mode], "modules"]
        # Even a make that has nothing to do takes seconds; this file says that the module is of these very sources.
        # make takes KCFLAGS from the environment.
        stamp, words = scratch / ".built", " ".join([*argv, os.environ.get("KCFLAGS", ""), *_ages(tree.headers)])
        known = stamp.read_text() if stamp.exists() else ""
        stamp.unlink(missing_ok=True)
        changed = sync(source, scratch, names)
        modules = sorted(scratch.glob("*.ko"))
        if mode != "sparse" and not changed and modules and known == _stamp(words, modules):
            stamp.write_text(known)
            return BuildResult(True, scratch / "build.log", modules[0])
        if mode != "sparse":
            # half a module that a kill left looks new to make
            for module in modules:
                module.unlink()
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH")}
        env["LC_ALL"] = "C"
        done = qemu.run(["nice", *argv] if ahead else argv, env=env)
        log = scratch / ("sparse.log" if mode == "sparse" else "build.log")
        log.write_text(done.stdout)
        compiled, complaints = read_log(done.stdout, scratch)
        if mode == "sparse":
            compiled = [name for name in compiled if not name.endswith(".o")]
        modules = sorted(scratch.glob("*.ko"))
        if done.returncode == 0 and not modules:
            complaints.append("the build ended well but made no .ko: Kbuild names no obj-m")
        ok = done.returncode == 0 and bool(modules) and not (mode != "normal" and complaints)
        if mode == "sparse" and known and not changed:
            stamp.write_text(known)
        elif ok and not complaints and mode != "sparse":
            stamp.write_text(_stamp(words, modules))
        return BuildResult(ok, log, modules[0] if modules else None, compiled, complaints)


def why_it_failed(log: str) -> str:
    """The first error with what leads to it; the end of the log if nothing there looks like one."""
    lines = log.splitlines()
    at = next((n for n, line in enumerate(lines) if re.search(r"\berror: |\bERROR: |undefined!", line)), None)
    return "\n".join(lines[-8:] if at is None else lines[max(0, at - 2):at + 2])


def build_or_die(tree: KernelTree, source: Path | None = None) -> Path:
    """The module, or a HarnessError that shows what the compiler said."""
    result = build(tree, source=source)
    for line in result.complaints:
        say.warn(line)
    if not result.ok or result.module is None:
        if not result.complaints:
            say.warn("\n# ".join(why_it_failed(result.log.read_text()).splitlines()))
        raise HarnessError(f"the module does not build for {tree.kernel}", str(result.log))
    return result.module


def lean(module: Path, tree: KernelTree) -> bytes:
    """The module as a guest gets it: nine tenths of the file are for a debugger, and the guest's kernel would copy them
    twice."""
    strip = _make_var(tree, "CROSS_COMPILE") + "strip"
    made, work = module.with_suffix(".lean"), module.with_suffix(".lean.part")
    with paths.locked(f"lean-{paths.path_id(module)}"):
        if not made.exists() or made.stat().st_mtime_ns <= module.stat().st_mtime_ns:
            done = qemu.run([strip, "--strip-debug", "-o", str(work), str(module)])
            if done.returncode:
                work.unlink(missing_ok=True)
                raise HarnessError(f"{strip} cannot read {module}: {done.stdout.strip()}")
            # whole or not at all: whoever kills us here must not leave half a module that looks new
            work.rename(made)
        return made.read_bytes()
