# SPDX-License-Identifier: MIT
"""Boots a guest once, without a terminal, and collects what it left behind."""

import contextlib
import os
import subprocess
from pathlib import Path

from . import debugger, frames, machines, qemu, say
from .kerneltree import KernelTree
from .verdict import BootRecord

# From QEMU's start to PID 1's first word: 3 s when idle, much more on a busy machine.
BOOT_SECONDS = 60
KVM_UP_SECONDS = 20
NO_REBOOT = "uml-no-reboot"  # no such program


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace").replace("\r\n", "\n") if path.exists() else ""


def collect(run: Path, status: int | None, limit: float, clean: int = qemu.CLEAN_EXIT) -> BootRecord:
    stream = (run / "files.bin").read_bytes() if (run / "files.bin").exists() else b""
    files = frames.parse(stream)
    frames.unpack(stream, run / "results")
    (run / "files.bin").unlink(missing_ok=True)
    kmsg = files.get("kmsg.log", b"").decode("utf-8", "replace")
    return BootRecord(status, _text(run / "verdict.log"), _text(run / "console.log"), kmsg,
                      _text(run / "output.log"), files, limit, clean)


def boot(tree: KernelTree, archive: bytes, run: Path, accel: str, limit: float, fall_back: bool = False,
         watch: debugger.Watch | None = None, shape: machines.Shape = machines.Shape()) -> BootRecord:
    """Runs the guest to its end or for `limit` seconds; with a debugger's `watch`, for as long as it takes.

    With `fall_back`, a guest that says nothing under KVM is started again under TCG: some hosts run the probe's nine
    bytes but no kernel.
    """
    initrd = run / "initramfs.cpio"
    try:
        initrd.write_bytes(archive)
        if watch:
            return _once(tree, initrd, run, accel, limit, watch=watch, shape=shape)
        if accel == "kvm" and fall_back:
            record = _once(tree, initrd, run, "kvm", KVM_UP_SECONDS, until_up=True, then=limit, shape=shape)
            if "up" in record.verdict.splitlines():
                return record
            say.warn(f"no word from the guest within {KVM_UP_SECONDS} s under KVM; using TCG")
            accel = "tcg"
        return _once(tree, initrd, run, accel, limit, shape=shape)
    finally:
        initrd.unlink(missing_ok=True)


def _once(tree: KernelTree, initrd: Path, run: Path, accel: str, limit: float, until_up: bool = False,
          then: float = 0, watch: debugger.Watch | None = None, shape: machines.Shape = machines.Shape()) -> BootRecord:
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(open(run / "qemu.err", "wb"))
        process = _start(tree, initrd, run, accel, errors, stack, stack.enter_context(watch.devices()) if watch else [], shape)
        try:
            tick = (lambda: _is_up(run)) if until_up else watch
            ended = qemu.wait(process, None if watch else limit, tick)
            if not ended and until_up and _is_up(run):
                limit = then
                ended = qemu.wait(process, limit)
        finally:
            qemu.stop(process)
    if os.path.getsize(run / "qemu.err"):
        say.warn("the guest's process: " + _text(run / "qemu.err").strip().splitlines()[-1])
    return collect(run, process.returncode if ended else None, limit, machines.clean_exit(tree))


def _start(tree: KernelTree, initrd: Path, run: Path, accel: str, errors, stack: contextlib.ExitStack, more: list[str],
           shape: machines.Shape):
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": errors, "env": qemu.environment()}
    if tree.arch == "um":
        files = {name: stack.enter_context(open(run / file, "wb", buffering=0))
                 for name, file in (("verdict", "verdict.log"), ("output", "output.log"), ("files", "files.bin"))}
        channels = {name: file.fileno() for name, file in files.items()}
        argv = machines.uml(tree.boot, initrd, run, channels)
        options["stdout"] = stack.enter_context(open(run / "console.log", "wb", buffering=0))
        options["pass_fds"] = tuple(channels.values())
        (run / "uml").mkdir()
        # It makes its memory a file there, and needs a home even so.
        options["env"] |= {"HOME": str(run)}
        # A reboot starts the program anew by its first word; the guest of a suite ends instead, as with -no-reboot.
        options["executable"], argv[0] = argv[0], NO_REBOOT
    else:
        argv = machines.command_line(tree, accel, initrd, run, [*machines.console_to_file(run), *more], shape)
    (run / "qemu.txt").write_text(" ".join(argv) + "\n")
    process = qemu.start(argv, **options)
    if tree.arch == "um":
        stack.enter_context(qemu.group_dies_with_us(process))
    return process


def _is_up(run: Path) -> bool:
    return _text(run / "verdict.log").startswith("up")
