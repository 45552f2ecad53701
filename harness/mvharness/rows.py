# SPDX-License-Identifier: MIT
"""The list of kernels (kernels.toml): names for what kernels.py resolves and ownkernel.py builds."""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import flavors, paths
from .errors import UsageError

KINDS = ("debian", "uml", "tree", "dir")
ARCHES = ("amd64", "arm64")
VARIANTS = ("", "cloud", "rt")
SERIES = re.compile(r"^(\d+\.\d+|newest)$")
META_NAME = re.compile(r"^linux-image-(?:(?P<series>\d+\.\d+)-)?(?:(?P<variant>cloud|rt)-)?amd64$")
IMAGE_NAME = re.compile(r"^linux-image-(?P<release>[0-9][0-9a-z.+~-]*-amd64)$")
BOOKWORM = ("bookworm", "bookworm-updates", "bookworm-security")


@dataclass(frozen=True)
class Row:
    """One kernel as asked for; nothing is resolved yet."""

    name: str
    kind: str = "debian"
    suites: tuple[str, ...] = BOOKWORM
    series: str = "newest"
    variant: str = ""
    arch: str = "amd64"
    release: str = ""  # an exact one instead of the newest of the series
    path: str = ""
    flavor: str = ""
    flavor_given: bool = False  # by --flavor: then it is another kernel than the row of this name
    build_dir: str = ""
    lists: tuple[str, ...] = ()
    skip: dict[str, str] = field(default_factory=dict, hash=False, compare=False)
    description: str = ""


def load(path: Path | None = None) -> dict[str, Row]:
    path = path or paths.HARNESS / "kernels.toml"
    with open(path, "rb") as handle:
        tables = tomllib.load(handle)
    return {name: _row(path, name, table) for name, table in tables.items()}


def _row(path: Path, name: str, table: dict) -> Row:
    table = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    table["lists"] = table.pop("in", ())
    try:
        row = Row(name=name, **table)
    except TypeError as error:
        raise UsageError(f"{path}: kernel {name}: {error}.") from error
    for what, value, valid in (("kind", row.kind, KINDS), ("arch", row.arch, ARCHES), ("variant", row.variant, VARIANTS)):
        if value not in valid:
            raise UsageError(f"{path}: kernel {name}: {what} must be one of {', '.join(v or repr('') for v in valid)}.")
    if not SERIES.match(row.series):
        raise UsageError(f"{path}: kernel {name}: series must be like 6.1, or newest.")
    if row.kind in ("tree", "dir") and not row.path:
        raise UsageError(f"{path}: kernel {name}: kind {row.kind} needs a path.")
    return replace(row, flavor=_flavor(row, row.flavor)) if row.flavor else row


def _from_package(name: str) -> Row | None:
    """A Debian bookworm image package as a row, so that any of them can be tried."""
    meta = META_NAME.match(name)
    if meta:
        return Row(name, series=meta["series"] or "6.1", variant=meta["variant"] or "")
    exact = IMAGE_NAME.match(name)
    return Row(name, release=exact["release"]) if exact else None


def _from_path(name: str) -> Row | None:
    if "/" not in name and not Path(name).is_dir():
        return None
    path = Path(name).resolve()
    if not path.is_dir():
        raise UsageError(f"-k {name}: no such directory; valid: a built kernel tree, or a directory that holds vmlinuz "
                         "and headers/.")
    return Row(path.name, kind="tree" if (path / "Makefile").exists() else "dir", path=str(path))


def select(known: dict[str, Row], wanted: list[str], flavor: str = "") -> list[Row]:
    """The rows of some -k arguments: names, lists such as `all`, packages, directories."""
    lists = {name for row in known.values() for name in row.lists}
    rows: list[Row] = []
    for name in [part for text in wanted for part in text.split(",") if part]:
        if name in known:
            rows.append(known[name])
        elif name in lists:
            rows += [row for row in known.values() if name in row.lists]
        else:
            row = _from_path(name) or _from_package(name)
            if row is None:
                raise UsageError(f"-k {name}: no such kernel; valid: {', '.join([*known, *sorted(lists)])}, an image "
                                 "package of bookworm such as linux-image-amd64, or the path of a kernel tree.")
            rows.append(row)
    if flavor:
        rows = [_with_flavor(row, flavor) for row in rows]
    return _named_apart(list(dict.fromkeys(rows)))


def _named_apart(rows: list[Row]) -> list[Row]:
    """Directories of one base name get as much more of their paths as tells them apart."""
    for length in range(2, max((len(Path(row.path).parts) for row in rows), default=0)):
        count = Counter(row.name for row in rows)
        rows = [replace(row, name="/".join(Path(row.path).parts[-length:])) if row.path and count[row.name] > 1 else row
                for row in rows]
    return rows


def _with_flavor(row: Row, flavor: str) -> Row:
    if row.kind in ("tree", "dir"):
        raise UsageError(f"--flavor {flavor} configures kernels that the harness builds; {row.path} is one of yours.")
    if row.arch != "amd64":
        raise UsageError(f"--flavor {flavor}: flavors exist for amd64 and uml kernels, not for {row.name}.")
    wanted = _flavor(row, flavor)
    return row if wanted == row.flavor else replace(row, flavor=wanted, flavor_given=True)


def _flavor(row: Row, text: str) -> str:
    return flavors.normal(text, "um" if row.kind == "uml" else row.arch)
