# SPDX-License-Identifier: MIT
"""Reads what GoogleTest and Google Benchmark leave behind."""

import json
import re

from .results import Case, Verdict

LINE = re.compile(r"^\[ *(?P<tag>RUN|OK|FAILED|SKIPPED) *\] (?P<name>[^\s,(]+)(?:.*\((?P<ms>\d+) ms\))?\s*$")
NO_REASON = "no reason given"


def cases_from_json(text: str) -> list[Case]:
    """Cases of a --gtest_output=json file; tests that the filter left out are not cases."""
    cases = []
    for suite in json.loads(text).get("testsuites", []):
        for test in suite.get("testsuite", []):
            if test.get("status") == "NOTRUN" or test.get("result") == "SUPPRESSED":
                continue
            name = f"{suite['name']}.{test['name']}"
            seconds = float(str(test.get("time", "0")).rstrip("s") or 0)
            failures = [f.get("failure", "") for f in test.get("failures", [])]
            if failures:
                cases.append(Case(name, Verdict.FAIL, seconds, "\n".join(failures)))
            elif test.get("result") == "SKIPPED":
                reason = " ".join(s.get("message", "") for s in test.get("skipped", []))
                cases.append(Case(name, Verdict.SKIP, seconds, _reason(reason)))
            else:
                cases.append(Case(name, Verdict.PASS, seconds))
    return cases


def _reason(text: str) -> str:
    """GTEST_SKIP() puts file:line first; the reason is what follows."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not re.match(r"^\S+:\d+(: Skipped)?$", line) and line != "Skipped"]
    return " ".join(lines) or NO_REASON


def cases_from_output(text: str) -> list[Case]:
    """What the printed lines tell when the program died before it wrote JSON; the open case is the one that died."""
    cases: list[Case] = []
    running = None
    said: list[str] = []
    for line in text.splitlines():
        match = LINE.match(line.rstrip())
        if not match:
            if running:
                said.append(line.rstrip())
            continue
        tag, name = match["tag"], match["name"]
        if tag == "RUN":
            running, said = name, []
        elif name == running:
            seconds = int(match["ms"] or 0) / 1000
            verdict = {"OK": Verdict.PASS, "FAILED": Verdict.FAIL, "SKIPPED": Verdict.SKIP}[tag]
            text_of = _reason("\n".join(said)) if verdict is Verdict.SKIP else "\n".join(said)
            cases.append(Case(name, verdict, seconds, "" if verdict is Verdict.PASS else text_of))
            running = None
    if running:
        cases.append(Case(running, Verdict.CRASH, 0.0, "\n".join([*said, "the program ended inside this test"]).strip()))
    return cases


def add_skip_reasons(cases: list[Case], output: str) -> None:
    """GoogleTest up to 1.12 leaves a skip's reason out of its JSON; the printed lines have it."""
    said = {c.name: c.message for c in cases_from_output(output) if c.verdict is Verdict.SKIP}
    for case in cases:
        if case.verdict is Verdict.SKIP and case.message == NO_REASON:
            case.message = said.get(case.name, NO_REASON)


def cases_from_benchmark(text: str) -> list[Case]:
    cases = []
    for row in json.loads(text).get("benchmarks", []):
        if row.get("run_type") == "aggregate":
            continue
        bad = row.get("error_occurred")
        cases.append(Case(row["name"], Verdict.FAIL if bad else Verdict.PASS, 0.0,
                          row.get("error_message", "") if bad else ""))
    return cases
