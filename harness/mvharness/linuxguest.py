# SPDX-License-Identifier: MIT
"""A Debian kernel as mvmm's guest: its bzImage, and an initrd with busybox, the kernel's virtio modules and a script."""

import shutil
import subprocess
from pathlib import Path

from . import kerneltree, rows
from .cpio import Cpio
from .errors import HarnessError
from .modules import ModuleIndex

VIRTIO = ("virtio_pci", "virtio_blk", "virtio_console", "virtio_rng")

# A command that fails ends the script, and the kernel panics of it; the last word comes only if all went well.
PREAMBLE = """#!/bin/sh
set -e
export PATH=/bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
for m in @MODULES@; do insmod /mod/$m.ko; done
"""


def tree(row: str, offline: bool = False) -> kerneltree.KernelTree:
    return kerneltree.obtain(rows.select(rows.load(), [row])[0], offline)


def bzimage(kernel: kerneltree.KernelTree) -> Path:
    for place in ("boot", f"usr/lib/modules/{kernel.kernel.release}"):
        for name in (f"vmlinuz-{kernel.kernel.release}", "vmlinuz"):
            if (kernel.root / place / name).exists():
                return kernel.root / place / name
    raise HarnessError(f"kernel {kernel.kernel} has no vmlinuz.")


def initrd(kernel: kerneltree.KernelTree, script: str, modules: tuple[str, ...] = VIRTIO) -> bytes:
    busybox = shutil.which("busybox")
    if busybox is None:
        raise HarnessError("no busybox is installed; run scripts/setup.")
    index = ModuleIndex(kernel)
    order = index.closure(modules)
    archive = Cpio()
    for directory in ("dev", "proc", "sys", "tmp"):
        archive.directory(directory)
    archive.device("dev/console", 5, 1)
    archive.file("bin/busybox", Path(busybox).read_bytes(), 0o755)
    for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        archive.symlink(f"bin/{applet}", "busybox")
    for name in order:
        archive.file(f"mod/{name}.ko", index.read(name))
    archive.file("init", (PREAMBLE.replace("@MODULES@", " ".join(order)) + script).encode(), 0o755)
    return archive.finish()
