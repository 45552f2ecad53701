# SPDX-License-Identifier: MIT
"""What a guest without a root file system needs to run a host program: what is loaded of it, and its shared libraries."""

import re
import struct
import subprocess
from pathlib import Path

LIBRARY = re.compile(r"(?:=>\s*)?(/\S+)\s+\(0x")
MAGIC = b"\x7fELF"
MISSING = re.compile(r"(\S+) => not found")


def is_program(path: Path) -> bool:
    """What has the right to be executed may be a script or a guest of ours; asking ldd costs 20 ms."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def libraries(program: Path) -> tuple[list[Path], list[str]]:
    """(libraries with the loader, names that were not found); both empty for a static program."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    found = [Path(m.group(1)) for m in map(LIBRARY.search, done.stdout.splitlines()) if m]
    return found, MISSING.findall(done.stdout)


def loaded(image: bytes) -> bytes:
    """A program of 64 bits without what lies behind its segments: symbols and debug information, nine tenths of it."""
    if image[:6] != MAGIC + b"\x02\x01":
        return image
    start, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    headers = [struct.unpack_from("<QQQQQ", image, start + i * size + 8) for i in range(count)]
    out = bytearray(image[:max(start + size * count, *(offset + filled for offset, _, _, filled, _ in headers))])
    struct.pack_into("<Q", out, 40, 0)  # no section headers
    struct.pack_into("<HH", out, 60, 0, 0)
    return bytes(out)
