# SPDX-License-Identifier: MIT
"""The scratch copy of the sources, and what a build log says about them."""

import os
import shutil
import subprocess
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

from mvharness import kbuild, marks
from mvharness.errors import HarnessError

LOG = """\
  CC [M]  {s}/kmod/core/a.o
{s}/kmod/core/a.c:7:9: warning: unused variable 'x' [-Wunused-variable]
  CHECK   {s}/kmod/core/b.c
/usr/src/linux-headers/include/linux/x.h:1:1: warning: not ours
{s}/kmod/core/b.o: warning: objtool: f()+0x1: unreachable
WARNING: modpost: missing MODULE_DESCRIPTION() in {s}/m.o
  CC [M]  {s}/m.mod.o
  LD [M]  {s}/m.ko
"""


class SyncTest(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.source, self.scratch = Path(work.name) / "src", Path(work.name) / "scratch"
        (self.source / "kmod").mkdir(parents=True)
        self.scratch.mkdir()
        (self.source / "Kbuild").write_text("obj-m := m.o\n")
        (self.source / "kmod/a.c").write_text("int a;\n")

    def sync(self):
        kbuild.sync(self.source, self.scratch)

    def test_unchanged_files_keep_their_time(self):
        self.sync()
        copy = self.scratch / "kmod/a.c"
        os.utime(copy, (1, 1))
        self.sync()
        self.assertEqual(copy.stat().st_mtime, 1)
        (self.source / "kmod/a.c").write_text("int b;\n")
        self.sync()
        self.assertGreater(copy.stat().st_mtime, 1)
        self.assertEqual(copy.read_text(), "int b;\n")

    def test_removed_sources_go_and_objects_stay(self):
        self.sync()
        (self.scratch / "kmod/a.o").touch()
        (self.source / "kmod/a.c").unlink()
        self.sync()
        self.assertFalse((self.scratch / "kmod/a.c").exists())
        self.assertTrue((self.scratch / "kmod/a.o").exists())


class LogTest(unittest.TestCase):
    def test_only_our_own_warnings_count(self):
        compiled, complaints = kbuild.read_log(LOG.format(s="/s"), Path("/s"))
        self.assertEqual(compiled, ["kmod/core/a.o", "kmod/core/b.c"])
        self.assertEqual(len(complaints), 3)
        self.assertFalse(any("not ours" in line for line in complaints))


class StampTest(unittest.TestCase):
    """Whether make runs at all; here it is a script that makes a module whose contents count its runs."""

    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)
        self.source = self.work / "src"
        (self.source / "kmod").mkdir(parents=True)
        (self.source / "Kbuild").write_text("obj-m := m.o\n")
        (self.source / "kmod/a.c").write_text("int a;\n")
        make = self.work / "bin/make"
        make.parent.mkdir()
        make.write_text('#!/bin/sh\nfor word; do case "$word" in M=*) cd "${word#M=}";; esac; done\necho run >>runs\ncp runs m.ko\n')
        make.chmod(0o755)
        self.headers = self.work / "headers"
        self.headers.mkdir()
        self.tree = types.SimpleNamespace(headers=self.headers, make_vars=("CC=gcc-12",), kernel=types.SimpleNamespace(id="k"))
        environ = {"PATH": f"{make.parent}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(self.work), "KCFLAGS": ""}
        patch = mock.patch.dict(os.environ, environ)
        patch.start()
        self.addCleanup(patch.stop)

    def runs(self) -> int:
        return len(kbuild.build(self.tree, source=self.source).module.read_text().splitlines())

    def test_make_runs_when_something_changed(self):
        self.assertEqual([self.runs(), self.runs()], [1, 1])
        os.environ["KCFLAGS"] = "-DX"
        self.assertEqual([self.runs(), self.runs()], [2, 2])
        (self.source / "kmod/a.c").write_text("int b;\n")
        self.assertEqual([self.runs(), self.runs()], [3, 3])
        (self.headers / "Module.symvers").touch()
        self.assertEqual([self.runs(), self.runs()], [4, 4])

    def test_half_a_module_is_made_anew(self):
        module = kbuild.build(self.tree, source=self.source).module
        module.write_text("r")
        self.assertEqual([self.runs(), self.runs()], [2, 2])
        module.unlink()
        self.assertEqual([self.runs(), self.runs()], [3, 3])


class MarkTest(unittest.TestCase):
    """Of a cache entry that was whole."""

    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.program, self.mark = Path(work.name) / "linux", Path(work.name) / "complete"
        self.program.write_text("a program")

    def fits(self) -> bool:
        return marks.fits(self.mark, ("linux",))

    def test_what_was_cut_or_is_gone_does_not_fit(self):
        self.assertFalse(self.fits())
        marks.write(self.mark, ("linux",))
        self.assertTrue(self.fits())
        self.program.write_text("a prog")
        self.assertFalse(self.fits())
        self.program.unlink()
        self.assertFalse(self.fits())

    def test_a_mark_without_sizes_gets_them(self):
        self.mark.touch()
        self.assertTrue(self.fits())
        self.program.write_text("a prog")
        self.assertFalse(self.fits())

    def test_a_mark_without_sizes_is_no_word_for_what_is_gone(self):
        self.mark.touch()
        self.program.unlink()
        self.assertFalse(self.fits())


class LeanTest(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.module = Path(work.name) / "m.ko"
        self.tree = types.SimpleNamespace(make_vars=("CC=gcc-12",))
        patch = mock.patch.dict(os.environ, {"XDG_CACHE_HOME": work.name})
        patch.start()
        self.addCleanup(patch.stop)

    def make(self, text: str) -> bytes:
        subprocess.run(["gcc-12", "-g", "-c", "-x", "c", "-o", self.module, "-"], input=text, text=True, check=True)
        return self.module.read_bytes()

    def test_has_no_debug_information_and_is_made_anew(self):
        whole = self.make("int first(void) { return 1; }")
        lean = kbuild.lean(self.module, self.tree)
        self.assertIn(b".debug_info", whole)
        self.assertNotIn(b".debug_info", lean)
        self.assertIn(b"first", lean)
        self.assertEqual(self.module.read_bytes(), whole)
        self.make("int second(void) { return 2; }")
        self.assertIn(b"second", kbuild.lean(self.module, self.tree))

    def test_takes_the_tool_of_the_kernel_s_architecture(self):
        self.make("int x;")
        tool = shutil.which("aarch64-linux-gnu-strip")
        self.assertIsNotNone(tool)
        self.tree.make_vars += ("CROSS_COMPILE=aarch64-linux-gnu-",)
        with self.assertRaisesRegex(HarnessError, "aarch64-linux-gnu-strip"):
            kbuild.lean(self.module, self.tree)
        self.assertFalse(self.module.with_suffix(".lean").exists())

    def test_half_of_it_is_never_used(self):
        self.make("int x;")
        tool = self.module.parent / "half-strip"
        tool.write_text('#!/bin/sh\nprintf half >"$3"\nkill -9 $$\n')
        tool.chmod(0o755)
        self.tree.make_vars += (f"CROSS_COMPILE={self.module.parent}/half-",)
        with self.assertRaises(HarnessError):
            kbuild.lean(self.module, self.tree)
        self.assertFalse(self.module.with_suffix(".lean").exists())
