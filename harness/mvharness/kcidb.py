# SPDX-License-Identifier: MIT
"""Results as KernelCI reads them: the JSON of its KCIDB, schema version 4.0 (a checkout, a build per kernel, its tests)."""

import json
import subprocess
import time

from . import paths, progress
from .cells import CellResult
from .results import Case, Verdict

VERSION = {"major": 4, "minor": 0}
ORIGIN = "mockvisor"
STATUS = {Verdict.PASS: "PASS", Verdict.FAIL: "FAIL", Verdict.SKIP: "SKIP", Verdict.CRASH: "FAIL", Verdict.LOST: "ERROR",
          Verdict.TIMEOUT: "FAIL", Verdict.NOTHING: "ERROR"}
ARCHITECTURES = {"amd64": "x86_64", "um": "um"}


def _commit() -> str:
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(paths.REPO), "rev-parse", "HEAD"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "0" * 40


def _word(text: str) -> str:
    """Identifiers and test paths have no spaces and few signs."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text)


def _test(cell: CellResult, build: str, suite: str, case: Case, number: int) -> dict:
    out = {"id": f"{build}.{_word(suite)}.{number}", "build_id": build, "origin": ORIGIN,
           "path": f"mockvisor.{_word(suite)}.{_word(case.name)}", "status": STATUS[case.verdict],
           "duration": round(case.seconds, 3), "environment": {"comment": f"{cell.name}, {cell.engine}"}}
    if case.message:
        out["misc"] = {"message": case.message[:2000]}
    return out


def _when(after: float) -> str:
    """A time of day from seconds after the run's start."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - (time.monotonic() - progress.BEGIN) + after))


def render(cells: list[CellResult]) -> bytes:
    """The whole report. What is not a boot's result (a kernel that could not be had) is a build that is not valid."""
    commit = _commit()
    checkout = f"{ORIGIN}:{commit}"
    builds, tests = [], []
    for cell in cells:
        build = f"{ORIGIN}:{commit[:12]}-{_word(cell.name)}-{int(time.time())}"
        had = bool(cell.kernel) and not any(suite.name == "kernel" for suite in cell.suites)
        arch = "um" if cell.row.kind == "uml" else cell.row.arch
        builds.append({"id": build, "checkout_id": checkout, "origin": ORIGIN, "valid": had,
                       "start_time": _when(cell.stages[0].start if cell.stages else 0.0),
                       "architecture": ARCHITECTURES.get(arch, arch), "config_name": cell.name,
                       "comment": cell.kernel or "no kernel", "duration": round(cell.seconds, 3)})
        number = 0
        for suite in cell.suites:
            for case in suite.cases:
                number += 1
                tests.append(_test(cell, build, suite.name, case, number))
    whole = {"version": VERSION, "checkouts": [{"id": checkout, "origin": ORIGIN, "git_commit_hash": commit,
                                                "tree_name": "mockvisor", "valid": True}],
             "builds": builds, "tests": tests}
    return (json.dumps(whole, indent=1) + "\n").encode()
