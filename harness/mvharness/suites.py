# SPDX-License-Identifier: MIT
"""The list of suites (suites.toml)."""

import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from . import paths
from .errors import UsageError

KINDS = ("gtest", "cmd", "bench", "build", "c")


@dataclass(frozen=True)
class Suite:
    name: str
    kind: str
    description: str
    command: str = ""
    source: str = ""  # kind "c" only
    args: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    cases: str = "*"  # the program's cases that are this suite's
    slow: tuple[str, ...] = ()  # patterns of cases that only --complete runs; kind "gtest" only
    timeout: int = 300
    env: dict[str, str] = field(default_factory=dict, hash=False)
    complete: dict = field(default_factory=dict, hash=False)  # what --complete changes
    programs: tuple[str, ...] = ()  # of this machine, for the guest to have at the same paths
    statements: dict[str, int] = field(default_factory=dict, hash=False)  # how many there are of each (statements.py)
    statements_due: tuple[str, ...] = ()  # of these each must have a test
    modules: tuple[str, ...] = ()  # of the kernel's own, loaded before the module under test
    accel: str = ""  # "tcg": whatever --accel says
    append: str = ""  # more of the kernel's command line
    cpus: int = 0  # of the guest, whatever else would be; 0: no wish
    default: bool = False
    mode: str = ""  # kind "build" only


def load(path: Path | None = None) -> dict[str, Suite]:
    path = path or paths.HARNESS / "suites.toml"
    try:
        with open(path, "rb") as handle:
            tables = tomllib.load(handle)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}.") from error
    out = {}
    for name, table in tables.items():
        if table.get("kind") not in KINDS:
            raise UsageError(f"{path}: suite {name}: kind must be one of {', '.join(KINDS)}.")
        table = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
        try:
            out[name] = Suite(name=name, **table)
        except TypeError as error:
            raise UsageError(f"{path}: suite {name}: {error}.") from error
        unknown = set(out[name].complete) - {f.name for f in fields(Suite)}
        if unknown:
            raise UsageError(f"{path}: suite {name}: complete knows no {', '.join(sorted(unknown))}.")
    return out


def complete(suite: Suite) -> Suite:
    """The suite as --complete runs it: no case is left out."""
    return replace(suite, slow=(), **suite.complete)


def select(known: dict[str, Suite], wanted: list[str]) -> list[Suite]:
    for name in wanted:
        if name not in known:
            raise UsageError(f"-s {name}: no such suite; valid: {', '.join(known)}.")
    if wanted:
        return [known[name] for name in dict.fromkeys(wanted)]
    return [suite for suite in known.values() if suite.default]
