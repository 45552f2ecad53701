# SPDX-License-Identifier: MIT
"""Boots a guest once, without a terminal, and collects what it left behind."""

import os
import subprocess
from pathlib import Path

from . import frames, qemu, say
from .kerneltree import KernelTree
from .verdict import BootRecord

# From QEMU's start to PID 1's first word: 3 s when idle, much more on a busy machine.
BOOT_SECONDS = 60
KVM_UP_SECONDS = 20


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace").replace("\r\n", "\n") if path.exists() else ""


def collect(run: Path, status: int | None, limit: float) -> BootRecord:
    stream = (run / "files.bin").read_bytes() if (run / "files.bin").exists() else b""
    files = frames.parse(stream)
    frames.unpack(stream, run / "results")
    (run / "files.bin").unlink(missing_ok=True)
    kmsg = files.get("kmsg.log", b"").decode("utf-8", "replace")
    return BootRecord(status, _text(run / "verdict.log"), _text(run / "console.log"), kmsg,
                      _text(run / "output.log"), files, limit)


def boot(tree: KernelTree, archive: bytes, run: Path, accel: str, limit: float, fall_back: bool = False) -> BootRecord:
    """Runs the guest to its end or for `limit` seconds.

    With `fall_back`, a guest that says nothing under KVM is started again under TCG: some hosts run the probe's nine
    bytes but no kernel.
    """
    initrd = run / "initramfs.cpio"
    initrd.write_bytes(archive)
    try:
        if accel == "kvm" and fall_back:
            record = _once(tree, initrd, run, "kvm", KVM_UP_SECONDS, until_up=True, then=limit)
            if "up" in record.verdict.splitlines():
                return record
            say.warn(f"no word from the guest within {KVM_UP_SECONDS} s under KVM; using TCG")
            accel = "tcg"
        return _once(tree, initrd, run, accel, limit)
    finally:
        initrd.unlink(missing_ok=True)


def _once(tree: KernelTree, initrd: Path, run: Path, accel: str, limit: float, until_up: bool = False,
          then: float = 0) -> BootRecord:
    argv = qemu.command_line(accel, tree.boot, initrd, run, extra=qemu.console_to_file(run))
    (run / "qemu.txt").write_text(" ".join(argv) + "\n")
    with open(run / "qemu.err", "wb") as errors:
        process = qemu.start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                             env=qemu.environment())
        try:
            ended = qemu.wait(process, limit, (lambda: _is_up(run)) if until_up else None)
            if not ended and until_up and _is_up(run):
                limit = then
                ended = qemu.wait(process, limit)
        finally:
            qemu.stop(process)
    if os.path.getsize(run / "qemu.err"):
        say.warn("QEMU: " + _text(run / "qemu.err").strip().splitlines()[-1])
    return collect(run, process.returncode if ended else None, limit)


def _is_up(run: Path) -> bool:
    return _text(run / "verdict.log").startswith("up")
