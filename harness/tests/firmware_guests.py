# SPDX-License-Identifier: MIT
"""Debian's firmware on mvmm: SeaBIOS boots a disk, OVMF comes to its shell.

Run by scripts/test, or: python3 -m unittest discover -s harness/tests -t harness -p 'firmware_*.py'
"""

import os
import random
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from mvharness import paths

MVMM = Path(os.environ.get("MV_MVMM", paths.REPO / "build/bin/mvmm"))
SEABIOS = Path("/usr/share/seabios")
OVMF = Path("/usr/share/ovmf/OVMF.fd")
SECTOR = 512

SUITE = """
[firmware]
kind = "cmd"
command = "mvmm"
args = ["--backend=acrn", "--firmware={0}/bios.bin", "--disk={0}/disk", "--memory=32m", "--cpus=2"]
files = ["{1}/*"]
timeout = 120
description = "SeaBIOS behind the acrn backend"
"""


class FirmwareTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = Path(directory.name)
        self.disk = self.dir / "disk.img"

    def run_mvmm(self, *options) -> subprocess.CompletedProcess:
        return subprocess.run([MVMM, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=120, check=False)

    def boot_disk(self, word: str) -> bytes:
        disk = bytearray(2048 * SECTOR)  # at least a cylinder, or SeaBIOS does not take it for a disk
        disk[:SECTOR] = (paths.REPO / "build/guests/bootsector.x86_16.bin").read_bytes()
        # SeaBIOS keeps the last characters of a line to itself for a while
        text = f"on this disk: {word}\r\n".encode() + b"." * 80 + b"\r\n"
        disk[3 * SECTOR:3 * SECTOR + len(text)] = text
        return bytes(disk)

    def seabios_boots(self, image: str, *options: str):
        """The boot sector reads a word that is on the disk only, prints it and powers off."""
        seed = int(os.environ.get("MV_SEED", random.SystemRandom().randrange(1 << 32)))
        word = f"{random.Random(seed).randrange(1 << 64):x}"
        self.disk.write_bytes(self.boot_disk(word))
        done = self.run_mvmm("--firmware", SEABIOS / image, "--disk", self.disk, "--debug-port", self.dir / "log", *options)
        log = (self.dir / "log").read_text(errors="replace")
        self.assertEqual(done.returncode, 0, f"MV_SEED={seed}\n{done.stdout}\n{done.stderr}\n{log}")
        self.assertIn(f"on this disk: {word}", done.stdout)
        self.assertIn("Running on QEMU (q35)", log)
        return log

    def test_seabios_boots_a_disk(self):
        self.seabios_boots("bios-256k.bin")
        self.seabios_boots("bios.bin")

    def test_seabios_finds_every_processor_and_the_tables(self):
        log = self.seabios_boots("bios-256k.bin", "--cpus", "4", "--memory", "64m")
        self.assertIn("Found 4 cpu(s) max supported 4 cpu(s)", log)
        self.assertRegex(log, r"using modern \(1.0\) virtio mode")
        self.assertRegex(log, r"pmtimer, ioport 0x608")

    def test_seabios_boots_a_disk_behind_the_acrn_driver(self):
        with tempfile.TemporaryDirectory(dir=paths.REPO / "build", prefix="firmware-guest-") as name:
            there = Path(name)
            (there / "bios.bin").write_bytes((SEABIOS / "bios.bin").read_bytes())
            (there / "disk").write_bytes(self.boot_disk("acrn"))
            (there / "suites.toml").write_text(SUITE.format(there, there.name))
            done = subprocess.run([paths.HARNESS / "run", "-k", "uml-6.1", "--suites", there / "suites.toml", "-s", "firmware"],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_ovmf_comes_to_its_shell(self):
        process = subprocess.Popen([MVMM, "--firmware", OVMF, "--cpus", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        said = b""
        typed = 0
        # what it prints, and what is typed then: skip the countdown, then power off
        steps = [(rb"to skip", b"\x1b"), (rb"Shell> ", b"reset -s\r")]
        while chunk := os.read(process.stdout.fileno(), 4096):
            said += chunk
            if typed < len(steps) and re.search(steps[typed][0], said):
                process.stdin.write(steps[typed][1])
                process.stdin.flush()
                typed += 1
        process.stdin.close()
        self.assertEqual(process.wait(60), 0, said[-2000:])
        self.assertIn(b"UEFI Interactive Shell", said)

    def test_refusals(self):
        small = self.dir / "small"
        small.write_bytes(b"x" * 1000)
        for options, word in ((("--firmware", small), "64 KiB to 16 MiB"), (("--firmware", self.dir / "none"), "none"),
                              (("--firmware", OVMF, "--kernel", small), "one of them"), (("--debug-port", "-", "--flat", f"{small}@0"), "--firmware")):
            done = self.run_mvmm(*options)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
