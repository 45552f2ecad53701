# SPDX-License-Identifier: MIT
"""Recorded logs in, verdicts out. Above all: nothing but success is green."""

import json
import unittest
import xml.etree.ElementTree as ET

from mvharness import cells, htmlreport, report, rows, verdict
from mvharness.results import Case, SuiteResult, Verdict, count, green
from mvharness.suites import Suite
from mvharness.verdict import BootRecord

GOOD = "up\nloaded mockvisor\nsuite s begin\nsuite s exit 0 1.50\nunloaded mockvisor\nsuccess\n"
OOPS = """[    1.813133] BUG: kernel NULL pointer dereference, address: 0000000000000000
[    1.813879] Oops: 0002 [#1] PREEMPT SMP NOPTI
[    1.824258] Kernel panic - not syncing: Fatal exception
"""
GTEST = {"testsuites": [{"name": "Walk", "testsuite": [
    {"name": "Steps", "status": "RUN", "result": "COMPLETED", "time": "0.25s"},
    {"name": "Waits", "status": "RUN", "result": "SKIPPED", "time": "0s"},
    {"name": "Filtered", "status": "NOTRUN", "result": "SUPPRESSED", "time": "0s"},
]}]}
PRINTED = """MVSUITE s
[ RUN      ] Walk.Steps
[       OK ] Walk.Steps (250 ms)
[ RUN      ] Walk.Waits
t.cc:9: Skipped
needs two vCPUs
[  SKIPPED ] Walk.Waits (0 ms)
"""
SUITE = Suite("s", "gtest", "a suite", "prog")


def record(**changes) -> BootRecord:
    base = {"status": 1, "verdict": GOOD, "console": "[ 0.0] Linux version 6.1\n", "output": PRINTED,
            "files": {"s.json": json.dumps(GTEST).encode()}, "limit": 60}
    return BootRecord(**{**base, **changes})


def judge(**changes):
    what = record(**changes)
    return verdict.judge_boot(what), *verdict.judge([SUITE], what)


