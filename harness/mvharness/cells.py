# SPDX-License-Identifier: MIT
"""The matrix: a cell is one kernel with all the suites asked for. Cells are independent of each other."""

import concurrent.futures
import contextlib
import shlex
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import kbuild, kerneltree, paths, qemu, say, suiterun
from .errors import HarnessError, Interrupted, UsageError
from .progress import Progress, Stage
from .results import Case, SuiteResult, Verdict
from .rows import Row
from .suites import Suite


@dataclass
class CellResult:
    row: Row
    kernel: str  # the exact version, or "" if it could not be had
    engine: str
    suites: list[SuiteResult] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return cell_name(self.row)


def cell_name(row: Row) -> str:
    return f"{row.name}+{row.flavor}" if row.flavor_given else row.name


def repeat(base: list[str], row: Row) -> str:
    words = list(base)
    words += ["-k", row.path or row.name]
    if row.flavor_given:
        words += ["--flavor", row.flavor]
    return shlex.join(words)


def _build_dir(row: Row, options: suiterun.Options) -> Path:
    if not row.build_dir:
        return options.build_dir
    path = Path(row.build_dir)
    return path if path.is_absolute() else paths.REPO / path


def _accel(row: Row, options: suiterun.Options) -> str:
    return "none" if row.kind == "uml" else "tcg" if row.arch != "amd64" else options.accel


def _skipped(suite: Suite, reason: str) -> SuiteResult:
    return SuiteResult(suite.name, Verdict.SKIP, reason, [Case(suite.name, Verdict.SKIP, 0.0, reason)])


def _no_kernel(error: Exception, again: str) -> SuiteResult:
    log = error.log if isinstance(error, HarnessError) else ""
    return SuiteResult("kernel", Verdict.FAIL, str(error), repeat=again, log=log).settle()


def run_cell(row: Row, chosen: list[Suite], options: suiterun.Options, base: list[str], offline: bool) -> CellResult:
    """Never raises for what concerns this kernel only: that is the cell's result."""
    progress = Progress(cell_name(row))
    mine = replace(options, progress=progress, build_dir=_build_dir(row, options), accel=_accel(row, options),
                   repeat=repeat(base, row), fall_back=options.fall_back and row.arch == "amd64")
    cell = CellResult(row, "", mine.accel)
    start = time.monotonic()
    with say.about(cell.name):
        wanted = [s for s in chosen if s.name not in row.skip]
        cell.suites = [_skipped(s, row.skip[s.name]) for s in chosen if s.name in row.skip]
        try:
            with progress.stage("getting the kernel"):
                tree = kerneltree.obtain(row, offline)
            cell.kernel = str(tree.kernel)
            say.note(f"kernel {tree.kernel}")
            if wanted:
                cell.suites += suiterun.run(wanted, tree, mine)
        except (HarnessError, UsageError, OSError) as error:
            say.warn(str(error))
            cell.suites.append(_no_kernel(error, suiterun.repeat(mine, *(suite.name for suite in chosen))))
        cell.stages = progress.stages
        cell.seconds = time.monotonic() - start
        if all(s.verdict in (Verdict.PASS, Verdict.SKIP) for s in cell.suites):
            progress.remember()
        say.note(f"done in {cell.seconds:.1f} s")
    return cell


def prepare(row: Row, source: Path | None, offline: bool) -> None:
    """Gets a stock kernel and builds its module while another cell's guest runs. Trouble is told by the cell itself."""
    if row.kind != "debian" or row.flavor:
        return
    with contextlib.suppress(HarnessError, UsageError, OSError), say.about(f"{cell_name(row)} (ahead)"):
        kbuild.build(kerneltree.obtain(row, offline), source=source, ahead=True)


def run(rows: list[Row], chosen: list[Suite], options: suiterun.Options, base: list[str], jobs: int,
        offline: bool) -> list[CellResult]:
    """All cells, `jobs` at a time, in the rows' order. A UsageError is everybody's, and told before the first one starts."""
    kbuild.check_source(options.source or paths.REPO)
    for row in rows:
        kerneltree.check(row)
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=jobs)
    # a kernel that has to be built from source takes longest: started last, it would leave the other processors idle
    order = sorted(range(len(rows)), key=lambda n: rows[n].kind != "uml" and not rows[n].flavor)
    futures = {n: pool.submit(run_cell, rows[n], chosen, options, base, offline) for n in order}
    ahead = concurrent.futures.ThreadPoolExecutor(max_workers=1)
    if any(suite.kind != "build" for suite in chosen):
        for n in order[jobs:]:
            ahead.submit(prepare, rows[n], options.source, offline)
    try:
        return [futures[n].result() for n in range(len(rows))]
    except BaseException as error:
        if isinstance(error, Interrupted):
            # before the guests are stopped, which ends the other cells, too
            error.finished = [cell.result() for n, cell in sorted(futures.items()) if cell.done() and not cell.exception()]
        say.warn("stopping the guests")
        qemu.stop_all()
        raise
    finally:
        ahead.shutdown(wait=True, cancel_futures=True)
        pool.shutdown(wait=True, cancel_futures=True)
