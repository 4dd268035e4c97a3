"""CatBoost's hash of a category: the lower half of CityHash64, version 1 (Pike and Alakuijala)."""

from collections.abc import Sequence

import numpy as np

MASK = (1 << 64) - 1
K0, K1, K2, K3 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, 0xC949D7C7509E6557
MIX = 0x9DDFEA08EB382D69

Pair = tuple[int, int]


def category(text: str) -> int:
    """The int32 that a model has for the category of that text. CatBoost turns an integer 3 to "3" before."""
    low = city64(text.encode("utf-8", "surrogateescape")) & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def city64(data: bytes) -> int:
    """CityHash64 of the bytes."""
    size = len(data)
    if size <= 16:
        return _to16(data, size)
    if size <= 32:
        return _to32(data, size)
    if size <= 64:
        return _to64(data, size)
    return _long(data, size)


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _rotate(value: int, by: int) -> int:
    value &= MASK
    return (value >> by | value << (64 - by)) & MASK


def _shift(value: int) -> int:
    value &= MASK
    return value ^ value >> 47


def _mix(low: int, high: int) -> int:
    high &= MASK
    a = _shift((low & MASK ^ high) * MIX)
    return _shift((high ^ a) * MIX) * MIX & MASK


def _to16(data: bytes, size: int) -> int:
    if size > 8:
        end = _u64(data, size - 8)
        return _mix(_u64(data, 0), _rotate(end + size, size)) ^ end
    if size >= 4:
        return _mix(size + (_u32(data, 0) << 3), _u32(data, size - 4))
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _shift(y * K2 & MASK ^ z * K3 & MASK) * K2 & MASK
    return K2


def _to32(data: bytes, size: int) -> int:
    a, b = _u64(data, 0) * K1, _u64(data, 8)
    c, d = _u64(data, size - 8) * K2, _u64(data, size - 16) * K0
    return _mix(_rotate(a - b, 43) + _rotate(c, 30) + d, a + _rotate(b ^ K3, 20) - c + size)


def _half(data: bytes, a: int, z: int, at: int) -> Pair:
    """One end of a text of 33 to 64 bytes; a and z are begun by the caller."""
    b, c = _rotate(a + z, 52), _rotate(a, 37)
    a += _u64(data, at + 8)
    c += _rotate(a, 7)
    a += _u64(data, at + 16)
    return a + z & MASK, b + _rotate(a, 31) + c & MASK


def _to64(data: bytes, size: int) -> int:
    first = _half(data, _u64(data, 0) + (size + _u64(data, size - 16)) * K0, _u64(data, 24), 0)
    last = _half(data, _u64(data, 16) + _u64(data, size - 32), _u64(data, size - 8), size - 32)
    mixed = _shift((first[0] + last[1]) * K2 + (last[0] + first[1]) * K0)
    return _shift(mixed * K0 + first[1]) * K2 & MASK


def _weak(data: bytes, at: int, a: int, b: int) -> Pair:
    """32 bytes into two numbers."""
    w, x, y, z = (_u64(data, at + 8 * i) for i in range(4))
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    return a + z & MASK, b + _rotate(a, 44) + c & MASK


def _long(data: bytes, size: int) -> int:
    x, y, z = _u64(data, 0), _u64(data, size - 16) ^ K1, _u64(data, size - 56) ^ K0
    v = _weak(data, size - 64, size, y)
    w = _weak(data, size - 32, size * K1, K0)
    z += _shift(v[1]) * K1
    x = _rotate(z + x, 39) * K1
    y = _rotate(y, 33) * K1
    for at in range(0, (size - 1) & ~63, 64):
        x = _rotate(x + y + v[0] + _u64(data, at + 16), 37) * K1 & MASK ^ w[1]
        y = _rotate(y + v[1] + _u64(data, at + 48), 42) * K1 & MASK ^ v[0]
        z = _rotate(z & MASK ^ w[0], 33)
        v = _weak(data, at, v[1] * K1, x + w[0])
        w = _weak(data, at + 32, z + w[1], y)
        z, x = x, z
    return _mix(_mix(v[0], w[0]) + _shift(y) * K1 + z, _mix(v[1], w[1]) + x)


SUFFIX = b"(hashed)"  # of texts that are made of a hash
_TRIES = 1 << 13  # of each hash at once


def texts_of(hashes: Sequence[int]) -> list[str]:
    """A text of 16 printable characters for each int32, of which category makes it: there are many."""
    end = int.from_bytes(SUFFIX, "little")
    high = np.uint64(_rotate(end + 16, 16))
    back = np.uint64(pow(MIX, -1, 1 << 64))
    found: list[str] = []
    for value in hashes:
        upper, text = 0, b""
        while not text:  # the upper half of the hash is free: the first that makes eight printable bytes
            tries = np.arange(upper, upper + _TRIES, dtype=np.uint64) << np.uint64(32)
            upper += _TRIES
            mixed = _unshift(((tries | np.uint64(value & 0xFFFFFFFF)) ^ np.uint64(end)) * back) * back
            begin = (_unshift(mixed ^ high) * back) ^ high
            made = begin.astype("<u8").view(np.uint8).reshape(-1, 8)
            good = np.flatnonzero(((made > 32) & (made < 127)).all(axis=1))
            text = made[good[0]].tobytes() + SUFFIX if len(good) else b""
        found.append(text.decode("ascii"))
    return found


def _unshift(value: np.ndarray) -> np.ndarray:
    """The inverse of _shift, which is its own."""
    return value ^ value >> np.uint64(47)
