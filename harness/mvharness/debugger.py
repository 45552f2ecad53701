# SPDX-License-Identifier: MIT
"""--gdb: stops the guest once the module is in its memory, and says how to attach with the module's symbols."""

import contextlib
import re
import shlex
import socket
from pathlib import Path

from . import paths, say
from .kerneltree import KernelTree

SECTION = re.compile(r"^section (\S+) (0x[0-9a-f]+)$", re.M)
LAST = "sections end"


def _stop_machine(sockets: Path) -> None:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        link.connect(str(sockets / "qmp.sock"))
        link.recv(4096)
        for command in ("qmp_capabilities", "stop"):
            link.sendall(b'{"execute": "%s"}\n' % command.encode())
            link.recv(4096)


def script(sockets: Path, module: Path, tree: KernelTree, told: str) -> str:
    """What gdb is to do first. Debian's kernels have no symbols of their own in the image; kernels of yours do."""
    where = dict(SECTION.findall(told))
    text = where.pop(".text", None)
    sections = "".join(f" -s {name} {address}" for name, address in where.items())
    lines = ["set confirm off", "set pagination off"]
    if tree.arch == "arm64":
        lines.append("set architecture aarch64")
    if (tree.headers / "vmlinux").exists():
        lines.append(f"file {tree.headers}/vmlinux")
    lines.append(f"target remote {sockets}/gdb.sock")
    if text:
        lines.append(f"add-symbol-file {module} {text}{sections}")
    return "\n".join(lines) + "\n"


class Watch:
    """Called a few times a second while the guest runs; acts once."""

    def __init__(self, run: Path, module: Path, tree: KernelTree):
        self.run, self.module, self.tree = run, module, tree
        self.done = False
        self.sockets = Path()

    @contextlib.contextmanager
    def devices(self):
        """gdb's stub, and a monitor for us."""
        with paths.socket_directory() as work:
            self.sockets = Path(work)
            yield ["-gdb", f"unix:{work}/gdb.sock,server=on,wait=off", "-qmp", f"unix:{work}/qmp.sock,server=on,wait=off"]

    def __call__(self) -> bool:
        log = self.run / "verdict.log"
        if not self.done and log.exists() and LAST in (told := log.read_text("utf-8", "replace")):
            self.done = True
            _stop_machine(self.sockets)
            file = self.run / "gdb.commands"
            file.write_text(script(self.sockets, self.module, self.tree, told))
            program = "gdb-multiarch" if self.tree.arch == "arm64" else "gdb"
            say.warn(f"the module is loaded and the guest is stopped; attach with: {program} -x {shlex.quote(str(file))}")
            say.warn("then e.g. `break vcpu_ioctl` and `continue`; `detach` lets the suites run on")
        return False
