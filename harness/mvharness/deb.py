# SPDX-License-Identifier: MIT
"""Unpacks packages without installing them."""

import subprocess
from pathlib import Path

from . import qemu
from .errors import HarnessError


def unpack(file: Path, root: Path, excludes: tuple[str, ...] = (), only: str = "") -> None:
    """All of a .deb's files below `root`, or those that fit a pattern; none need fit. A file that is no whole .deb is
    removed, so that the next run fetches it."""
    status, damage, tar = _pipe(["dpkg-deb", "--fsys-tarfile", str(file)],
                                ["tar", "-x", "-C", str(root), *(f"--exclude={e}" for e in excludes),
                                 *(["--wildcards", only] if only else [])])
    # half a package because we were told to end is no damaged one
    qemu.not_stopped()
    if status and "No space" not in tar.stderr:
        file.unlink(missing_ok=True)
        raise HarnessError(f"{file.name} is damaged ({damage.splitlines()[-1] if damage else 'no message'}) and was removed "
                           "from the cache; run again to fetch it anew.")
    if tar.returncode and not (only and "Not found in archive" in tar.stderr):
        why = tar.stderr.strip().splitlines()
        raise HarnessError(f"{file.name} could not be unpacked: {why[-1] if why else 'no message'}")


def _pipe(first: list[str], second: list[str]) -> tuple[int, str, subprocess.CompletedProcess]:
    """`first | second`: how the first ended and what it said, and the second."""
    source = qemu.start(first, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        with qemu.group_dies_with_us(source), source:
            assert source.stdout and source.stderr
            sink = qemu.start(second, stdin=source.stdout, stderr=subprocess.PIPE, text=True)
            try:
                # ours is one reader too many: the first must learn that the second has ended
                source.stdout.close()
                _, said = sink.communicate()
            finally:
                qemu.stop(sink)
            damage = source.stderr.read().decode(errors="replace").strip()
    finally:
        qemu.stop(source)
    return source.returncode, damage, subprocess.CompletedProcess(second, sink.returncode, "", said)
