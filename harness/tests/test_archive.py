# SPDX-License-Identifier: MIT
"""What goes into the guest and what comes back: cpio, plan, frames, kernel images."""

import gzip
import shutil
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

from mvharness import elfdeps, frames, vmlinux
from mvharness.cpio import Cpio
from mvharness.plan import Plan


class CpioTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which("cpio"), "cpio is not installed")
    def test_cpio_reads_what_we_write(self):
        archive = Cpio()
        archive.file("/a/b/odd", b"12345", 0o755)
        archive.file("/a/empty", b"")
        archive.symlink("/a/link", "b/odd")
        archive.file("/a/b/odd", b"the first one wins")
        data = archive.finish()
        listed = subprocess.run(["cpio", "-t", "--quiet"], input=data, capture_output=True, check=True).stdout.split()
        self.assertEqual(listed, [b"a", b"a/b", b"a/b/odd", b"a/empty", b"a/link"])
        with tempfile.TemporaryDirectory() as work:
            subprocess.run(["cpio", "-id", "--quiet"], input=data, cwd=work, check=True)
            self.assertEqual((Path(work) / "a/link").read_bytes(), b"12345")
            self.assertEqual((Path(work) / "a/b/odd").stat().st_mode & 0o777, 0o755)


class LoadedTest(unittest.TestCase):
    def test_a_program_without_its_debug_information_runs(self):
        with tempfile.TemporaryDirectory() as work:
            source, program = Path(work) / "said.c", Path(work) / "said"
            source.write_text('#include <stdio.h>\nint main(void) { return puts("said") < 0; }\n')
            for linked in ([], ["-static"]):
                subprocess.run(["gcc", "-g3", *linked, "-o", program, source], check=True)
                whole = program.read_bytes()
                cut = elfdeps.loaded(whole)
                self.assertLess(len(cut), len(whole) * 0.95)
                program.write_bytes(cut)
                self.assertEqual(subprocess.run([program], capture_output=True, check=True).stdout, b"said\n")
                sections = subprocess.run(["readelf", "-SW", program], capture_output=True, text=True, check=True)
                self.assertIn("no sections", sections.stdout)

    def test_other_files_stay(self):
        for data in (b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100)):
            self.assertEqual(elfdeps.loaded(data), data)


class PlanTest(unittest.TestCase):
    def test_records_end_with_nul(self):
        plan = Plan()
        plan.suite("s", ["/bin/x", "two words\nand a line"], 5)
        self.assertEqual(plan.bytes().split(b"\0")[:-1],
                         [b"suite", b"s", b"timeout", b"5", b"arg", b"/bin/x", b"arg", b"two words\nand a line",
                          b"run", b""])

    def test_nul_is_refused(self):
        with self.assertRaises(ValueError):
            Plan().put("arg", "a\0b")


class FramesTest(unittest.TestCase):
    def test_binary_round_trip_and_cut_file(self):
        data = bytes(range(256)) + b"MVFILE 3 fake\n"
        stream = b"MVFILE %d a.json\n" % len(data) + data + b"\nMVFILE 9 cut\nabc"
        self.assertEqual(frames.parse(stream), {"a.json": data})

    def test_names_stay_inside(self):
        with tempfile.TemporaryDirectory() as work:
            out = frames.unpack(b"MVFILE 1 ../../x\nA\n", Path(work) / "r")
            self.assertTrue(all(p.parent == Path(work) / "r" for p in out.values()))


class VmlinuxTest(unittest.TestCase):
    def image(self, payload: bytes) -> bytes:
        image = bytearray(2 * 512)
        image[0x1F1] = 1
        image[0x202:0x206] = b"HdrS"
        struct.pack_into("<H", image, 0x206, 0x20F)
        struct.pack_into("<II", image, 0x248, 16, len(payload))
        return bytes(image) + b"\0" * 16 + payload

    def test_gzip_payload(self):
        self.assertEqual(vmlinux.extract(self.image(gzip.compress(b"\x7fELF rest"))), b"\x7fELF rest")

    def test_what_is_not_a_kernel(self):
        self.assertIsNone(vmlinux.extract(b"\0" * 4096))
        self.assertIsNone(vmlinux.extract(self.image(b"unknown packing")))
