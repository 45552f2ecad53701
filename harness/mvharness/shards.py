# SPDX-License-Identifier: MIT
"""One kernel's suites divided over several guests, and what they say put together again."""

from dataclasses import replace

from .results import Case, SuiteResult, Verdict
from .suites import Suite

# from good to bad
ORDER = (Verdict.PASS, Verdict.SKIP, Verdict.NOTHING, Verdict.FAIL, Verdict.TIMEOUT, Verdict.LOST, Verdict.CRASH)


def divide(suites: list[Suite], guests: int) -> list[list[Suite]]:
    """What each guest runs. GoogleTest gives every n-th case of a program to each; other suites are the first guest's."""
    if guests == 1 or not any(suite.kind == "gtest" for suite in suites):
        return [suites]
    out = []
    for index in range(guests):
        share = {"GTEST_TOTAL_SHARDS": str(guests), "GTEST_SHARD_INDEX": str(index)}
        out.append([replace(suite, env=suite.env | share) if suite.kind == "gtest" else suite
                    for suite in suites if suite.kind == "gtest" or index == 0])
    return out


def _worst(results):
    return max(results, key=lambda result: ORDER.index(result.verdict))


def _unite(shares: list[SuiteResult]) -> SuiteResult:
    # a small suite may have nothing for one of them
    ran = [share for share in shares if share.verdict is not Verdict.NOTHING] or shares[:1]
    worst = _worst(ran)
    if worst.verdict is Verdict.SKIP:
        worst = min(ran, key=lambda share: ORDER.index(share.verdict))
    cases: dict[str, list[Case]] = {}
    for share in ran:
        for case in share.cases:
            cases.setdefault(case.name, []).append(case)
    return replace(worst, cases=[_worst(same) for same in cases.values()], seconds=max(share.seconds for share in ran))


def unite(parts: list[list[SuiteResult]]) -> list[SuiteResult]:
    """A result for each suite, and one for the module: good if it is in all guests."""
    by_name: dict[str, list[SuiteResult]] = {}
    for part in parts:
        for result in part:
            by_name.setdefault(result.name, []).append(result)
    return [_unite(shares) for shares in by_name.values()]
