"""The bytes of a file, unpacked where joblib or gzip packed them, within bounds."""

import bz2
import lzma
import zlib
from pathlib import Path

from .errors import DAMAGED, LookError

MOST_BYTES = 4 << 30  # of a file, packed or not
FREE_BYTES = 256 << 20  # what any packed file may become
MOST_RATIO = 100  # beyond that, what a byte may become: numbers of a model pack far less
CHUNK = 1 << 20

_TOO_LARGE = "log a smaller model, or dump it without compression"


def read(path: Path) -> tuple[bytes, str]:
    """The file's bytes and how they were packed: "", "gzip", "zlib", "bz2", "xz" or "lzma"."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise LookError(
                f"{path.name} has {size:,} bytes, more than {MOST_BYTES:,}", "log a smaller model"
            )
        data = path.read_bytes()
    except OSError as err:
        raise LookError(f"{path.name} cannot be read: {err.strerror}", "is the path right?") from err
    if not data:
        raise LookError(f"{path.name} is empty", DAMAGED)
    packing = _packing(data)
    return (unpack(data, packing, path.name) if packing else data), packing


def _packing(data: bytes) -> str:
    starts = {
        "gzip": b"\x1f\x8b",
        "bz2": b"BZh",
        "xz": b"\xfd7zXZ\x00",
        "lzma": b"\x5d\x00\x00",
        "lz4": b"\x04\x22\x4d\x18",
        "zstd": b"\x28\xb5\x2f\xfd",
    }
    for packing, start in starts.items():
        if data.startswith(start):
            return packing
    zlibs = data[:1] == b"\x78" and len(data) > 1 and int.from_bytes(data[:2], "big") % 31 == 0
    return "zlib" if zlibs else ""


def unpack(data: bytes, packing: str, name: str) -> bytes:
    """The unpacked bytes. LookError when they are damaged, or too many to be a model's."""
    makers = {
        "gzip": lambda: zlib.decompressobj(31),
        "zlib": lambda: zlib.decompressobj(15),
        "bz2": bz2.BZ2Decompressor,
        "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=FREE_BYTES),
        "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=FREE_BYTES),
    }
    if packing not in makers:
        raise LookError(
            f"{name} is packed with {packing}, which cannot be read", "dump it with compress='gzip'"
        )
    most = min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * len(data)))
    parts, size, rest, unpacker = [], 0, data, makers[packing]()
    try:
        while True:
            part = unpacker.decompress(rest, CHUNK)
            parts.append(part)
            size += len(part)
            if size > most:
                raise LookError(f"{name} unpacks to more than {most:,} bytes", _TOO_LARGE)
            if unpacker.eof:
                if not unpacker.unused_data or packing not in ("gzip", "bz2"):
                    return b"".join(parts)
                rest, unpacker = unpacker.unused_data, makers[packing]()  # several in one file
                continue
            if packing in ("gzip", "zlib"):
                rest = unpacker.unconsumed_tail
                ended = not rest and not part
            else:
                rest, ended = b"", unpacker.needs_input
            if ended:
                raise LookError(f"{name} ends early: its {packing} data stops", DAMAGED)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as err:
        raise LookError(f"{name} is damaged: its {packing} data does not unpack", DAMAGED) from err
