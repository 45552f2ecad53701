# SPDX-License-Identifier: MIT
"""Where things live. Nothing in the repository is written to; everything made lives in the cache."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from .errors import UsageError

REPO = Path(__file__).resolve().parents[2]
HARNESS = REPO / "harness"
LEFT = re.compile(r"^\.(?P<name>.+)\.[a-z0-9_]{8}$")  # as published() names what is not whole yet
DAY = 24 * 3600
_living: list[int] = []  # this process's runs: their directories are locked until it ends


def cache_root() -> Path:
    """A relative XDG_CACHE_HOME counts for nothing (XDG Base Directory Specification, "Basics")."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(base):
        raise UsageError("there is no home directory for the cache; set XDG_CACHE_HOME to an absolute path.")
    return Path(base) / "mockvisor"


def cache(*parts: str) -> Path:
    path = cache_root().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def path_id(path: Path) -> str:
    """Two checkouts share kernels, but must not share scratch trees."""
    return f"{path.name}-{hashlib.sha256(str(path).encode()).hexdigest()[:10]}"


@contextlib.contextmanager
def locked(name: str):
    """Serialises runs that would write the same cache entry."""
    with open(cache("locks") / name, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def published(target: Path):
    """Gives a temporary directory that becomes `target` only if the block succeeds.

    A rename is atomic, so a reader sees either no entry or a whole one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        work.chmod(0o755)
        yield work
        if target.exists():
            shutil.rmtree(target)
        os.rename(work, target)
    finally:
        if work.exists():
            shutil.rmtree(work, ignore_errors=True)


def remove_leftovers(final: Path) -> None:
    """What runs that were killed left of unpacking. The caller holds the lock of `final`, so nobody is at work on it;
    nobody takes a day for another one."""
    for path in final.parent.iterdir() if final.parent.exists() else ():
        found = LEFT.match(path.name)
        if found and (found["name"] == final.name or time.time() - path.stat().st_mtime > DAY):
            shutil.rmtree(path, ignore_errors=True)


def goes_through(target: Path) -> bool:
    """Whether what is written to it goes elsewhere."""
    return target.is_symlink() or (target.exists() and not target.is_file())


def publish_file(target: Path, data: bytes) -> None:
    """Writes a whole file or none. A link, a pipe or a device is written to as it is: a file must not take its place."""
    if goes_through(target):
        target.write_bytes(data)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.chmod(name, 0o644)
        os.rename(name, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _hold(directory: Path) -> None:
    """Until this process ends nobody takes the directory for an old one."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    _living.append(handle)


def _is_held(directory: Path) -> bool:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def new_run_dir(keep: int = 60) -> Path:
    """A directory for one boot's logs; the oldest ones beyond `keep` are removed, but none of a harness that still runs:
    its report is made at the end, and a guest may live for days.
    """
    runs = cache("runs")
    with locked("runs"):
        old = sorted((p for p in runs.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)
        for stale in old[: max(0, len(old) - keep + 1)]:
            if not _is_held(stale):
                shutil.rmtree(stale, ignore_errors=True)
        made = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
        _hold(made)
        return made


def socket_directory() -> tempfile.TemporaryDirectory:
    """No other user reaches what is in it. A socket's path has at most 107 bytes, so neither the cache nor a long TMPDIR will do."""
    long = len(os.fsencode(tempfile.gettempdir())) > 60
    return tempfile.TemporaryDirectory(prefix="mockvisor-", dir="/tmp" if long else None)
