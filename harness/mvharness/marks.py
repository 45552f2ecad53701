# SPDX-License-Identifier: MIT
"""The mark of a whole cache entry: the sizes of the files that matter. Reading it costs a few stat() calls."""

import json
from pathlib import Path

from . import paths


def _sizes(root: Path, names: tuple[str, ...]) -> dict[str, int]:
    """-1 for what is not there."""
    return {name: (root / name).stat().st_size if (root / name).is_file() else -1 for name in names}


def write(mark: Path, names: tuple[str, ...]) -> None:
    paths.publish_file(mark, json.dumps(_sizes(mark.parent, names)).encode())


def fits(mark: Path, names: tuple[str, ...]) -> bool:
    """Whether the files are as they were when the mark was written. A mark from before there were sizes gets them now,
    if all the files are there."""
    if not mark.exists():
        return False
    sizes = _sizes(mark.parent, names)
    said = mark.read_text(errors="replace")
    if not said and min(sizes.values()) > 0:
        write(mark, names)
        return True
    return said == json.dumps(sizes)
