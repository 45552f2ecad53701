# SPDX-License-Identifier: MIT
"""The x86 kernel with the race detector: it finds a race, and sees coverage.

It takes ten minutes to build, so scripts/test runs this with --sanitizers only; or: python3 -m unittest discover
-s harness/tests -t harness -p 'sanitizer_*.py'
"""

import subprocess
import unittest

from mvharness import paths

FIXTURES = paths.HARNESS / "tests/fixtures"
KERNEL = "x86-kcsan"


def run(*argv: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(paths.HARNESS / "run"), "-k", KERNEL, *argv], capture_output=True, text=True, check=False)


def run_fixture(suite: str) -> subprocess.CompletedProcess:
    return run("--source", str(FIXTURES / "module"), "--suites", str(FIXTURES / "suites.toml"), "-s", suite)


class RaceTest(unittest.TestCase):
    def test_a_race_is_found(self):
        done = run_fixture("fault-race")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"KCSAN: data-race in (fixture_write|race|racer)")

    def test_nothing_is_found_where_nothing_is_wrong(self):
        done = run_fixture("nothing-wrong")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_coverage(self):
        done = run("-s", "coverage")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
