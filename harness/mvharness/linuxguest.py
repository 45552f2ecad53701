# SPDX-License-Identifier: MIT
"""A Debian kernel as mvmm's guest: its bzImage or Image, an initrd with busybox, the kernel's virtio modules and a script, and a root on a disk."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from . import crossroot, deb, initramfs, kerneltree, paths, rows
from .aptroot import AptRoot
from .cpio import Cpio
from .errors import HarnessError
from .modules import ModuleIndex

DEVICES = ("virtio_blk", "virtio_console", "virtio_rng")
TRANSPORT = {"amd64": "virtio_pci", "arm64": "virtio_mmio"}

# A command that fails ends the script, and the kernel panics of it; the last word comes only if all went well.
PREAMBLE = """#!/bin/sh
set -e
export PATH=/bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
for m in @MODULES@; do insmod /mod/$m.ko; done
"""


def tree(row: str, offline: bool = False) -> kerneltree.KernelTree:
    return kerneltree.obtain(rows.select(rows.load(), [row])[0], offline)


def image(kernel: kerneltree.KernelTree) -> Path:
    for place in ("boot", f"usr/lib/modules/{kernel.kernel.release}"):
        for name in (f"vmlinuz-{kernel.kernel.release}", "vmlinuz"):
            if (kernel.root / place / name).exists():
                return kernel.root / place / name
    raise HarnessError(f"kernel {kernel.kernel} has no vmlinuz.")


def busybox_of(arch: str, offline: bool = False) -> Path:
    """Debian's static busybox for the guest's architecture: the machine's own, or one fetched into the cache."""
    if arch == "amd64":
        found = shutil.which("busybox")
        if found is None:
            raise HarnessError("no busybox is installed; run scripts/setup.")
        return Path(found)
    apt = AptRoot(offline, crossroot.SUITES, arch)
    with paths.locked(f"apt-{apt.name}"):
        apt.refresh()
        fields = apt.show("busybox-static")
        if fields is None:
            raise HarnessError(f"{crossroot.SUITES[0]} has no busybox-static for {arch}.")
        final = paths.cache("cross") / f"busybox-{arch}-{fields['Version'].replace(':', '.')}"
        if not final.exists():
            file = apt.download("busybox-static", fields["Version"])
            with paths.published(final) as work:
                deb.unpack(file, work)
    return next(p for p in (final / "bin/busybox", final / "usr/bin/busybox") if p.exists())


def applets() -> list[str]:
    """Of the machine's own busybox: the other architecture's is of the same release."""
    return subprocess.run([busybox_of("amd64"), "--list"], capture_output=True, text=True, check=True).stdout.split()


def root_image(file: Path, arch: str, script: str, files: dict[str, bytes], size: int):
    """An ext4 file system whose /sbin/init is the script, with busybox and the files."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for directory in ("bin", "dev", "proc", "sbin", "sys", "tmp"):
            (root / directory).mkdir()
        shutil.copy(busybox_of(arch), root / "bin/busybox")
        for applet in applets():
            if applet != "busybox":
                (root / "bin" / applet).symlink_to("busybox")
        (root / "sbin/init").write_text(PREAMBLE.replace("@MODULES@", "").replace("mount -t devtmpfs d /dev", ":") + script)
        (root / "sbin/init").chmod(0o755)
        for path, content in files.items():
            (root / path).write_bytes(content)
        done = subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, "-E", "root_owner=0:0", file, f"{size >> 10}k"],
                              capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(f"mke2fs cannot make {file}: {done.stderr.strip()}")


def initrd(kernel: kerneltree.KernelTree, script: str, modules: tuple[str, ...] | None = None, programs: tuple[Path, ...] = ()) -> bytes:
    arch = kernel.kernel.arch
    index = ModuleIndex(kernel)
    order = index.closure((TRANSPORT[arch], *DEVICES) if modules is None else modules)
    archive = Cpio()
    for directory in ("dev", "proc", "sys", "tmp"):
        archive.directory(directory)
    archive.device("dev/console", 5, 1)
    archive.file("bin/busybox", busybox_of(arch).read_bytes(), 0o755)
    for applet in applets():
        archive.symlink(f"bin/{applet}", "busybox")
    for program in programs:
        archive.file(f"bin/{program.stem}", initramfs.compile_static(program, arch).read_bytes(), 0o755)
    for name in order:
        archive.file(f"mod/{name}.ko", index.read(name))
    archive.file("init", (PREAMBLE.replace("@MODULES@", " ".join(order)) + script).encode(), 0o755)
    return archive.finish()
