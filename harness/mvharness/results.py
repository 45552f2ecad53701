# SPDX-License-Identifier: MIT
"""Verdicts, and what carries them: a run has suites, a suite has cases. Only `pass` is green."""

import enum
from dataclasses import dataclass, field


class Verdict(enum.Enum):
    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    CRASH = "crash"  # the program died of a signal, or the guest's kernel panicked
    LOST = "lost"  # the guest ended without a word
    TIMEOUT = "timeout"
    NOTHING = "ran nothing"


@dataclass
class Case:
    name: str
    verdict: Verdict
    seconds: float = 0.0
    message: str = ""  # the skip's reason or the failure's text


@dataclass
class SuiteResult:
    name: str
    verdict: Verdict
    reason: str = ""
    cases: list[Case] = field(default_factory=list)
    seconds: float = 0.0
    repeat: str = ""  # the command that runs just this again
    log: str = ""

    def settle(self) -> "SuiteResult":
        """Makes the cases account for the verdict, so that counting cases counts everything."""
        if self.verdict is Verdict.PASS:
            if any(case.verdict not in (Verdict.PASS, Verdict.SKIP) for case in self.cases):
                self.verdict, self.reason = Verdict.FAIL, self.reason or "a case failed"
            elif not any(case.verdict is Verdict.PASS for case in self.cases):
                if self.cases:
                    self.verdict, self.reason = Verdict.SKIP, "every case was skipped"
                else:
                    self.verdict, self.reason = Verdict.NOTHING, "it ran no case"
        bad = [c for c in self.cases if c.verdict not in (Verdict.PASS, Verdict.SKIP)]
        if self.verdict not in (Verdict.PASS, Verdict.SKIP) and not bad:
            self.cases.append(Case(f"({self.verdict.value})", self.verdict, 0.0, self.reason))
        return self

    @property
    def ran(self) -> bool:
        """Whether a case of its own says something: settle() adds one in brackets where none does."""
        return any(not case.name.startswith("(") for case in self.cases)


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def line(self) -> str:
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")

    @property
    def green(self) -> bool:
        return self.failed == 0 and self.passed > 0


def count(suites: list[SuiteResult]) -> Counts:
    total = Counts()
    for suite in suites:
        for case in suite.cases:
            total += Counts(case.verdict is Verdict.PASS, case.verdict not in (Verdict.PASS, Verdict.SKIP),
                            case.verdict is Verdict.SKIP)
    return total


def green(suites: list[SuiteResult]) -> bool:
    """A suite all of whose cases were skipped is yellow: it does not fail a run in which others passed."""
    return count(suites).green and all(s.verdict in (Verdict.PASS, Verdict.SKIP) for s in suites)
