# SPDX-License-Identifier: MIT
"""The scratch copy of the sources, and what a build log says about them."""

import os
import tempfile
import unittest
from pathlib import Path

from mvharness import kbuild

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
