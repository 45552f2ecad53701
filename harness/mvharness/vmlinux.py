# SPDX-License-Identifier: MIT
"""Gets the uncompressed kernel out of a bzImage.

Under TCG the decompressor is most of a boot; an ELF with a PVH note is started by QEMU directly.
The header fields are those of the x86 boot protocol (Documentation/arch/x86/boot.rst).
"""

import bz2
import gzip
import io
import lzma
import struct
import subprocess

SETUP_SECTS = 0x1F1
HEADER_MAGIC = 0x202  # "HdrS"
PROTOCOL = 0x206
PAYLOAD_OFFSET = 0x248  # since protocol 2.08
PAYLOAD_LENGTH = 0x24C
PVH_NOTE_TYPE = 18  # XEN_ELFNOTE_PHYS32_ENTRY
PT_NOTE = 4


def _xz(data: bytes) -> bytes:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)


def _gzip(data: bytes) -> bytes:
    return gzip.GzipFile(fileobj=io.BytesIO(data)).read()


def _tool(*argv: str):
    def run(data: bytes) -> bytes:
        # The payload is followed by four bytes of size, which these tools call trailing garbage.
        return subprocess.run(argv, input=data, capture_output=True, check=False).stdout
    return run


MAGICS = (
    (b"\xfd7zXZ\x00", _xz),
    (b"\x1f\x8b\x08", _gzip),
    (b"BZh", lambda data: bz2.BZ2Decompressor().decompress(data)),
    (b"\x5d\x00\x00", lambda data: lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data)),
    (b"\x28\xb5\x2f\xfd", _tool("zstd", "-dcq")),
    (b"\x02\x21\x4c\x18", _tool("lz4", "-dcq")),
    (b"\x7fELF", lambda data: data),
)


def extract(bzimage: bytes) -> bytes | None:
    """The ELF inside, or None if this is not a bzImage whose packing we know."""
    if bzimage[HEADER_MAGIC:HEADER_MAGIC + 4] != b"HdrS":
        return None
    if struct.unpack_from("<H", bzimage, PROTOCOL)[0] < 0x208:
        return None
    sectors = bzimage[SETUP_SECTS] or 4
    offset, length = struct.unpack_from("<II", bzimage, PAYLOAD_OFFSET)
    start = (sectors + 1) * 512 + offset
    payload = bzimage[start:start + length]
    for magic, unpack in MAGICS:
        if payload.startswith(magic):
            elf = unpack(payload)
            return elf if elf.startswith(b"\x7fELF") else None
    return None


def has_pvh_note(elf: bytes) -> bool:
    """Whether QEMU can start this ELF by -kernel."""
    phoff, = struct.unpack_from("<Q", elf, 32)
    phentsize, phnum = struct.unpack_from("<HH", elf, 54)
    for index in range(phnum):
        base = phoff + index * phentsize
        kind, = struct.unpack_from("<I", elf, base)
        if kind != PT_NOTE:
            continue
        offset, = struct.unpack_from("<Q", elf, base + 8)
        size, = struct.unpack_from("<Q", elf, base + 32)
        at = offset
        while at + 12 <= offset + size:
            namesz, descsz, note = struct.unpack_from("<III", elf, at)
            name = elf[at + 12:at + 12 + namesz]
            if name == b"Xen\0" and note == PVH_NOTE_TYPE:
                return True
            at += 12 + ((namesz + 3) & ~3) + ((descsz + 3) & ~3)
    return False
