# SPDX-License-Identifier: MIT
"""Unpacks packages without installing them."""

import subprocess
from pathlib import Path

from .errors import HarnessError


def unpack(file: Path, root: Path, excludes: tuple[str, ...] = (), only: str = "") -> None:
    """All of a .deb's files below `root`, or those that fit a pattern; none need fit. A file that is no whole .deb is removed, so that the next run fetches it."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source:
        assert source.stderr
        tar = subprocess.run(["tar", "-x", "-C", root, *(f"--exclude={e}" for e in excludes), *(["--wildcards", only] if only else [])], stdin=source.stdout,
                             capture_output=True, text=True, check=False)
        said = source.stderr.read().decode(errors="replace").strip()
    if source.returncode and "No space" not in tar.stderr:
        file.unlink(missing_ok=True)
        raise HarnessError(f"{file.name} is damaged ({said.splitlines()[-1] if said else 'no message'}) and was removed "
                           "from the cache; run again to fetch it anew.")
    if tar.returncode and not (only and "Not found in archive" in tar.stderr):
        why = tar.stderr.strip().splitlines()
        raise HarnessError(f"{file.name} could not be unpacked: {why[-1] if why else 'no message'}")
