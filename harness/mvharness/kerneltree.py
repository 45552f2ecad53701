# SPDX-License-Identifier: MIT
"""A kernel ready to boot and to build modules for, wherever it came from."""

import gzip
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import deb, kernels, ldwrap, marks, ownkernel, paths, say, vmlinux
from .aptroot import AptRoot
from .errors import HarnessError, UsageError
from .kernels import Kernel
from .rows import BOOKWORM, Row

# Two thirds of the image package drive hardware that no guest here has.
UNWANTED = tuple(f"./{top}lib/modules/*/kernel/{sub}" for top in ("", "usr/") for sub in (
    "drivers/gpu", "drivers/net", "drivers/media", "drivers/infiniband", "drivers/scsi", "drivers/usb",
    "drivers/staging", "drivers/iio", "drivers/hwmon", "drivers/input", "sound"))
CROSS = "aarch64-linux-gnu-"
COMPILER = "gcc-12"
MARK = "complete"


@dataclass(frozen=True)
class KernelTree:
    kernel: Kernel
    root: Path
    boot: Path  # what QEMU starts, or the User Mode Linux program
    headers: Path  # for make -C
    arch: str = "amd64"  # amd64, arm64 or um: the machine to boot on

    @property
    def make_vars(self) -> tuple[str, ...]:
        """What make needs besides M=. Module BTF needs pahole and tells a test run nothing."""
        common: tuple[str, ...] = ("CONFIG_DEBUG_INFO_BTF_MODULES=",)
        if not _gcc_aligns_functions():
            common += ("CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=",)
        if self.kernel.flavor:
            # where the kernel has them, undefined behaviour and coverage are looked at in what asks for it only
            common += ("UBSAN_SANITIZE=y", "KCOV_INSTRUMENT=y")
            if self.arch == "arm64":
                return ("ARCH=arm64", f"CC={CROSS}{COMPILER}", f"CROSS_COMPILE={CROSS}", *common)
            return (f"ARCH={ownkernel.MAKE_ARCH[self.arch]}", f"CC={COMPILER}", *common)
        if self.arch == "arm64":
            return (*common, f"CC={CROSS}{COMPILER}", f"CROSS_COMPILE={CROSS}", "ARCH=arm64", "DEB_BUILD_ARCH=amd64",
                    "DEB_HOST_ARCH=arm64", "DEB_HOST_GNU_TYPE=aarch64-linux-gnu")
        return (f"CC={COMPILER}", *common)


def _gcc_aligns_functions() -> bool:
    """-fmin-function-alignment came with GCC 14; newer Debian kernels were configured with it."""
    return int(COMPILER.partition("-")[2] or 0) >= 14


def _relocate_headers(root: Path, final: Path) -> None:
    """The only absolute paths in a header tree are those of its top Makefile."""
    for makefile in root.glob("usr/src/linux-headers-*/Makefile"):
        text = makefile.read_text()
        makefile.write_text(re.sub(r"(?<![\w/])/usr/src/", f"{final}/usr/src/", text))


def _packed_image(root: Path, release: str) -> Path:
    for place in (f"boot/vmlinuz-{release}", f"usr/lib/modules/{release}/vmlinuz", f"lib/modules/{release}/vmlinuz"):
        for name in (place, place + ".unsigned"):
            if (root / name).exists():
                return root / name
    raise HarnessError(f"the packages of {release} hold no vmlinuz.")


