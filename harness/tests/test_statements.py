# SPDX-License-Identifier: MIT
"""The table of statements: what is tested, what is missing, what failed where."""

import unittest

from mvharness import cells, rows, statements
from mvharness.results import Case, SuiteResult, Verdict
from mvharness.suites import Suite

SUITE = Suite("glue", "gtest", "drivers", statements={"Acrn": 3, "Gunyah": 1}, statements_due=("Acrn",))


def cell(name: str, *cases: Case, verdict: Verdict = Verdict.PASS) -> cells.CellResult:
    return cells.CellResult(rows.Row(name), "6.1", "tcg", [SuiteResult("glue", verdict, "", list(cases)).settle()])


class AbsentTest(unittest.TestCase):
    def test_a_program_that_is_not_built_is_one_failure(self):
        absent = [cell("k", verdict=Verdict.FAIL)]
        self.assertEqual(statements.untested(SUITE, absent), [])
        self.assertEqual(statements.table(SUITE, absent), "")


def passed(name: str) -> Case:
    return Case(name, Verdict.PASS)


ONE = passed("AcrnState.Statement1_UnknownCalls")
TWO = passed("AcrnVm.Statement2_256Segments/0")


class StatementsTest(unittest.TestCase):
    def test_names(self):
        known = SUITE.statements
        self.assertEqual(statements.of("AcrnVm.Statement16_256Segments", known), ("Acrn", 16))
        self.assertEqual(statements.of("GunyahRun.Statement2_Stop", known), ("Gunyah", 2))
        self.assertEqual(statements.of("Access/GunyahForm.Statement20_Aborts/Pair", known), ("Gunyah", 20))
        for name in ("AcrnVm.Segments", "Other.Statement1_X", "AcrnVm.Statement_X", "AcrnVm.Statement1X"):
            self.assertIsNone(statements.of(name, known), name)

    def test_table(self):
        bad = Case("AcrnVm.Statement2_Other", Verdict.FAIL, 0, "why")
        skip = Case("AcrnState.Statement1_UnknownCalls", Verdict.SKIP, 0, "why")
        text = statements.table(SUITE, [cell("old", ONE, TWO, bad), cell("new", skip, TWO)])
        self.assertEqual([line.split("  ") for line in " ".join(text.split(" ")).strip().splitlines()][0][0], "statement")
        lines = [[part.strip() for part in line.split("  ") if part.strip()] for line in text.strip().splitlines()]
        self.assertEqual(lines, [
            ["statement", "old", "new", "tests"],
            ["Acrn 1", "pass 1", "skip", "AcrnState.UnknownCalls"],
            ["Acrn 2", "FAIL 1 of 2", "pass 1", "AcrnVm.256Segments/0, AcrnVm.Other"],
            ["Acrn 3", "-", "-", "missing"],
            ["Gunyah 1", "-", "-", "missing"],
        ])

    def test_other_suites_count_too(self):
        both = cell("old", ONE)
        both.suites.append(SuiteResult("core", Verdict.PASS, "", [passed("On/AcrnCore.Statement1_Byte/inproc_i386")]).settle())
        lines = statements.table(SUITE, [both]).splitlines()
        self.assertEqual([part.strip() for part in lines[2].split("  ") if part.strip()],
                         ["Acrn 1", "pass 2", "AcrnState.UnknownCalls, AcrnCore.Byte/inproc_i386"])

    def test_a_number_beyond_the_last_is_shown(self):
        self.assertIn("Acrn 4", statements.table(SUITE, [cell("old", passed("AcrnVm.Statement4_X"))]))

    def test_nothing_to_show(self):
        self.assertEqual(statements.table(Suite("glue", "gtest", ""), [cell("old", ONE)]), "")
        self.assertEqual(statements.table(SUITE, [cells.CellResult(rows.Row("x"), "", "")]), "")

    def test_untested(self):
        self.assertEqual(statements.untested(SUITE, [cell("old", ONE), cell("new", TWO)]), ["Acrn 3"])
        three = passed("AcrnVm.Statement3_X")
        self.assertEqual(statements.untested(SUITE, [cell("old", ONE, TWO, three)]), [])

    def test_a_guest_that_died_proves_nothing(self):
        self.assertEqual(statements.untested(SUITE, [cell("old", ONE, verdict=Verdict.CRASH)]), [])


if __name__ == "__main__":
    unittest.main()
