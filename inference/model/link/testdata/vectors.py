"""Makes the vectors of exp, exp32 and expm1 with this machine's libm: python vectors.py, beside it.

For x86-64 with FMA and glibc 2.28 or later. A file has hard values, a line each, x and y as the hexadecimal
digits of their bits; then a line for each sweep, its seed and the SHA-256 of its results, little-endian.
"""

import ctypes
import ctypes.util
import hashlib
import math
import struct
from pathlib import Path

SWEPT = 1 << 14  # values of a sweep
MASK = 2**64 - 1


def splitmix(seed):
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = ((seed ^ seed >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        yield z ^ z >> 31


def sweep(seed):
    """Numbers of every kind, but NaN: near 0, of exp's whole range, at its ends, of any bits."""
    bits = splitmix(seed)
    for i in range(SWEPT):
        u = (next(bits) >> 11) * 2.0**-53
        x = ((u - 0.5) * 20, (u - 0.5) * 1500, -708 - u * 38, 700 + u * 12, (u - 0.5) * 2.0**-20)[i % 5]
        if i % 16 == 15:
            x = struct.unpack("<d", struct.pack("<Q", next(bits)))[0]
        yield 0.0 if math.isnan(x) else x


def hard():
    """The ends of every branch and both sides of them, and of every step of the tables."""
    ln2 = math.log(2)
    halves = (0.25, 0.5, 1, 1.5, 2, 19.5, 20, 20.5, 56, 56.5, 57, 1022, 1023, 1024, 1074, 1075)
    ends = [0.0, 2.0**-1074, 2.0**-1022, 2.0**-54, 2.0**-53, 0.5, 1.0, 512.0, 745.0, 1024.0]
    ends += [88.0, 88.7, 104.0]
    ends += [709.782712893384, 745.1332191019411, 88.72283172607422, 103.27892303466797, 103.97207641601562]
    ends += [ln2 * k for k in halves]
    ends += [ln2 / 256 * k for k in (*range(1, 300, 3), *range(60_000, 275_000, 1501))]
    ends += [ln2 / 64 * k for k in (*range(1, 70), *range(2_000, 9_700, 97))]
    for x in ends:
        for y in (math.nextafter(x, 0.0), x, math.nextafter(x, math.inf)):
            yield from (y, -y)
    yield from (math.inf, -math.inf, 1.7976931348623157e308, -1.7976931348623157e308)


def write(name, f, number, code, size):
    xs = map(number, hard())
    lines = list(dict.fromkeys(f"{hexed(code, size, x)} {hexed(code, size, f(x))}" for x in xs))
    for seed in range(1, 9):
        results = b"".join(struct.pack("<" + code, f(number(x))) for x in sweep(seed))
        lines.append(f"sweep {seed} {hashlib.sha256(results).hexdigest()}")
    (Path(__file__).parent / f"{name}.txt").write_text("\n".join(lines) + "\n")


def hexed(code, size, x):
    return struct.pack(">" + code, x).hex().zfill(2 * size)


def main():
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    libm.exp.argtypes = libm.expm1.argtypes = [ctypes.c_double]
    libm.exp.restype = libm.expm1.restype = ctypes.c_double
    libm.expf.argtypes, libm.expf.restype = [ctypes.c_float], ctypes.c_float
    write("exp", libm.exp, float, "d", 8)
    write("expm1", libm.expm1, float, "d", 8)
    write("exp32", libm.expf, lambda x: ctypes.c_float(x).value, "f", 4)


if __name__ == "__main__":
    main()
