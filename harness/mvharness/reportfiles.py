# SPDX-License-Identifier: MIT
"""The files that --junit, --kcidb and --html ask for: looked at before the run, written after it."""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import htmlreport, kcidb, paths, report
from .cells import CellResult
from .errors import HarnessError, UsageError

RENDER: dict[str, Callable[[list[CellResult]], bytes]] = {
    "junit": report.junit_cells,
    "kcidb": kcidb.render,
    "html": lambda done: htmlreport.render(done).encode(),
}


def wanted(options: argparse.Namespace) -> dict[str, str]:
    """The files asked for, by kind."""
    files = ((kind, getattr(options, kind)) for kind in RENDER)
    return {kind: file for kind, file in files if file is not None}


def _check(kind: str, file: str) -> None:
    path = Path(file).absolute()
    if not file or path.is_dir():
        raise UsageError(f"--{kind} {file or repr('')}: that is a directory; give the name of a file.")
    if path.exists() and paths.goes_through(path):
        # a link, a pipe or a device: written to as it is, nothing is made beside it
        if not os.access(path, os.W_OK):
            raise UsageError(f"--{kind} {file}: that cannot be written.")
        return
    if not path.parent.is_dir():
        raise UsageError(f"--{kind} {file}: there is no directory {path.parent}.")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise UsageError(f"--{kind} {file}: nothing can be written in {path.parent}: {error.strerror}.") from error


def check(options: argparse.Namespace) -> None:
    """Now, not after half an hour of guests."""
    for kind, file in wanted(options).items():
        _check(kind, file)


def write(done: list[CellResult], options: argparse.Namespace) -> None:
    """Each of them, whatever happens to the others."""
    trouble = []
    for kind, file in wanted(options).items():
        try:
            paths.publish_file(Path(file).absolute(), RENDER[kind](done))
        except OSError as error:
            trouble.append(f"--{kind} {file} cannot be written: {error.strerror}")
    if trouble:
        raise HarnessError("; ".join(trouble) + ".")
