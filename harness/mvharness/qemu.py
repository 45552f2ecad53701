# SPDX-License-Identifier: MIT
"""Starts a guest's process so that it cannot outlive us, and says how it ended."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time

from .errors import HarnessError

PROGRAM = "qemu-system-x86_64"
PR_SET_PDEATHSIG = 1
# PID 1 writes 0 to port 0xf4; isa-debug-exit makes that status 2 * 0 + 1. Machines without that port just power off.
CLEAN_EXIT = 1
POWER_OFF = 0
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Runs in the child: whatever kills us, even SIGKILL, kills QEMU too."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _as_guest() -> None:
    """Also in the child: it preempts nobody by waking up.

    A guest's kernel wakes the other of its CPUs with a lock held. If that CPU's thread took the processor at once, it would
    spin for this lock until its time slice ends: with two guests on two processors an exit took 1 ms instead of 25 us.
    """
    die_with_parent()
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


_running: set[subprocess.Popen] = set()
_stopping = threading.Event()


def stop_all() -> None:
    """Ends every guest, whichever thread started it; none starts after this."""
    _stopping.set()
    for process in list(_running):
        stop(process)


def not_stopped() -> None:
    """What a process said that stop_all() ended is no result."""
    if _stopping.is_set():
        raise HarnessError("interrupted")


def start(argv: list[str], **popen) -> subprocess.Popen:
    not_stopped()
    program = popen.get("executable", argv[0])
    if "/" in program and not os.access(program, os.X_OK):
        raise HarnessError(f"{program} is not there, or is no program.")
    if shutil.which(program) is None:
        raise HarnessError(f"{program} is not installed; run scripts/setup.")
    # Its own session: Ctrl-C reaches us alone, and we decide how QEMU ends.
    process = subprocess.Popen(argv, preexec_fn=_as_guest, start_new_session=True, **popen)
    _running.add(process)
    if _stopping.is_set():
        stop(process)
    return process


@contextlib.contextmanager
def group_dies_with_us(process: subprocess.Popen):
    """For a guest of several processes: when we are killed, a watcher reads end-of-file and kills the rest of them."""
    ours, theirs = os.pipe()[::-1]
    watcher = subprocess.Popen(["sh", "-c", 'read -r _; kill -s KILL -- "-$1"', "sh", str(process.pid)], stdin=theirs,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    os.close(theirs)
    try:
        yield
    finally:
        watcher.kill()
        watcher.wait()
        os.close(ours)


def run(argv: list[str], **popen) -> subprocess.CompletedProcess:
    """subprocess.run() for what may take minutes: it ends, with its children, when we do."""
    process = start(argv, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen)
    try:
        with group_dies_with_us(process):
            said, _ = process.communicate()
    finally:
        stop(process)
    not_stopped()
    return subprocess.CompletedProcess(argv, process.returncode, said)


def stop(process: subprocess.Popen) -> None:
    """Ends it with all that it started: User Mode Linux is several processes, and may leave some behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _running.discard(process)


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


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
