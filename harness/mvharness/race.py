# SPDX-License-Identifier: MIT
"""The software CPUs beside other emulators: the same guest program in one run, a table of ratios.

The program (userspace/payloads/race.c) says on its serial port when each kernel begins and ends. The time between the two
is the emulator's CPU time, all threads of it, so that neither its start nor a busy machine counts.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import paths
from .errors import HarnessError

GUESTS = paths.REPO / "build/guests"
KERNELS = ("alu", "sieve", "sha256", "quicksort", "list", "bytecode", "copy", "recursion")
TIMEOUT = 240
FLOPPY = 2880 * 512
PACKAGES = {"bochs": "bochs bochs-term vgabios", "qemu-system-x86_64": "qemu-system-x86", "qemu-system-aarch64": "qemu-system-arm"}
DONE = re.compile(rb">(\d) ([0-9a-f]{8})")

BOCHS = """
megs: 64
romimage: file=/usr/share/bochs/BIOS-bochs-legacy
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
floppya: 1_44={image}, status=inserted
boot: floppy
port_e9_hack: enabled=1
cpu: model=corei7_sandy_bridge_2600k, ips=500000000
clock: sync=none
display_library: rfb, options="timeout=0"
log: /dev/null
panic: action=fatal
error: action=ignore
info: action=ignore
speaker: enabled=0
"""


@dataclasses.dataclass
class Engine:
    name: str
    arch: str
    argv: list[str]
    stdin: bytes = b""


@dataclasses.dataclass
class Lap:
    seconds: dict[str, float]
    checksums: dict[str, str]


def _cpu_seconds(pid: int) -> float:
    """CPU time of a process and all its threads: clock_getcpuclockid(3)."""
    return time.clock_gettime(~pid << 3 | 2)


def read_lap(stream, clock) -> Lap:
    """Follows a run on its serial output until the last kernel is done; clock() is asked at each mark."""
    seen = bytearray()
    begun = 0.0
    lap = Lap({}, {})
    while len(lap.seconds) < len(KERNELS):
        char = stream.read(1)
        now = clock()
        if not char:
            raise HarnessError(f"it ended after {len(lap.seconds)} of {len(KERNELS)} kernels.")
        seen += char
        if char == b"<":
            begun = now
        elif char == b">":
            ended = now - begun
        else:
            match = DONE.search(seen)
            if match:
                name = KERNELS[int(match[1])]
                lap.seconds[name], lap.checksums[name] = ended, match[2].decode()
                seen.clear()
    return lap


def run(engine: Engine) -> Lap:
    child = subprocess.Popen(engine.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
    assert child.stdin and child.stdout
    killer = threading.Timer(TIMEOUT, child.kill)
    killer.start()
    try:
        child.stdin.write(engine.stdin)
        return read_lap(child.stdout, lambda: _cpu_seconds(child.pid))
    except HarnessError as error:
        raise HarnessError(f"{engine.name}: {error}") from error
    finally:
        killer.cancel()
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def floppy(work: Path) -> Path:
    image = work / "race.img"
    image.write_bytes(((GUESTS / "race_boot.bin").read_bytes() + (GUESTS / "race.x86_64.bin").read_bytes()).ljust(FLOPPY, b"\0"))
    return image


def engines(work: Path) -> tuple[list[Engine], list[str]]:
    """What there is on this machine, and what is missing."""
    mvmm = str(paths.REPO / "build/bin/mvmm")
    image = floppy(work)
    config = work / "bochsrc"
    config.write_text(BOCHS.format(image=image))
    x86, arm64 = "x86-64", "AArch64"
    quiet = ["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-accel", "tcg", "-m"]
    known = [
        Engine("mvmm", x86, [mvmm, "--flat", f"{GUESTS}/race.x86_64.bin@0x10000"]),
        Engine("QEMU TCG", x86, ["qemu-system-x86_64", *quiet, "64", "-drive", f"file={image},format=raw,if=floppy,readonly=on", "-boot", "a"]),
        Engine("Bochs", x86, ["bochs", "-q", "-f", str(config)], b"c\n"),
        Engine("mvmm", arm64, [mvmm, "--arch", "arm64", "--flat", f"{GUESTS}/race.arm64.bin@0x80000000"]),
        Engine("QEMU TCG", arm64, ["qemu-system-aarch64", *quiet, "2G", "-machine", "virt", "-cpu", "cortex-a53", "-kernel", f"{GUESTS}/race.arm64.elf"]),
    ]
    there = [engine for engine in known if shutil.which(engine.argv[0])]
    return there, sorted({engine.argv[0] for engine in known if engine not in there})


def table(laps: dict[tuple[str, str], list[Lap]]) -> list[str]:
    """Per engine the median seconds of each kernel, and how much faster mvmm is than the engine, geometric mean of all."""
    lines = [f"{'guest':8} {'engine':9} " + " ".join(f"{k:>10}" for k in KERNELS) + "  mvmm's speed by the engine's"]
    medians = {key: {k: statistics.median(lap.seconds[k] for lap in runs) for k in KERNELS} for key, runs in laps.items()}
    for (arch, name), seconds in medians.items():
        own = medians.get((arch, "mvmm"))
        ratio = f"  {statistics.geometric_mean(seconds[k] / own[k] for k in KERNELS):.2f}" if own and name != "mvmm" else ""
        lines.append(f"{arch:8} {name:9} " + " ".join(f"{seconds[k] * 1e3:8.0f}ms" for k in KERNELS) + ratio)
    return lines


def measure(repetitions: int) -> list[str]:
    """The engines take turns, so that a busy minute of the machine slows all of them."""
    laps: dict[tuple[str, str], list[Lap]] = {}
    with tempfile.TemporaryDirectory() as directory:
        if not (GUESTS / "race_boot.bin").exists():
            raise HarnessError("the guests are not built; run scripts/build first.")
        there, missing = engines(Path(directory))
        for _ in range(repetitions):
            for engine in there:
                laps.setdefault((engine.arch, engine.name), []).append(run(engine))
    sums = {tuple(sorted(lap.checksums.items())) for runs in laps.values() for lap in runs}
    if len(sums) != 1:
        raise HarnessError(f"the engines do not agree on the program's checksums: {sums}.")
    return [*table(laps), *(f"(no {name} here; Debian's package: {PACKAGES[name]})" for name in missing)]

