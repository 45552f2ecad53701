# SPDX-License-Identifier: MIT
"""The x86 kernel with the race detector: it finds a race, and sees coverage.  The newest User Mode Linux: it finds who
could sleep where one must not.

They take ten and three minutes to build, so scripts/test runs this with --sanitizers only; or: python3 -m unittest
discover -s harness/tests -t harness -p 'sanitizer_*.py'
"""

import subprocess
import unittest

from mvharness import paths

FIXTURES = paths.HARNESS / "tests/fixtures"
RACES = "x86-kcsan"
ATOMIC = "uml-atomic"


def run(kernel: str, *argv: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(paths.HARNESS / "run"), "-k", kernel, *argv], capture_output=True, text=True, check=False)


def run_fixture(kernel: str, suite: str) -> subprocess.CompletedProcess:
    return run(kernel, "--source", str(FIXTURES / "module"), "--suites", str(FIXTURES / "suites.toml"), "-s", suite)


class RaceTest(unittest.TestCase):
    def test_a_race_is_found(self):
        done = run_fixture(RACES, "fault-race")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"KCSAN: data-race in (fixture_write|race|racer)")

    def test_nothing_is_found_where_nothing_is_wrong(self):
        done = run_fixture(RACES, "nothing-wrong")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_coverage(self):
        done = run(RACES, "-s", "coverage")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class AtomicSleepTest(unittest.TestCase):
    def test_a_call_that_could_sleep_is_found(self):
        done = run_fixture(ATOMIC, "fault-atomic-sleep")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, "sleeping function called from invalid context")

    def test_nothing_is_found_where_nothing_is_wrong(self):
        done = run_fixture(ATOMIC, "nothing-wrong")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
