# SPDX-License-Identifier: MIT
"""The list of suites (suites.toml)."""

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import get_args

from . import kbuild, paths
from .errors import UsageError

# and the key without which a suite of the kind is none
KINDS = {"gtest": "command", "cmd": "command", "bench": "command", "build": "mode", "c": "source"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


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


KEYS = {f.name: f for f in fields(Suite) if f.name != "name"}
WORDS = {str: "a string", int: "a whole number", bool: "true or false"}


def _wish(kind) -> str:
    """What a value has to be, in words."""
    if kind in WORDS:
        return WORDS[kind]
    if kind is dict:
        return "a table"
    inside = get_args(kind)
    return "a list of strings" if inside[0] is str and inside[1] is ... else f"a table, each of its values {WORDS[inside[1]]}"


def _fits(value, kind) -> bool:
    if kind in WORDS:
        return type(value) is kind  # for isinstance(), true is a number, too
    if kind is dict:
        return isinstance(value, dict)
    inside = get_args(kind)
    if inside[1] is ...:
        return isinstance(value, list) and all(_fits(item, inside[0]) for item in value)
    return isinstance(value, dict) and all(_fits(item, inside[1]) for item in value.values())


def _values(where: str, table: dict) -> dict:
    """The table as Suite takes it, or a sentence about the first key that is not right."""
    for key, value in table.items():
        if key not in KEYS:
            raise UsageError(f"{where}: there is no key {key}; valid: {', '.join(KEYS)}.")
        if not _fits(value, KEYS[key].type):
            raise UsageError(f"{where}: {key} must be {_wish(KEYS[key].type)}.")
    if table.get("timeout", 1) < 1:
        raise UsageError(f"{where}: timeout must be a positive number of seconds.")
    if not 0 <= table.get("cpus", 0) <= 64:
        raise UsageError(f"{where}: cpus must be a number from 1 to 64.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _suite(path: Path, name: str, table) -> Suite:
    where = f"{path}: suite {name}"
    if not isinstance(table, dict):
        raise UsageError(f"{path}: {name} is no table; a suite begins with [{name}].")
    if not NAME.fullmatch(name):
        raise UsageError(f"{path}: suite {name!r}: a name has letters, digits, and - _ . + only.")
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise UsageError(f"{where}: kind must be one of {', '.join(KINDS)}.")
    values = _values(where, table)
    if "description" not in values:
        raise UsageError(f"{where}: a suite needs the key description.")
    if not values.get(KINDS[kind]):
        raise UsageError(f"{where}: a suite of kind {kind} needs the key {KINDS[kind]}.")
    if kind == "build" and values["mode"] not in kbuild.MODES:
        raise UsageError(f"{where}: mode must be one of {', '.join(kbuild.MODES)}.")
    if values.get("accel", "") not in ("", "tcg"):
        raise UsageError(f"{where}: accel must be tcg, or not be there.")
    out = Suite(name=name, **values)
    return replace(out, complete=_values(f"{where}: complete", out.complete))


def load(path: Path | None = None) -> dict[str, Suite]:
    path = path or paths.HARNESS / "suites.toml"
    try:
        with open(path, "rb") as handle:
            tables = tomllib.load(handle)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    except ValueError as error:  # not TOML, or not even text
        raise UsageError(f"{path} is not in the form of suites.toml: {error}.") from error
    return {name: _suite(path, name, table) for name, table in tables.items()}


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
