# SPDX-License-Identifier: MIT
"""Bad input gets one sentence and exit code 2; the counting of scripts/test."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

from mvharness import accel, acrndm, cli, paths, suites, teststages
from mvharness.results import Counts


class CommandLineTest(unittest.TestCase):
    def refuse(self, *argv: str, says: str):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = cli.answer(list(argv))
        self.assertEqual(code, 2, said.getvalue())
        self.assertEqual(len(said.getvalue().splitlines()), 1, said.getvalue())
        self.assertIn(says, said.getvalue())

    def test_the_program_itself(self):
        done = subprocess.run([paths.HARNESS / "run", "-s", "nonsense"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)

    def test_bad_input(self):
        self.refuse("-s", "nonsense", says="valid: smoke")
        self.refuse("-k", "bash", says="no such kernel; valid: bullseye-5.10")
        self.refuse("-k", "/nonexistent/tree", says="no such directory")
        self.refuse("-k", "uml-6.1", "--flavor", "sugar", says="valid: atomic, fault, kasan")
        self.refuse("-k", "arm64-6.12", "--flavor", "kasan", says="flavors exist for amd64 and uml")
        self.refuse("-j", "many", says="number of kernels")
        self.refuse("--cpus", "0", says="number of CPUs")
        self.refuse("-k", "all", "--", "ls", says="one kernel")
        self.refuse("--accel", "hvf", says="valid form")
        self.refuse("--timeout", "soon", says="positive number of seconds")
        self.refuse("uname", says="follows `--`")
        self.refuse("--", says="needs a command")
        self.refuse("--shell", "--", "ls", says="--shell takes no command")
        self.refuse("-s", "glue", "--", "ls", says="either")
        self.refuse("--acrn-dm=lots", "--", "acrn-dm", says="a size in MiB")
        self.refuse("--acrn-dm", "-s", "glue", says="give it after `--`")
        self.refuse("--suites", "/bin/sh", "--list", says="not in the form of suites.toml")

    def test_numbers_have_ascii_digits(self):
        self.refuse("-j", "²", says="number of kernels")
        self.refuse("-j", "٣", says="number of kernels")
        self.refuse("--cpus", "²", says="number of CPUs")
        self.refuse("--acrn-dm=٣٣", "--", "true", says="a size in MiB")
        self.refuse("--acrn-dm=²", "--", "true", says="a size in MiB")
        self.refuse("--timeout", "٣", says="positive number of seconds")

    def test_no_kernel_at_all(self):
        self.refuse("-k", "", says="-k")
        self.refuse("-k", ",", says="-k")
        self.refuse("--list-json", "-k", "", says="-k")
        self.refuse("--list-json", "--flavor", "sugar", says="valid: atomic, fault, kasan")

    def test_what_does_not_go_together(self):
        for kind in ("junit", "html", "kcidb"):
            self.refuse(f"--{kind}", "/tmp/report", "--", "true", says=f"--{kind} is a report on suites")
        self.refuse("-k", "arm64-6.1", "--", "true", says="which arm64-6.1 cannot run or reach")
        self.refuse("-k", "uml-6.1", "--shell", says="which uml-6.1 cannot run or reach")
        self.refuse("-k", "uml-6.1", "--gdb", says="--gdb wants a kernel in QEMU")
        self.refuse("-k", "gate", "--gdb", says="--gdb wants one kernel")
        self.refuse("-s", "w1", "--gdb", says="--gdb wants a suite that runs in a guest")
        self.refuse("-s", "smoke", "--junit", "/nonexistent/j.xml", says="there is no directory /nonexistent")
        self.refuse("-s", "smoke", "--html", "/tmp", says="that is a directory")

    def test_memory_for_acrn_dm(self):
        # a guest of 128 MiB takes 72 pages of 2 MiB, and one for OVMF
        self.assertEqual(acrndm.pages(128), 73)
        self.assertEqual(acrndm.pages(129), 74)
        self.assertGreater(acrndm.machine_mib(128), 2 * acrndm.pages(128) + 512)

    def test_list(self):
        done = subprocess.run([paths.HARNESS / "run", "--list"], capture_output=True, text=True, check=True)
        for name in suites.load():
            self.assertIn(name, done.stdout)


class AccelTest(unittest.TestCase):
    def test_the_probe_guest_runs(self):
        self.assertIsNone(accel.probe_guest("tcg", 10))

    def test_a_probe_that_cannot_run_says_why(self):
        self.assertTrue(accel.probe_guest("no-such-accelerator", 10))


class StagesTest(unittest.TestCase):
    def test_unittest_output(self):
        text = "...\nRan 12 tests in 0.1s\n\nFAILED (failures=2, errors=1, skipped=3)\n"
        self.assertEqual(teststages.count_unittest(text), Counts(6, 3, 3))
        self.assertEqual(teststages.count_unittest("Traceback"), Counts())

    def test_junit_output(self):
        with tempfile.TemporaryDirectory() as work:
            path = Path(work) / "j.xml"
            path.write_text('<testsuite><testcase status="run"/><testcase status="fail"><failure/></testcase>'
                            '<testcase status="notrun"><skipped/></testcase></testsuite>')
            self.assertEqual(teststages.count_junit(path), Counts(1, 1, 1))
            self.assertEqual(teststages.count_junit(Path(work) / "none"), Counts())

    def test_a_stage_that_runs_nothing_fails(self):
        stages = [teststages.Stage("empty", lambda c: Counts()), teststages.Stage("full", lambda c: Counts(2))]
        total, rows = teststages.run_stages(stages, teststages.Context(Path("/nonexistent")))
        self.assertEqual(total, Counts(2, 1))
        self.assertEqual(rows[0][3], "ran nothing")

    def test_every_test_in_a_process_of_its_own(self):
        text = """
            import os, pathlib, unittest
            seen = []
            class Some(unittest.TestCase):
                def test_a(self): seen.append("a"); self.assertEqual(seen, ["a"])
                def test_b(self): seen.append("b"); self.assertEqual(seen, ["b"])
                def test_c(self): self.fail("on purpose")
                @unittest.skip("on purpose")
                def test_d(self): pass
            """
        with tempfile.TemporaryDirectory() as work:
            tests = Path(work) / "harness/tests"
            tests.mkdir(parents=True)
            (tests / "__init__.py").touch()
            (tests / "some_each.py").write_text(textwrap.dedent(text))
            (tests / "other_each.py").write_text("import no_such_module\n")
            script = ("from mvharness import teststages; from pathlib import Path; "
                      f"context = teststages.Context(Path(), Path({work!r})); "
                      "print(teststages.check_python_each('*_each.py')(context), len(context.failures))")
            done = subprocess.run([sys.executable, "-c", script], cwd=work, text=True, capture_output=True, check=True,
                                  env=os.environ | {"PYTHONPATH": f"harness:{paths.HARNESS}"})
        self.assertIn("Counts(passed=2, failed=2, skipped=1) 2", done.stdout)

    def test_a_bad_exit_without_a_failed_case_is_a_failure(self):
        self.assertEqual(teststages.must(Counts(5), 1), Counts(5, 1))
        self.assertEqual(teststages.must(Counts(5), 0), Counts(5))
