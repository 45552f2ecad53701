# SPDX-License-Identifier: MIT
"""From what a boot left behind to verdicts. Pure functions: recorded logs are enough to test them."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from . import gtest, qemu, splat
from .results import Case, SuiteResult, Verdict
from .suites import Suite

SUITE_LINE = re.compile(r"^suite (\S+) (begin|exit|signal|timeout)(?: (\d+) ([\d.]+))?$")


@dataclass
class BootRecord:
    """Everything that a boot left behind."""

    status: int | None  # QEMU's exit status, None if we killed it at the limit
    verdict: str
    console: str
    kmsg: str = ""
    output: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    limit: float = 0.0
    clean: int = qemu.CLEAN_EXIT  # the status of a guest that ended well


class Outcome(NamedTuple):
    verdict: Verdict
    reason: str


def judge_boot(record: BootRecord) -> Outcome:
    """The boot as a whole. `fail` means that PID 1 reached its end and says that something went wrong."""
    lines = record.verdict.splitlines()
    panic = splat.panic(record.console)
    if panic:
        return Outcome(Verdict.CRASH, f"the guest's kernel panicked: {panic}")
    if record.status is None:
        where = "before PID 1 said a word" if "up" not in lines else f"after `{lines[-1]}`"
        return Outcome(Verdict.TIMEOUT, f"the guest did not end within {record.limit:g} s; it hung {where}")
    splats = splat.find(record.console) or splat.find(record.kmsg)
    if "success" not in lines and not any(line.startswith("failed ") for line in lines):
        if splats:
            return Outcome(Verdict.CRASH, f"the guest ended early after: {splats[0]}")
        where = f"its last word was `{lines[-1]}`" if lines else "it never said a word"
        return Outcome(Verdict.LOST, f"the guest ended (QEMU status {record.status}) without a verdict; {where}")
    if splats:
        return Outcome(Verdict.FAIL, f"splat: {splats[0]}")
    if "success" not in lines:
        errors = [line for line in lines if line.startswith("error ")]
        return Outcome(Verdict.FAIL, errors[0] if errors else "a suite failed")
    if record.status != record.clean:
        return Outcome(Verdict.LOST, f"PID 1 said success but QEMU ended with status {record.status}")
    return Outcome(Verdict.PASS, "")


def judge_module(record: BootRecord, boot: Outcome) -> SuiteResult:
    """The guest and the module as a suite of their own: booted, loaded, unloaded, nothing in the log."""
    lines = record.verdict.splitlines()
    errors = [line.removeprefix("error ") for line in lines if line.startswith("error ")]

    def step(name: str, prefix: str) -> Case:
        if any(line.startswith(prefix) for line in lines):
            return Case(name, Verdict.PASS)
        verb = {"insmod": "insmod", "rmmod": "rmmod"}.get(name, "")
        mine = [e for e in errors if verb and e.startswith(verb)]
        if mine:
            return Case(name, Verdict.FAIL, 0.0, mine[0])
        bad = boot.verdict if boot.verdict is not Verdict.PASS else Verdict.FAIL
        return Case(name, bad, 0.0, boot.reason or "the step was not reached")

    cases = [step("boot", "up"), step("insmod", "loaded "), step("rmmod", "unloaded ")]
    others = [e for e in errors if not e.startswith(("insmod", "rmmod"))]
    if others:
        cases.append(Case("guest set-up", Verdict.FAIL, 0.0, "\n".join(others)))
    found = splat.find(record.console) or splat.find(record.kmsg)
    if "up" not in lines and not found:
        cases.append(Case("no splat", boot.verdict, 0.0, boot.reason))  # of a guest that never ran it says nothing
    else:
        cases.append(Case("no splat", Verdict.CRASH if boot.verdict is Verdict.CRASH else Verdict.FAIL if found
                          else Verdict.PASS, 0.0, "\n".join(found[:20])))
    if boot.verdict in (Verdict.CRASH, Verdict.TIMEOUT, Verdict.LOST):
        cases.append(Case("verdict", boot.verdict, 0.0, boot.reason))
    else:
        cases.append(Case("verdict", Verdict.PASS))
    bad = next((c for c in cases if c.verdict is not Verdict.PASS), None)
    if bad is None:
        return SuiteResult("module", Verdict.PASS, "", cases)
    worst = boot.verdict if boot.verdict is not Verdict.PASS else bad.verdict
    return SuiteResult("module", worst, boot.reason or bad.message, cases)


def judge(suites: list[Suite], record: BootRecord) -> list[SuiteResult]:
    """The module and the suites. If the boot was not good, at least one of them is not."""
    boot = judge_boot(record)
    module = judge_module(record, boot)
    results = [module, *(judge_suite(suite, record, boot) for suite in suites)]
    if boot.verdict is not Verdict.PASS and all(r.verdict in (Verdict.PASS, Verdict.SKIP) for r in results):
        module.verdict, module.reason = boot
        module.settle()
    return results


def output_of(record: BootRecord, suite: str) -> str:
    """The part of the guests' output that one suite printed."""
    parts = re.split(r"^MVSUITE (\S+)\r?\n", record.output, flags=re.M)
    return next((parts[i + 1] for i in range(1, len(parts) - 1, 2) if parts[i] == suite), "")


