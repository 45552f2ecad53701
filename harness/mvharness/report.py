# SPDX-License-Identifier: MIT
"""KTAP for the terminal (Documentation/dev-tools/ktap.rst) and JUnit XML for machines."""

import re
import xml.etree.ElementTree as ET

from .results import SuiteResult, Verdict, count

CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _diagnostics(text: str, indent: str, limit: int = 30) -> list[str]:
    lines = text.splitlines()
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


def junit(suites: list[SuiteResult], properties: dict[str, str] | None = None) -> bytes:
    total = count(suites)
    root = ET.Element("testsuites", tests=str(total.passed + total.failed + total.skipped),
                      failures=str(total.failed), skipped=str(total.skipped))
    for suite in suites:
        mine = count([suite])
        node = ET.SubElement(root, "testsuite", name=suite.name, tests=str(len(suite.cases)),
                             failures=str(mine.failed), skipped=str(mine.skipped), time=f"{suite.seconds:.3f}")
        if properties:
            box = ET.SubElement(node, "properties")
            for key, value in properties.items():
                ET.SubElement(box, "property", name=key, value=value)
        for case in suite.cases:
            entry = ET.SubElement(node, "testcase", classname=suite.name, name=case.name, time=f"{case.seconds:.3f}")
            message = CONTROL.sub("?", case.message)
            if case.verdict is Verdict.SKIP:
                ET.SubElement(entry, "skipped", message=_one_line(message))
            elif case.verdict is not Verdict.PASS:
                fail = ET.SubElement(entry, "failure", type=case.verdict.value, message=_one_line(message)[:200])
                fail.text = message
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)
