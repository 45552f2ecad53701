# SPDX-License-Identifier: MIT
"""KTAP for the terminal (Documentation/dev-tools/ktap.rst) and JUnit XML for machines."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING

from .results import SuiteResult, Verdict, count, green

if TYPE_CHECKING:
    from .cells import CellResult

CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


def plain(text: str) -> str:
    """Guests print what they like; it must not steer a terminal, nor make XML invalid."""
    return CONTROL.sub("?", text)


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _diagnostics(text: str, indent: str, limit: int = 30) -> list[str]:
    lines = plain(text).splitlines()
    out = [f"{indent}# {line}" for line in lines[:limit]]
    if len(lines) > limit:
        out.append(f"{indent}# ... {len(lines) - limit} more lines in the log")
    return out


def ktap(suites: list[SuiteResult]) -> str:
    out = ["KTAP version 1", f"1..{len(suites)}"]
    for number, suite in enumerate(suites, 1):
        out += ["  KTAP version 1", f"  # Subtest: {suite.name}", f"  1..{len(suite.cases)}"]
        for index, case in enumerate(suite.cases, 1):
            if case.verdict is Verdict.PASS:
                out.append(f"  ok {index} {case.name}")
            elif case.verdict is Verdict.SKIP:
                out.append(f"  ok {index} {case.name} # SKIP {_one_line(case.message)}".rstrip())
            else:
                out.append(f"  not ok {index} {case.name}")
                if case.verdict is not Verdict.FAIL:
                    out.append(f"  # {case.verdict.value}")
                out += _diagnostics(case.message, "  ")
        if suite.verdict is Verdict.PASS:
            out.append(f"ok {number} {suite.name}")
        elif suite.verdict is Verdict.SKIP:
            out.append(f"ok {number} {suite.name} # SKIP {_one_line(suite.reason)}")
        else:
            out.append(f"not ok {number} {suite.name}")
            out.append(f"# {suite.verdict.value}: {_one_line(suite.reason)}")
            if suite.log:
                out.append(f"# log: {suite.log}")
            if suite.repeat:
                out.append(f"# repeat: {suite.repeat}")
    return "\n".join(out) + "\n"


def ktap_cells(cells: list[CellResult]) -> str:
    """A tree: kernel, suite, case. One kernel needs no level of its own."""
    if len(cells) == 1:
        return ktap(cells[0].suites)
    out = ["KTAP version 1", f"1..{len(cells)}"]
    for number, cell in enumerate(cells, 1):
        out += [f"  {line}" for line in ktap(cell.suites).splitlines()]
        out.append(f"{'ok' if green(cell.suites) else 'not ok'} {number} {cell.name}")
    return "\n".join(out) + "\n"


def brief(suite: SuiteResult | None) -> str:
    """A cell of the table: the verdict, and how many of its cases passed."""
    if suite is None:
        return "-"
    mine = count([suite])
    if suite.verdict is Verdict.PASS:
        return f"pass {mine.passed}" + (f" ({mine.skipped} skipped)" if mine.skipped else "")
    if suite.verdict is Verdict.FAIL and mine.passed:
        return f"FAIL {mine.failed} of {mine.passed + mine.failed}"
    return suite.verdict.value if suite.verdict is Verdict.SKIP else suite.verdict.value.upper()


def columns(cells: list[CellResult]) -> list[str]:
    """Every suite that any cell knows of, in the order of first appearance."""
    return list(dict.fromkeys(suite.name for cell in cells for suite in cell.suites))


def table(cells: list[CellResult]) -> str:
    """Kernel by suite, with the exact version and the time of each."""
    names = columns(cells)
    rows = [["kernel", *names, "seconds", "version"]]
    for cell in cells:
        have = {suite.name: suite for suite in cell.suites}
        rows.append([cell.name, *(brief(have.get(name)) for name in names), f"{cell.seconds:.1f}", cell.kernel or "-"])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows) + "\n"


def failures(cells: list[CellResult]) -> str:
    """For each failure the command that repeats it, and where its log is."""
    out = []
    for cell in cells:
        for suite in cell.suites:
            if suite.verdict in (Verdict.PASS, Verdict.SKIP):
                continue
            out.append(f"{cell.name} {suite.name}: {suite.verdict.value}: {_one_line(suite.reason)[:240]}")
            if suite.repeat:
                out.append(f"  repeat: {suite.repeat}")
            if suite.log:
                out.append(f"  log:    {suite.log}")
    return "\n".join(out) + "\n" if out else ""


def junit_cells(cells: list[CellResult]) -> bytes:
    """A test suite per kernel and suite; with one kernel the suites' names are their own."""
    parts = []
    for cell in cells:
        properties = {"kernel": cell.kernel, "accelerator": cell.engine, "row": cell.name}
        parts += [(suite if len(cells) == 1 else replace(suite, name=f"{cell.name}.{suite.name}"), properties)
                  for suite in cell.suites]
    return _junit(parts)


def junit(suites: list[SuiteResult], properties: dict[str, str] | None = None) -> bytes:
    return _junit([(suite, properties or {}) for suite in suites])


def _junit(parts: list[tuple[SuiteResult, dict[str, str]]]) -> bytes:
    total = count([suite for suite, _ in parts])
    root = ET.Element("testsuites", tests=str(total.passed + total.failed + total.skipped),
                      failures=str(total.failed), skipped=str(total.skipped))
    for suite, properties in parts:
        mine = count([suite])
        node = ET.SubElement(root, "testsuite", name=suite.name, tests=str(len(suite.cases)),
                             failures=str(mine.failed), skipped=str(mine.skipped), time=f"{suite.seconds:.3f}")
        if properties:
            box = ET.SubElement(node, "properties")
            for key, value in properties.items():
                ET.SubElement(box, "property", name=key, value=value)
        for case in suite.cases:
            entry = ET.SubElement(node, "testcase", classname=suite.name, name=case.name, time=f"{case.seconds:.3f}")
            message = plain(case.message)
            if case.verdict is Verdict.SKIP:
                ET.SubElement(entry, "skipped", message=_one_line(message))
            elif case.verdict is not Verdict.PASS:
                fail = ET.SubElement(entry, "failure", type=case.verdict.value, message=_one_line(message)[:200])
                fail.text = message
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)
