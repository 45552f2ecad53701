# SPDX-License-Identifier: MIT
"""Which statements of an interface have tests, and how these went on each kernel.

A case named `AcrnState.Statement8_RunningAndCreatedRefuse` tests ACRN's statement 8. Suites say how many statements
there are (`statements` in suites.toml), so that one without any test shows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .results import Case, Verdict
from .suites import Suite

if TYPE_CHECKING:
    from .cells import CellResult

# A parameterised case has its instance before its name: Access/GunyahForm.Statement20_X/Pair.
NAME = re.compile(r"^(?:\w+/)?(?P<test>(?P<group>\w+?)\.Statement(?P<number>\d+)_(?P<what>\w+))")
MISSING = "missing"


def _cases(cell: CellResult) -> list[Case]:
    """Of all suites: those about the core run on several backends."""
    return [case for result in cell.suites for case in result.cases]


def of(case: str, interfaces: dict[str, int]) -> tuple[str, int] | None:
    """The statement that a case is about."""
    found = NAME.match(case)
    if not found:
        return None
    interface = next((i for i in interfaces if found["group"].startswith(i)), None)
    return (interface, int(found["number"])) if interface else None


def _short(name: str) -> str:
    """The test's name without its statement; of one that runs on several backends, which one."""
    group, _, rest = name.partition(".Statement")
    return group.removeprefix("On/") + "." + rest.partition("_")[2]


def _collect(suite: Suite, cells: list[CellResult]) -> dict[tuple[str, int], dict[int, list[Case]]]:
    """Statement to the number of a cell to its cases; every statement there is has an entry."""
    out: dict[tuple[str, int], dict[int, list[Case]]] = {
        (interface, number): {} for interface, last in suite.statements.items() for number in range(1, last + 1)}
    for index, cell in enumerate(cells):
        for case in _cases(cell):
            statement = of(case.name, suite.statements)
            if statement:
                out.setdefault(statement, {}).setdefault(index, []).append(case)
    return out


def brief(cases: list[Case]) -> str:
    """A cell of the table."""
    if not cases:
        return "-"
    bad = [case for case in cases if case.verdict not in (Verdict.PASS, Verdict.SKIP)]
    skipped = sum(case.verdict is Verdict.SKIP for case in cases)
    if bad:
        return f"FAIL {len(bad)} of {len(cases)}"
    if skipped == len(cases):
        return "skip"
    return f"pass {len(cases) - skipped}" + (f" ({skipped} skipped)" if skipped else "")


def table(suite: Suite, cells: list[CellResult]) -> str:
    """Statement by kernel, and the tests' names; nothing for a suite without statements or that did not run."""
    if not suite.statements or not any(result.name == suite.name and result.ran for cell in cells for result in cell.suites):
        return ""
    rows = [["statement", *(cell.name for cell in cells), "tests"]]
    for (interface, number), by_cell in _collect(suite, cells).items():
        names = dict.fromkeys(_short(case.name)
                              for cases in by_cell.values() for case in cases)
        states = [brief(by_cell.get(index, [])) for index in range(len(cells))]
        rows.append([f"{interface} {number}", *states, ", ".join(names) or MISSING])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = ["  ".join([*(text.ljust(width) for text, width in zip(row, widths)), row[-1]]) for row in rows]
    return "\n" + "\n".join(lines) + "\n"


def untested(suite: Suite, cells: list[CellResult]) -> list[str]:
    """The statements that must have a test and have none. Where the suite never came to its end nothing can be said."""
    whole = [cell for cell in cells for result in cell.suites
             if result.name == suite.name and result.verdict in (Verdict.PASS, Verdict.FAIL) and result.ran]
    if not whole:
        return []
    return [f"{interface} {number}" for (interface, number), by_cell in _collect(suite, whole).items()
            if interface in suite.statements_due and not by_cell]
