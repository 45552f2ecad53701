# SPDX-License-Identifier: MIT
"""Writes uncompressed newc archives (Documentation/driver-api/early-userspace/buffer-format.rst)."""

import stat
from pathlib import PurePosixPath


class Cpio:
    def __init__(self) -> None:
        self._out = bytearray()
        self._inode = 0
        self._have: set[str] = set()

    def _entry(self, name: str, mode: int, data: bytes, major: int = 0, minor: int = 0) -> None:
        self._inode += 1
        encoded = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(encoded), 0)
        self._out += b"070701" + b"".join(b"%08X" % f for f in fields) + encoded
        self._pad()
        self._out += data
        self._pad()

    def _pad(self) -> None:
        self._out += b"\0" * (-len(self._out) % 4)

    def _parents(self, name: str) -> None:
        for parent in reversed(PurePosixPath(name).parents):
            if str(parent) != ".":
                self.directory(str(parent))

    def _claim(self, path: str) -> str | None:
        """The archive name of a path, or None if it is there already. The first one wins."""
        name = path.strip("/")
        if not name or name in self._have:
            return None
        self._parents(name)
        self._have.add(name)
        return name

    def directory(self, path: str, mode: int = 0o755) -> None:
        name = self._claim(path)
        if name:
            self._entry(name, stat.S_IFDIR | mode, b"")

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        name = self._claim(path)
        if name:
            self._entry(name, stat.S_IFREG | mode, data)

    def symlink(self, path: str, target: str) -> None:
        name = self._claim(path)
        if name:
            self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path: str, major: int, minor: int, mode: int = 0o600) -> None:
        name = self._claim(path)
        if name:
            self._entry(name, stat.S_IFCHR | mode, b"", major, minor)

    def finish(self) -> bytes:
        self._entry("TRAILER!!!", 0, b"")
        return bytes(self._out)
