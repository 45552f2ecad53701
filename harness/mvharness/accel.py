# SPDX-License-Identifier: MIT
"""KVM or TCG? A /dev/kvm that opens but never runs a guest is common, so a guest is run."""

import os
import subprocess
import tempfile
from pathlib import Path

from . import qemu
from .errors import UsageError

CHOICES = ("auto", "kvm", "tcg")
PROBE_SECONDS = 2.0
ROM_SIZE = 64 * 1024
RESET_VECTOR = 0xFFF0
# mov al,'K'; out 0xe9,al; xor al,al; out 0xf4,al; hlt
PROBE_CODE = bytes.fromhex("b04b e6e9 30c0 e6f4 f4")


def probe_guest(accel: str, seconds: float = PROBE_SECONDS) -> str | None:
    """Runs the smallest guest there is, a ROM of nine bytes; None if it ran, else why it did not."""
    rom = bytearray(b"\xf4" * ROM_SIZE)
    rom[RESET_VECTOR:RESET_VECTOR + len(PROBE_CODE)] = PROBE_CODE
    with tempfile.TemporaryDirectory(prefix="mockvisor-probe-") as work:
        image, out = Path(work) / "rom", Path(work) / "out"
        image.write_bytes(rom)
        process = qemu.start(
            [qemu.PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
             "-M", "q35", "-accel", accel, "-m", "16", "-bios", str(image),
             "-chardev", f"file,id=out,path={out}", "-device", "isa-debugcon,iobase=0xe9,chardev=out",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr
        try:
            if not qemu.wait(process, seconds):
                return f"a guest of nine bytes did not finish in {seconds:g} s"
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
        finally:
            qemu.stop(process)
            process.stderr.close()
        if process.returncode == qemu.CLEAN_EXIT and out.exists() and out.read_bytes() == b"K":
            return None
        return said[-1] if said else f"QEMU ended with status {process.returncode}"


def kvm_trouble() -> str | None:
    """Why KVM cannot be used here, or None."""
    if os.path.exists("/sys/module/kvm_pvm"):
        return "this host's KVM is kvm_pvm, which hangs stock guests"
    if not os.path.exists("/dev/kvm"):
        return "there is no /dev/kvm"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm may not be opened by this user"
    return probe_guest("kvm")


def choose(wanted: str) -> tuple[str, str]:
    """(accelerator, why)."""
    if wanted == "tcg":
        return "tcg", "asked for"
    trouble = kvm_trouble()
    if trouble is None:
        return "kvm", "asked for" if wanted == "kvm" else "a probe guest ran"
    if wanted == "kvm":
        raise UsageError(f"--accel kvm does not work here: {trouble}; use --accel tcg or auto.")
    return "tcg", trouble