def _write_bootable(root: Path, release: str, arch: str) -> None:
    """Unpacks the kernel once: under TCG the decompressor would be most of every boot."""
    packed = _packed_image(root, release)
    data = packed.read_bytes()
    if arch == "arm64":
        (root / "vmlinux").write_bytes(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
        return
    elf = vmlinux.extract(data)
    if elf and vmlinux.has_pvh_note(elf):
        (root / "vmlinux").write_bytes(elf)
    else:
        say.note("no directly bootable vmlinux inside this image; booting vmlinuz, which is slower")
        (root / "vmlinux").symlink_to(packed.relative_to(root))


def _index_modules(root: Path, release: str) -> None:
    """Debian ships no modules.dep."""
    if not (root / "lib").exists() and (root / "usr/lib/modules").exists():
        (root / "lib").symlink_to("usr/lib")
    if not (root / "lib/modules" / release / "kernel").exists():
        return
    done = subprocess.run(["depmod", "-b", root, release], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(f"depmod failed for {release}: {done.stderr.strip()}")


def _download(kernel: Kernel, offline: bool, packages) -> list[Path]:
    apt = AptRoot(offline, kernel.suites or BOOKWORM, kernel.arch)
    tools = AptRoot(offline, apt.suites, "amd64") if kernel.arch != "amd64" else apt
    out = []
    for name, version in packages:
        # Build tools run here, whatever they build for.
        root = tools if name.startswith("linux-kbuild-") else apt
        with paths.locked(f"apt-{root.name}"):
            root.refresh()
            out.append(root.download(name, version))
    return out


def _place(kernel: Kernel) -> Path:
    return paths.cache("kernels") / kernel.id


def _fetch(kernel: Kernel, offline: bool) -> None:
    """Everything of a kernel in the cache of packages, or HarnessError."""
    if not _is_whole(kernel, _place(kernel)):
        _download(kernel, offline, ((kernel.image, kernel.version), *kernel.headers))


def _matters(kernel: Kernel) -> tuple[str, ...]:
    headers = f"usr/src/linux-headers-{kernel.release}"
    return ("vmlinux", *(f"{headers}/{name}" for name in ("Makefile", ".config", "Module.symvers")))


def _is_whole(kernel: Kernel, place: Path) -> bool:
    """Only a whole entry is ever there, but it may have been damaged since. One from before there were marks gets one."""
    if not place.exists():
        return False
    if not (place / MARK).exists():
        (place / MARK).touch()
    return marks.fits(place / MARK, _matters(kernel))


def _unpack(kernel: Kernel, offline: bool) -> KernelTree:
    final = _place(kernel)
    if not _is_whole(kernel, final):
        with paths.locked(f"kernel-{kernel.id}"):
            if not _is_whole(kernel, final):
                debs = _download(kernel, offline, ((kernel.image, kernel.version), *kernel.headers))
                say.note(f"unpacking {kernel}")
                paths.remove_leftovers(final)
                with paths.published(final) as work:
                    for file in debs:
                        deb.unpack(file, work, UNWANTED)
                    _relocate_headers(work, final)
                    _write_bootable(work, kernel.release, kernel.arch)
                    _index_modules(work, kernel.release)
                    ldwrap.wrap(work, offline)
                    marks.write(work / MARK, _matters(kernel))
    boot = final / "vmlinux"
    if not boot.exists():
        boot = final / "boot" / f"vmlinuz-{kernel.release}"
    return KernelTree(kernel, final, boot, final / "usr/src" / f"linux-headers-{kernel.release}", kernel.arch)


def add_modules(tree: KernelTree, offline: bool = False) -> None:
    """The kernel's own modules, for kernels that have them in a package of their own."""
    if (tree.root / "lib/modules" / tree.kernel.release / "modules.dep").exists() or not tree.kernel.modules:
        return
    with paths.locked(f"kernel-{tree.kernel.id}"):
        for file in _download(tree.kernel, offline, tree.kernel.modules):
            deb.unpack(file, tree.root, UNWANTED)
        _index_modules(tree.root, tree.kernel.release)


def add_unwanted(tree: KernelTree, names, offline: bool = False) -> None:
    """Modules of these names from directories that are not unpacked otherwise."""
    base = tree.root / "lib/modules" / tree.kernel.release
    if not tree.kernel.image or not (base / "modules.dep").exists():
        return
    known = (base / "modules.dep").read_text() + (base / "modules.builtin").read_text()
    lost = [name for name in names if f"/{name}.ko" not in known]
    if not lost:
        return
    with paths.locked(f"kernel-{tree.kernel.id}"):
        for file in _download(tree.kernel, offline, ((tree.kernel.image, tree.kernel.version), *tree.kernel.modules)):
            for name in lost:
                deb.unpack(file, tree.root, only=f"*/{name}.ko*")
        _index_modules(tree.root, tree.kernel.release)


def _own(row: Row, offline: bool) -> KernelTree:
    kernel = ownkernel.resolve(row, offline, lambda kernel: None)
    out = ownkernel.prepare(kernel, offline)
    boot = out / ownkernel.BOOT[kernel.arch]
    return KernelTree(kernel, out, boot, out, kernel.arch)


def _config_arch(path: Path) -> str:
    text = path.read_text(errors="replace") if path.exists() else ""
    return "um" if "CONFIG_UML=y" in text else "arm64" if "CONFIG_ARM64=y" in text else "amd64"


def _given(row: Row) -> KernelTree:
    """A tree that the user built, or a directory of vmlinuz and headers/."""
    path = Path(row.path)
    headers = path if row.kind == "tree" else path / "headers"
    if not (headers / "Makefile").exists() or not (headers / ".config").exists():
        raise UsageError(f"-k {row.path}: {headers} is not configured for building modules (no Makefile or no .config).")
    arch = _config_arch(headers / ".config")
    names = {"um": ("linux",), "arm64": ("arch/arm64/boot/Image", "Image", "vmlinuz"),
             "amd64": ("vmlinux", "arch/x86/boot/bzImage", "vmlinuz")}[arch]
    boot = next((path / name for name in names if (path / name).exists()), None)
    if boot is None:
        raise UsageError(f"-k {row.path}: it holds none of {', '.join(names)}; build the kernel first.")
    release_file = headers / "include/config/kernel.release"
    release = release_file.read_text().strip() if release_file.exists() else path.name
    # two trees of one release are two kernels; compilers and make take no spaces or commas in a path
    which = re.sub(r"[^\w.+-]", "_", paths.path_id(path))
    kernel = Kernel(release, which, "", (), (), arch, (), "own")
    return KernelTree(kernel, path, boot, headers, arch)


def check(row: Row) -> None:
    """A UsageError where a kernel of the user's own cannot be used; it costs nothing."""
    if row.kind in ("tree", "dir"):
        _given(row)


def obtain(row: Row, offline: bool = False) -> KernelTree:
    """From a row to something that can be booted."""
    if row.kind in ("tree", "dir"):
        return _given(row)
    if row.kind == "uml" or row.flavor:
        return _own(row, offline)
    kernel = kernels.resolve(row, offline, lambda kernel: _fetch(kernel, offline))
    return _unpack(kernel, offline)
