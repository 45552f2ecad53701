# SPDX-License-Identifier: MIT
"""Files that the guest sends back. The stream is a row of frames; init.c writes it byte by byte to port 0xe9.

    MVFILE <size> <name>\\n<size bytes>\\n
"""

import re
from pathlib import Path

HEAD = re.compile(rb"MVFILE (\d+) ([^\n]{1,255})\n")


def parse(stream: bytes) -> dict[str, bytes]:
    """The whole files in the stream. One cut short (the guest died) is left out."""
    files: dict[str, bytes] = {}
    at = 0
    while True:
        head = HEAD.search(stream, at)
        if not head:
            return files
        size = int(head[1])
        data = stream[head.end():head.end() + size]
        if len(data) < size:
            return files
        files[head[2].decode("utf-8", "replace")] = data
        at = head.end() + size


def unpack(stream: bytes, target: Path) -> dict[str, Path]:
    """Writes the files below `target`; a name cannot lead out of it."""
    out = {}
    target.mkdir(parents=True, exist_ok=True)
    for name, data in parse(stream).items():
        safe = name.replace("/", "_").lstrip(".") or "unnamed"
        (target / safe).write_bytes(data)
        out[safe] = target / safe
    return out