def judge_suite(suite: Suite, record: BootRecord, boot: Outcome) -> SuiteResult:
    """One suite of a boot: how its program ended, and what its cases say."""
    begun, ending = False, None
    for line in record.verdict.splitlines():
        match = SUITE_LINE.match(line)
        if match and match[1] == suite.name:
            begun = True
            if match[2] != "begin":
                ending = (match[2], int(match[3] or 0), float(match[4] or 0))
    cases, found = _cases(suite, record)
    result = SuiteResult(suite.name, Verdict.PASS, "", cases)
    if not begun:
        result.verdict = boot.verdict if boot.verdict is not Verdict.PASS else Verdict.LOST
        result.reason = f"it was never started; {boot.reason}".rstrip("; ")
    elif ending is None:
        result.verdict = boot.verdict if boot.verdict not in (Verdict.PASS, Verdict.FAIL) else Verdict.LOST
        result.reason = f"it never ended; {boot.reason}".rstrip("; ")
    else:
        how, code, result.seconds = ending
        if how == "timeout":
            result.verdict, result.reason = Verdict.TIMEOUT, f"it was killed after {code} s"
        elif how == "signal":
            result.verdict, result.reason = Verdict.CRASH, f"its program died of signal {code}" + _last_words(record, suite.name)
        elif suite.kind in ("cmd", "c"):
            if code:
                result.verdict, result.reason = Verdict.FAIL, f"exit code {code}" + _last_words(record, suite.name)
            result.cases = [Case(suite.name, result.verdict, result.seconds, result.reason)]
        elif code:
            result.verdict, result.reason = Verdict.FAIL, f"its program ended with code {code}"
            if not found:
                result.reason += _last_words(record, suite.name)
        elif not found:
            result.verdict, result.reason = Verdict.NOTHING, "its program wrote no results"
    return result.settle()


def _last_words(record: BootRecord, suite: str) -> str:
    said = [line for line in output_of(record, suite).splitlines() if line.strip()]
    return f"; it last said: {said[-1].strip()}" if said else "; it printed nothing"


def _cases(suite: Suite, record: BootRecord) -> tuple[list[Case], bool]:
    """The suite's cases and whether they come from a whole results file."""
    if suite.kind in ("cmd", "c"):
        return [], True
    read = gtest.cases_from_benchmark if suite.kind == "bench" else gtest.cases_from_json
    data = record.files.get(f"{suite.name}.json")
    if data is not None:
        try:
            cases = read(data.decode("utf-8", "replace"))
        except (ValueError, KeyError, TypeError):
            pass
        else:
            if suite.kind == "gtest":
                gtest.add_skip_reasons(cases, output_of(record, suite.name))
            return cases, True
    if suite.kind == "gtest":
        return gtest.cases_from_output(output_of(record, suite.name)), False
    return [], False
