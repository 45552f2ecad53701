# SPDX-License-Identifier: MIT
"""A kernel's packages unpacked side by side: bootable image, modules and headers to build against."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import paths, say, vmlinux
from .aptroot import AptRoot
from .errors import HarnessError
from .kernels import Kernel

# Two thirds of the image package drive hardware that no guest here has.
UNWANTED = ("drivers/gpu", "drivers/net", "drivers/media", "drivers/infiniband", "drivers/scsi", "drivers/usb",
            "drivers/staging", "drivers/iio", "drivers/hwmon", "drivers/input", "sound")


@dataclass(frozen=True)
class KernelTree:
    kernel: Kernel
    root: Path

    @property
    def boot(self) -> Path:
        """vmlinux when QEMU can start it directly, else vmlinuz."""
        direct = self.root / "vmlinux"
        return direct if direct.exists() else self.root / "boot" / f"vmlinuz-{self.kernel.release}"

    @property
    def headers(self) -> Path:
        return self.root / "usr/src" / f"linux-headers-{self.kernel.release}"


def _unpack(deb: Path, root: Path) -> None:
    excludes = [f"--exclude=./lib/modules/*/kernel/{sub}" for sub in UNWANTED]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as source:
        tar = subprocess.run(["tar", "-x", "-C", root, *excludes], stdin=source.stdout, check=False)
    if tar.returncode or source.returncode:
        raise HarnessError(f"{deb} could not be unpacked; delete it and run again.")


def _relocate_headers(root: Path, final: Path) -> None:
    """The only absolute paths in a header tree are those of its top Makefile."""
    for makefile in root.glob("usr/src/linux-headers-*/Makefile"):
        text = makefile.read_text()
        makefile.write_text(re.sub(r"(?<![\w/])/usr/src/", f"{final}/usr/src/", text))


def _write_vmlinux(root: Path, release: str) -> None:
    elf = vmlinux.extract((root / "boot" / f"vmlinuz-{release}").read_bytes())
    if elf and vmlinux.has_pvh_note(elf):
        (root / "vmlinux").write_bytes(elf)
    else:
        say.note("no directly bootable vmlinux inside this image; booting vmlinuz, which is slower")


def _index_modules(root: Path, release: str) -> None:
    """Debian ships no modules.dep."""
    done = subprocess.run(["depmod", "-b", root, release], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(f"depmod failed for {release}: {done.stderr.strip()}")


def prepare(kernel: Kernel, offline: bool = False) -> KernelTree:
    """Fetches and unpacks the kernel unless that was done before."""
    final = paths.cache("kernels") / kernel.id
    tree = KernelTree(kernel, final)
    if final.exists():
        return tree
    with paths.locked(f"kernel-{kernel.id}"):
        if final.exists():
            return tree
        with paths.locked("apt"):
            apt = AptRoot(offline)
            debs = [apt.download(name, version) for name, version in ((kernel.image, kernel.version), *kernel.headers)]
        say.note(f"unpacking {kernel}")
        with paths.published(final) as work:
            for deb in debs:
                _unpack(deb, work)
            _relocate_headers(work, final)
            _write_vmlinux(work, kernel.release)
            _index_modules(work, kernel.release)
    return tree
