# SPDX-License-Identifier: MIT
"""Suites divided over guests: every case runs once, and no failure gets lost when the results are put together."""

import unittest

from mvharness import shards
from mvharness.results import Case, SuiteResult, Verdict
from mvharness.suites import Suite

PASS, FAIL, SKIP, LOST, NOTHING = Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.LOST, Verdict.NOTHING


def result(verdict: Verdict, *cases: tuple[str, Verdict], name: str = "s", log: str = "") -> SuiteResult:
    return SuiteResult(name, verdict, "", [Case(*case) for case in cases], log=log).settle()


class ShardsTest(unittest.TestCase):
    def test_divided(self):
        both = [Suite("g", "gtest", "", env={"A": "1"}), Suite("c", "c", "")]
        self.assertEqual(shards.divide(both, 1), [both])
        self.assertEqual(shards.divide(both[1:], 2), [both[1:]])
        first, second = shards.divide(both, 2)
        self.assertEqual([[s.name for s in first], [s.name for s in second]], [["g", "c"], ["g"]])
        self.assertEqual([part[0].env for part in (first, second)],
                         [{"A": "1", "GTEST_TOTAL_SHARDS": "2", "GTEST_SHARD_INDEX": str(n)} for n in (0, 1)])

    def united(self, *shares: SuiteResult) -> SuiteResult:
        out, = shards.unite([[share] for share in shares])
        return out

    def test_all_cases_are_there(self):
        both = self.united(result(PASS, ("a", PASS)), result(PASS, ("b", PASS), ("c", SKIP)))
        self.assertEqual((both.verdict, [case.name for case in both.cases]), (PASS, ["a", "b", "c"]))

    def test_the_worst_counts(self):
        for bad in (result(FAIL, ("b", FAIL), log="here"), result(LOST, log="here")):
            for shares in ((result(PASS, ("a", PASS)), bad), (bad, result(PASS, ("a", PASS)))):
                both = self.united(*shares)
                self.assertEqual((both.verdict, both.log), (bad.verdict, "here"))
                self.assertEqual(sum(case.verdict is bad.verdict for case in both.cases), 1)

    def test_the_module_is_good_in_all_or_not(self):
        both = self.united(result(PASS, ("rmmod", PASS)), result(FAIL, ("rmmod", FAIL)))
        self.assertEqual((both.verdict, [case.verdict for case in both.cases]), (FAIL, [FAIL]))

    def test_nothing_for_one(self):
        self.assertEqual(self.united(result(PASS, ("a", PASS)), result(PASS)).verdict, PASS)
        self.assertEqual(self.united(result(PASS), result(PASS)).verdict, NOTHING)
        self.assertEqual(self.united(result(PASS, ("a", SKIP)), result(PASS, ("b", PASS))).verdict, PASS)
        self.assertEqual(self.united(result(PASS, ("a", SKIP)), result(PASS, ("b", SKIP))).verdict, SKIP)


if __name__ == "__main__":
    unittest.main()
