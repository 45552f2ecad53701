# SPDX-License-Identifier: MIT
"""Debian's U-Boot on mvmm's arm64 board: its prompt, a disk, Debian's kernel, in this process and behind the gunyah driver.

Run by scripts/test, or: python3 -m unittest discover -s harness/tests -t harness -p 'firmware_*.py'
"""

import os
import random
import re
import struct
import subprocess
import tempfile
import threading
import unittest
import zlib
from pathlib import Path

from mvharness import linuxguest, paths

MVMM = Path(os.environ.get("MV_MVMM", paths.REPO / "build/bin/mvmm"))
UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
KERNEL = "arm64-6.1"
MIB = 1 << 20
PROMPT = b"\n=> "

EXTLINUX = """default linux
label linux
  kernel /Image
  initrd /initrd
  append console=ttyAMA0 panic=-1 cryptomgr.notests
"""

# The disk that U-Boot has read is the kernel's, too, and every processor is there.
SCRIPT = """
[ $(nproc) = 2 ]
mount -t ext4 -o ro /dev/vda1 /tmp
cmp /tmp/initrd /tmp/copy
echo all is well
poweroff -f
"""

SUITE = """
[uboot]
kind = "cmd"
command = "mvmm"
args = ["--backend=gunyah", "--unprotected", "--firmware={0}/u-boot.bin", "--disk={0}/disk", "--cpus=2",
        "--virtio-console=-"]
files = ["{1}/*"]
timeout = 300
# the end of its input is typed at the virtio console, or it would be the key that stops U-Boot's countdown
description = "U-Boot behind the gunyah backend starts Debian's kernel"
"""


def partitioned(file: Path, files: dict[str, bytes], size: int):
    """A disk with one bootable partition from 1 MiB on, an ext4 file system."""
    with tempfile.TemporaryDirectory() as name:
        root, system = Path(name) / "root", Path(name) / "system"
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, system, f"{size >> 10}k"], check=True, capture_output=True)
        start = bytearray(MIB)
        start[446:462] = struct.pack("<B3sB3sII", 0x80, bytes(3), 0x83, bytes(3), MIB // 512, size // 512)
        start[510:512] = b"\x55\xaa"
        file.write_bytes(start + system.read_bytes())


class UbootTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = Path(directory.name)
        self.disk = self.dir / "disk"

    def talk(self, commands: list[str], *options: str, any_key: bytes = b" ") -> tuple[int, str]:
        """Types the key into the countdown and the commands, each at a prompt.  What was said, and mvmm's exit code."""
        process = subprocess.Popen([MVMM, "--arch", "arm64", "--firmware", UBOOT, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        deadline = threading.Timer(120, process.kill)
        deadline.start()
        self.addCleanup(deadline.cancel)
        steps = [(b"Hit any key", any_key), *((PROMPT, command.encode() + b"\r") for command in commands)]
        said, heard = b"", 0
        while chunk := os.read(process.stdout.fileno(), 4096):
            said += chunk.replace(b"\r", b"")
            if steps and (at := said.find(steps[0][0], heard)) >= 0:
                heard = at + len(steps[0][0])
                process.stdin.write(steps.pop(0)[1])
                process.stdin.flush()
        process.stdin.close()
        return process.wait(60), said.decode(errors="replace")

    def test_prompt(self):
        code, said = self.talk(["version", "bdinfo", "md.l 0x04000000 1", "poweroff"], "--memory", "128m")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"=> version\nU-Boot 20")
        self.assertRegex(said, r"DRAM: +128 MiB")
        self.assertRegex(said, r"-> start += 0x0*40000000\n")
        self.assertRegex(said, r"-> size += 0x0*8000000\n")
        self.assertRegex(said, r"04000000: ffffffff")

    def test_a_file_on_a_disk(self):
        seed = int(os.environ.get("MV_SEED", random.SystemRandom().randrange(1 << 32)))
        content = random.Random(seed).randbytes(3 * MIB + 12345)
        partitioned(self.disk, {"data": content}, 16 * MIB)
        code, said = self.talk(["virtio scan", "virtio info", "load virtio 0:1 ${loadaddr} data", "crc32 ${loadaddr} ${filesize}", "reset"],
                               "--disk", str(self.disk), "--rng")
        told = f"MV_SEED={seed}\n{said}"
        self.assertEqual(code, 101, told)
        self.assertIn("VirtIO Block Device", said, told)
        self.assertIn(f"{len(content)} bytes read", said, told)
        self.assertIn(f"==> {zlib.crc32(content):08x}", said, told)

    def test_a_reset_starts_it_again(self):
        code, said = self.talk(["reset", "poweroff"], "--on-reset", "restart")
        # the second life's countdown is not stopped: its prompt comes after it has found nothing to start
        self.assertEqual(code, 0, said)
        self.assertEqual(len(re.findall(r"\nU-Boot 20", said)), 2, said)

    def boot_disk(self) -> bytes:
        kernel = linuxguest.tree(KERNEL)
        initrd = linuxguest.initrd(kernel, SCRIPT, (*linuxguest.DEVICES, linuxguest.TRANSPORT["arm64"], "ext4"))
        files = {"Image": linuxguest.image(kernel).read_bytes(), "initrd": initrd, "copy": initrd, "extlinux/extlinux.conf": EXTLINUX.encode()}
        partitioned(self.disk, files, 96 * MIB)
        return self.disk.read_bytes()

    def test_debian_from_a_disk(self):
        self.boot_disk()
        code, said = self.talk([], "--disk", str(self.disk), "--cpus", "2", any_key=b"")
        self.assertEqual(code, 0, said[-4000:])
        self.assertIn("Found /extlinux/extlinux.conf", said)
        self.assertIn("all is well", said)

    def test_debian_from_a_disk_behind_the_gunyah_driver(self):
        with tempfile.TemporaryDirectory(dir=paths.REPO / "build", prefix="uboot-guest-") as name:
            there = Path(name)
            (there / "u-boot.bin").write_bytes(UBOOT.read_bytes())
            (there / "disk").write_bytes(self.boot_disk())
            (there / "suites.toml").write_text(SUITE.format(there, there.name))
            done = subprocess.run([paths.HARNESS / "run", "-k", "uml-6.1", "--suites", there / "suites.toml", "-s", "uboot"],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_refusals(self):
        large = self.dir / "large"
        large.write_bytes(bytes(16 * MIB + 1))
        for options, word in ((("--firmware", large), "at most 16 MiB"), (("--firmware", UBOOT, "--swiotlb", "8m"), "--swiotlb"),
                              (("--firmware", UBOOT, "--debug-port", "-"), "--debug-port")):
            done = subprocess.run([MVMM, "--arch", "arm64", *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
