# SPDX-License-Identifier: MIT
"""Starts QEMU so that it cannot outlive us, and says how it ended."""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .errors import HarnessError

PROGRAM = "qemu-system-x86_64"
PR_SET_PDEATHSIG = 1
# PID 1 writes 0 to port 0xf4; isa-debug-exit makes that status 2 * 0 + 1.
CLEAN_EXIT = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Runs in the child: whatever kills us, even SIGKILL, kills QEMU too."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def start(argv: list[str], **popen) -> subprocess.Popen:
    if shutil.which(argv[0]) is None:
        raise HarnessError(f"{argv[0]} is not installed; run scripts/setup.")
    # Its own session: Ctrl-C reaches us alone, and we decide how QEMU ends.
    return subprocess.Popen(argv, preexec_fn=die_with_parent, start_new_session=True, **popen)


def stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def wait(process: subprocess.Popen, limit: float | None, on_tick=None) -> bool:
    """True if it ended by itself within `limit` seconds; None waits for ever.

    `on_tick` is called a few times a second and may return True to stop waiting.
    """
    end = None if limit is None else time.monotonic() + limit
    while True:
        try:
            process.wait(timeout=0.1)
            return True
        except subprocess.TimeoutExpired:
            if (end is not None and time.monotonic() > end) or (on_tick and on_tick()):
                return process.poll() is not None


CMDLINE = ("console=ttyS0 panic=-1 oops=panic mitigations=off nokaslr tsc=reliable no_timer_check "
           "random.trust_cpu=on quiet")


def command_line(accel: str, kernel: Path, initrd: Path, run: Path, cmdline: str = CMDLINE, extra=()) -> list[str]:
    """The guest's machine.

    ttyS0 console, ttyS1 verdict, ttyS2 what suites print, port 0xe9 files sent back (see frames.py).
    """
    accel_option = "tcg,thread=multi,tb-size=512" if accel == "tcg" else "kvm"
    return [
        PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
        "-M", "q35", "-accel", accel_option, "-cpu", "max", "-smp", "2", "-m", "1024",
        "-kernel", str(kernel), "-initrd", str(initrd), "-append", cmdline,
        "-chardev", f"file,id=verdict,path={run}/verdict.log",
        "-chardev", f"file,id=output,path={run}/output.log",
        "-chardev", f"file,id=files,path={run}/files.bin",
        "-serial", "chardev:console", "-serial", "chardev:verdict", "-serial", "chardev:output",
        "-device", "isa-debugcon,iobase=0xe9,chardev=files",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
        *extra,
    ]


def console_to_file(run: Path) -> list[str]:
    return ["-chardev", f"file,id=console,path={run}/console.log"]


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