class VerdictTest(unittest.TestCase):
    def test_success(self):
        boot, module, suite = judge()
        self.assertEqual((boot.verdict, module.verdict, suite.verdict), (Verdict.PASS,) * 3)
        self.assertEqual(count([suite]).line(), "1 passed, 0 failed, 1 skipped")
        self.assertEqual(suite.cases[1].message, "needs two vCPUs")

    def expect(self, verdicts, **changes):
        boot, module, suite = judge(**changes)
        self.assertEqual((boot.verdict, module.verdict, suite.verdict), verdicts)
        self.assertFalse(green([module, suite]))
        self.assertGreater(count([module, suite]).failed, 0)

    def test_panic(self):
        self.expect((Verdict.CRASH,) * 3, status=0, console=OOPS, files={}, output="",
                    verdict="up\nloaded mockvisor\nsuite s begin\n")

    def test_splat_that_was_survived(self):
        self.expect((Verdict.FAIL, Verdict.FAIL, Verdict.PASS),
                    console="[ 2.0] WARNING: CPU: 0 PID: 86 at a.c:19 f+0x59\n")

    def test_splat_that_only_the_kernel_log_has(self):
        self.expect((Verdict.FAIL, Verdict.FAIL, Verdict.PASS), kmsg="[ 2.0] BUG: sleeping function called\n")

    def test_success_missing(self):
        self.expect((Verdict.LOST, Verdict.LOST, Verdict.PASS), verdict=GOOD.replace("success\n", ""))

    def test_silence(self):
        self.expect((Verdict.LOST,) * 3, status=0, verdict="", files={}, output="")

    def test_success_with_a_wrong_exit_status(self):
        self.expect((Verdict.LOST, Verdict.LOST, Verdict.PASS), status=0)

    def test_hang(self):
        self.expect((Verdict.TIMEOUT,) * 3, status=None, verdict="up\nloaded mockvisor\nsuite s begin\n", files={})

    def test_suite_killed_at_its_limit(self):
        text = GOOD.replace("exit 0 1.50", "timeout 10 10.02").replace("success", "failed 1")
        self.expect((Verdict.FAIL, Verdict.PASS, Verdict.TIMEOUT), verdict=text, files={})

    def test_program_died(self):
        text = GOOD.replace("exit 0 1.50", "signal 11 1.00").replace("success", "failed 1")
        boot, _, suite = judge(verdict=text, files={}, output="MVSUITE s\n[ RUN      ] Walk.Steps\nboom\n")
        self.assertEqual(suite.verdict, Verdict.CRASH)
        self.assertEqual((suite.cases[0].name, suite.cases[0].verdict), ("Walk.Steps", Verdict.CRASH))
        self.assertEqual(boot.verdict, Verdict.FAIL)

    def test_zero_cases(self):
        self.expect((Verdict.PASS, Verdict.PASS, Verdict.NOTHING), files={"s.json": b'{"testsuites": []}'})

    def test_results_missing(self):
        self.expect((Verdict.PASS, Verdict.PASS, Verdict.NOTHING), files={}, output="MVSUITE s\n")

    def test_rmmod_refused(self):
        text = GOOD.replace("unloaded mockvisor", "error rmmod mockvisor: Device busy").replace("success", "failed 1")
        self.expect((Verdict.FAIL, Verdict.FAIL, Verdict.PASS), verdict=text)

    def test_pid_1_says_failed_and_nobody_knows_why(self):
        self.expect((Verdict.FAIL, Verdict.FAIL, Verdict.PASS), verdict=GOOD.replace("success", "failed 1"))

    def test_module_not_loaded(self):
        text = "up\nerror insmod /mv/mockvisor.ko: Exec format error\nsuite s begin\nsuite s exit 1 0.1\nfailed 2\n"
        self.expect((Verdict.FAIL, Verdict.FAIL, Verdict.FAIL), verdict=text, files={})

    def test_a_guest_that_never_came_up_has_no_good_case(self):
        what = record(status=0, verdict="", console="", files={}, output="")
        self.assertEqual(count(verdict.judge([SUITE], what)[:1]).passed, 0)

    def test_a_command_s_reason_is_its_own(self):
        text = GOOD.replace("exit 0", "exit 3").replace("success", "failed 1")
        what = record(verdict=text, files={}, output="MVSUITE s\nno such page\n")
        suite = verdict.judge([Suite("s", "cmd", "a command", "prog")], what)[1]
        self.assertEqual((suite.verdict, suite.reason), (Verdict.FAIL, "exit code 3; it last said: no such page"))

    def test_all_skipped_is_not_green(self):
        suite = SuiteResult("s", Verdict.PASS, cases=[Case("a", Verdict.SKIP, message="why")]).settle()
        self.assertEqual(suite.verdict, Verdict.SKIP)
        self.assertFalse(green([suite]))


class ReportTest(unittest.TestCase):
    def suites(self):
        _, module, suite = judge()
        bad = SuiteResult("bad", Verdict.CRASH, "died", [], repeat="harness/run -s bad", log="/x").settle()
        return [module, suite, bad]

    def test_ktap(self):
        text = report.ktap(self.suites())
        self.assertIn("1..3\n", text)
        self.assertIn("  ok 1 Walk.Steps\n  ok 2 Walk.Waits # SKIP needs two vCPUs\nok 2 s\n", text)
        self.assertIn("not ok 3 bad\n# crash: died\n# log: /x\n# repeat: harness/run -s bad\n", text)

    def test_what_a_guest_prints_does_not_steer_a_terminal(self):
        bad = SuiteResult("s", Verdict.FAIL, "bye \x1b[2J", [Case("c", Verdict.FAIL, 0.0, "\0\x1b[2J")])
        cell = cells.CellResult(rows.Row("k"), "6.1", "tcg", [bad])
        for text in (report.ktap([bad]), report.failures([cell]), htmlreport.render([cell])):
            self.assertNotRegex(text, "[\0\x1b]")

    def test_junit(self):
        suites = self.suites()
        suites[2].cases[0].message = "control \x1b[31m character"
        root = ET.fromstring(report.junit(suites, {"kernel": "6.1"}))
        self.assertEqual((root.get("tests"), root.get("failures"), root.get("skipped")), ("8", "1", "1"))
        self.assertEqual(len(list(root.iter("testcase"))), 8)
