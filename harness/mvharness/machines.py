# SPDX-License-Identifier: MIT
"""The machines that guests run on: how each is started, and which channels it has (init/init.c names them too)."""

import os
from dataclasses import dataclass
from pathlib import Path

from . import qemu
from .kerneltree import KernelTree

COMMON = "panic=-1 oops=panic kasan_multi_shot"
# What costs time and finds nothing here: self-tests of ciphers, security modules that have rules to follow (there are none),
# accounts of who waited; and a program that runs again at other addresses is translated again by QEMU's own CPU.
DEBIAN = f"{COMMON} nokaslr norandmaps random.trust_cpu=on cryptomgr.notests lsm=landlock,yama audit=0 psi=0 quiet"
# Patching code is dear on QEMU's own CPU, so lock prefixes stay where they are with one CPU; and this initcall tests itself.
PC = f"console=ttyS0 {DEBIAN} mitigations=off tsc=reliable no_timer_check noreplace-smp initcall_blacklist=crypto_kdf108_init"
# On QEMU's own CPU, REP MOVSB and REP STOSB go byte by byte; a kernel that is told that they are not fast takes whole words.
TCG_PC = "max,-erms,-fsrm"
MOST_CPUS = 2  # more find no more races here, and TCG runs each in a thread
FILES = ("console.log", "verdict.log", "output.log", "files.bin")


def clean_exit(tree: KernelTree) -> int:
    """The process's status after PID 1 said that all is well."""
    return qemu.CLEAN_EXIT if tree.arch == "amd64" else qemu.POWER_OFF


@dataclass(frozen=True)
class Shape:
    """What a QEMU guest consists of; `append` is more of the kernel's command line. arm64 takes only `cpus`."""
    cpus: int = MOST_CPUS
    mib: int = 1024
    append: str = ""


def cpus_beside(guests: int) -> int:
    """How many CPUs each guest has when so many run at a time.

    A CPU whose thread has no processor keeps the guest's other CPUs spinning for its locks: with two guests of two CPUs on
    two processors, all cases of a kernel took 51 s of CPU time instead of 23; with guests of one CPU they take 19.
    """
    return max(1, min(MOST_CPUS, (os.cpu_count() or 1) // guests))


def _files(run: Path, *names: str) -> list[str]:
    out = []
    for name in names:
        suffix = "files.bin" if name == "files" else f"{name}.log"
        out += ["-chardev", f"file,id={name},path={run}/{suffix}"]
    return out


def console_to_file(run: Path) -> list[str]:
    return _files(run, "console")


def _pc(accel: str, kernel: Path, initrd: Path, run: Path, extra, shape: Shape) -> list[str]:
    """ttyS0 console, ttyS1 verdict, ttyS2 what suites print, port 0xe9 files sent back (frames.py), port 0xf4 the end."""
    accel_option, cpu = ("tcg,thread=multi,tb-size=512", TCG_PC) if accel == "tcg" else ("kvm", "max")
    return [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
        "-M", "q35", "-accel", accel_option, "-cpu", cpu, "-smp", str(shape.cpus), "-m", str(shape.mib),
        "-kernel", str(kernel), "-initrd", str(initrd),
        "-append", PC + shape.append,
        *_files(run, "verdict", "output", "files"),
        "-serial", "chardev:console", "-serial", "chardev:verdict", "-serial", "chardev:output",
        "-device", "isa-debugcon,iobase=0xe9,chardev=files",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
        *extra,
    ]


def _arm64(kernel: Path, initrd: Path, run: Path, extra, shape: Shape) -> list[str]:
    """The virt machine has one serial port; the other channels are virtio-serial ports."""
    out = [
        "qemu-system-aarch64", "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
        # cortex-a57: what -cpu max adds (pointer authentication) costs TCG more than half of its speed
        "-M", "virt", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "cortex-a57", "-smp", str(shape.cpus), "-m", "1024",
        "-kernel", str(kernel), "-initrd", str(initrd),
        "-append", f"console=ttyAMA0 {DEBIAN} mv_channels=virtio",
        "-serial", "chardev:console", "-device", "virtio-serial-pci,id=channels",
        *_files(run, "verdict", "output", "files"),
    ]
    for name in ("verdict", "output", "files"):
        out += ["-device", f"virtserialport,bus=channels.0,chardev={name},name={name}"]
    return [*out, *extra]


def uml(kernel: Path, initrd: Path, run: Path, channels: dict[str, int]) -> list[str]:
    """User Mode Linux is a program; its serial lines are open files."""
    return [str(kernel), "mem=1024M", f"initrd={initrd}", f"uml_dir={run}/uml/", "con=null", "con0=null,fd:1",
            "console=tty0", *COMMON.split(), "quiet", "ssl=null", f"ssl1=null,fd:{channels['verdict']}",
            f"ssl2=null,fd:{channels['output']}", f"ssl3=null,fd:{channels['files']}", "mv_channels=uml"]


def command_line(tree: KernelTree, accel: str, initrd: Path, run: Path, extra=(), shape: Shape = Shape()) -> list[str]:
    if tree.arch == "arm64":
        return _arm64(tree.boot, initrd, run, extra, shape)
    return _pc(accel, tree.boot, initrd, run, extra, shape)
