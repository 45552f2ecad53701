# SPDX-License-Identifier: MIT
"""Real guests (User Mode Linux with sanitizers): flavors find what they are for, and nothing that goes wrong is green.

Run by scripts/test, or: python3 -m unittest discover -s harness/tests -t harness -p 'slow_*.py'
"""

import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from mvharness import paths
from tests import as_in_a_terminal

FIXTURES = paths.HARNESS / "tests/fixtures"
KERNEL = "uml-kasan"


def command(suite: str, *more: str, module: str = "module") -> list[str]:
    return [str(paths.HARNESS / "run"), "-k", KERNEL, "--source", str(FIXTURES / module), "--suites",
            str(FIXTURES / "suites.toml"), "-s", suite, *more]


def run(suite: str, *more: str, module: str = "module") -> subprocess.CompletedProcess:
    return subprocess.run(command(suite, *more, module=module), capture_output=True, text=True, check=False)


class FlavorTest(unittest.TestCase):
    """Each fault of the fixture module is found, by the part that is there to find it."""

    def finds(self, suite: str, what: str):
        done = run(suite)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, what)
        self.assertIn("repeat: harness/run", done.stdout)

    def test_nothing_is_found_where_nothing_is_wrong(self):
        done = run("nothing-wrong")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_kasan_finds_a_use_after_free(self):
        self.finds("fault-use-after-free", r"KASAN: (slab-)?use-after-free in fixture_write")

    def test_lockdep_finds_a_wrong_order(self):
        self.finds("fault-wrong-order", "possible circular locking dependency")

    def test_ubsan_finds_a_shift(self):
        self.finds("fault-shift", "UBSAN: shift-out-of-bounds")

    def test_kmemleak_finds_lost_memory(self):
        self.finds("fault-leak", r"leak: \d+ unreferenced objects")

    def test_a_suites_environment_is_its_own(self):
        done = run("environment", "-s", "no-environment")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_panic_is_a_crash(self):
        self.finds("fault-panic", "# crash: the guest's kernel panicked: fixture")

    def test_a_deadlock_ends(self):
        started = time.monotonic()
        done = run("fault-hang", "--timeout", "15")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, "timeout: the guest did not end within 15 s|possible recursive locking")
        self.assertLess(time.monotonic() - started, 60)

    def test_a_module_that_does_not_load(self):
        done = run("nothing-wrong", module="noload")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("insmod /mv/noload.ko: No such device", done.stdout)


def guests(run_dir: str) -> list[str]:
    """Processes whose command line names the run's directory."""
    out = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if run_dir in (entry / "cmdline").read_text(errors="replace"):
                    out.append(entry.name)
            except OSError:
                continue
    return out


class EndingTest(unittest.TestCase):
    """Whatever ends the harness leaves no guest behind."""

    def end_by(self, number: int) -> int:
        process = subprocess.Popen(command("sleep"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=as_in_a_terminal)
        run_dir = ""
        for line in process.stderr:
            found = re.search(r"logs in (\S+)", line)
            if found:
                run_dir = found[1]
                break
        self.assertTrue(run_dir)
        end = time.monotonic() + 20
        while not guests(run_dir) and time.monotonic() < end:
            time.sleep(0.1)
        self.assertTrue(guests(run_dir))
        time.sleep(1)
        os.kill(process.pid, number)
        process.communicate(timeout=20)
        end = time.monotonic() + 5
        while guests(run_dir) and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(guests(run_dir), [])
        return process.returncode

    def test_interrupt(self):
        self.assertEqual(self.end_by(signal.SIGINT), 130)

    def test_terminate(self):
        self.assertEqual(self.end_by(signal.SIGTERM), 128 + signal.SIGTERM)

    def test_kill(self):
        self.assertEqual(self.end_by(signal.SIGKILL), -signal.SIGKILL)


class CacheTest(unittest.TestCase):
    """Trouble with the archive or the disk: a sentence, and nothing half made."""

    def refused(self, cache: str, says: str, *argv: str, **env: str):
        done = subprocess.run([str(paths.HARNESS / "run"), *argv], capture_output=True, text=True, check=False,
                              env=dict(os.environ, XDG_CACHE_HOME=cache, **env))
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, said)
        self.assertNotIn("Traceback", said)
        self.assertRegex(said, says)

    def test_unreachable_archive(self):
        with tempfile.TemporaryDirectory() as cache:
            started = time.monotonic()
            self.refused(cache, "apt-get update.* failed", "-k", "bullseye-5.10", "-s", "smoke",
                         MOCKVISOR_ARCHIVE="http://127.0.0.1:9/debian")
            self.assertLess(time.monotonic() - started, 60)
            self.assertEqual(list(Path(cache).glob("mockvisor/kernels/*")), [])

    def test_offline_without_a_cache(self):
        with tempfile.TemporaryDirectory() as cache:
            self.refused(cache, "--offline was given but no package list", "-k", "sid-newest", "-s", "smoke", "--offline")

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_full_disk(self):
        with tempfile.TemporaryDirectory() as cache:
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", cache], check=False).returncode:
                self.skipTest("no mounts here")
            try:
                self.refused(cache, "No space left|failed|could not be", "-k", "bullseye-5.10", "-s", "smoke")
                self.assertEqual(list(Path(cache).glob("mockvisor/kernels/[0-9]*")), [])
            finally:
                subprocess.run(["umount", cache], check=False)


if __name__ == "__main__":
    unittest.main()
