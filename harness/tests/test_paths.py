# SPDX-License-Identifier: MIT
"""The cache's directories, when several guests want them at a time, and what is written for the user."""

import concurrent.futures
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from mvharness import paths
from mvharness.errors import UsageError


class RunDirTest(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        away = mock.patch.dict(os.environ, {"XDG_CACHE_HOME": work.name})
        away.start()
        self.addCleanup(away.stop)

    def test_guests_that_start_together_prune_together(self):
        with mock.patch.object(paths, "_hold"), concurrent.futures.ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: paths.new_run_dir(keep=3), range(400)))
        self.assertEqual(len(set(made)), 400)
        self.assertEqual(len(list(paths.cache("runs").iterdir())), 3)

    def test_logs_of_a_harness_that_runs_stay(self):
        """A shell in a guest may outlive any number of other runs."""
        other = subprocess.Popen([sys.executable, "-c", "from mvharness import paths; print(paths.new_run_dir(), flush=True); input()"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=paths.HARNESS)
        theirs = Path(other.stdout.readline().strip())
        os.utime(theirs, (0, 0))
        with mock.patch.object(paths, "_hold"):
            for _ in range(5):
                paths.new_run_dir(keep=2)
            self.assertTrue(theirs.is_dir())
            other.communicate("\n")
            paths.new_run_dir(keep=2)
        self.assertFalse(theirs.exists())


class RootTest(unittest.TestCase):
    def test_a_relative_cache_is_none(self):
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": "here", "HOME": "/home/me"}):
            self.assertEqual(paths.cache_root(), Path("/home/me/.cache/mockvisor"))

    def test_nobody_s_home(self):
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": ""}), mock.patch("os.path.expanduser", return_value="~"):
            with self.assertRaisesRegex(UsageError, "XDG_CACHE_HOME"):
                paths.cache_root()


class PublishTest(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.dir = Path(work.name)

    def test_a_link_stays_one(self):
        (self.dir / "link").symlink_to("real")
        paths.publish_file(self.dir / "link", b"report")
        self.assertTrue((self.dir / "link").is_symlink())
        self.assertEqual((self.dir / "real").read_bytes(), b"report")

    def test_a_pipe_stays_one(self):
        pipe, got = self.dir / "pipe", []
        os.mkfifo(pipe)
        reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
        reader.start()
        paths.publish_file(pipe, b"report")
        reader.join()
        self.assertEqual(got, [b"report"])
        self.assertTrue(pipe.is_fifo())


if __name__ == "__main__":
    unittest.main()
