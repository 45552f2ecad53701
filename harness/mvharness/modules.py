# SPDX-License-Identifier: MIT
"""Which kernel modules to load, and in which order, as modules.dep tells."""

import lzma
from pathlib import Path

from .errors import HarnessError
from .kerneltree import KernelTree

# The host's files over 9p, and the streams of a command's stdin, stdout and stderr.
HOST_ROOT = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console")


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".ko")[0].replace("-", "_")


class ModuleIndex:
    def __init__(self, tree: KernelTree):
        self.tree = tree
        self.base = tree.root / "lib/modules" / tree.kernel.release
        self.needs: dict[str, list[str]] = {}
        self.files: dict[str, str] = {}
        self.builtin: set[str] = set()
        if not (self.base / "modules.dep").exists():
            return
        for line in (self.base / "modules.dep").read_text().splitlines():
            path, _, needs = line.partition(":")
            self.files[_name(path)] = path
            self.needs[_name(path)] = [_name(n) for n in needs.split()]
        self.builtin = {_name(line) for line in (self.base / "modules.builtin").read_text().splitlines()}

    def closure(self, names) -> list[str]:
        """The modules' names in load order; what is built in is left out."""
        if not names:
            return []
        order: list[str] = []

        def visit(name: str) -> None:
            name = name.replace("-", "_")
            if name in order or name in self.builtin:
                return
            if name not in self.files:
                raise HarnessError(f"kernel {self.tree.kernel} has no module {name}; use a generic (not cloud) image.")
            # modules.dep lists the nearest first; each one's own needs come before it.
            for need in reversed(self.needs[name]):
                visit(need)
            order.append(name)

        for name in names:
            visit(name)
        return order

    def read(self, name: str) -> bytes:
        path: Path = self.base / self.files[name]
        data = path.read_bytes()
        return lzma.decompress(data) if path.suffix == ".xz" else data


def needs_of(module: Path) -> list[str]:
    """The `depends=` names in a .ko's .modinfo."""
    data = module.read_bytes()
    at = data.find(b"\0depends=")
    if at < 0:
        return []
    value = data[at + len(b"\0depends="):data.index(b"\0", at + 1)].decode()
    return [name for name in value.split(",") if name]
