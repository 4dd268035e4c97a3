"""Pickles as such: data comes out as it went in, and nothing else happens."""

import datetime
import functools
import io
import pickle
import struct
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from skiff_convert.look import LookError, Obj, Ref, look
from skiff_convert.look.pickles import read

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Plain:
    def __init__(self, **state):
        self.__dict__.update(state)


class Slots:
    __slots__ = ("a", "b")


class Words(list):
    pass


class Fields(dict):
    pass


class Calls:
    """Pickles to a call of a function."""

    def __init__(self, func, *args):
        self.call = (func, args)

    def __reduce__(self):
        return self.call


def test_an_object_keeps_its_state():
    for protocol in PROTOCOLS:
        read_back = read(pickle.dumps(Plain(a=1, b=Plain(c=[2, 3])), protocol))[0]
        assert read_back.cls.endswith("Plain") and (read_back.name, read_back.a) == ("Plain", 1)
        assert read_back.b.c == [2, 3]
        with pytest.raises(AttributeError, match="has no missing"):
            read_back.missing  # noqa: B018
    slots = Slots()
    slots.a, slots.b = 1, {2}
    assert read(pickle.dumps(slots))[0].state == {"a": 1, "b": {2}}


def test_lists_and_dicts_of_their_own_classes():
    for protocol in PROTOCOLS:
        words, fields = read(pickle.dumps([Words("ab"), Fields(a=1)], protocol))[0]
        assert (words.items, fields.items) == (["a", "b"], [("a", 1)])


def test_a_loop_of_references():
    loop = Plain()
    loop.own, loop.members = loop, [loop]
    found = read(pickle.dumps(loop))[0]
    assert found.own is found and found.members[0] is found


DATA = {
    "numbers": [0, 1, -1, 2**40, 2**3000, 1.5, float("inf"), 1j, True, None],
    "texts": ["", "a", "naïve ☃", "x" * 300, b"", b"\xff" * 300, bytearray(b"ab")],
    "members": [(), (1,), (1, (2, 3)), [], {}, {"a": [1]}, set(), {1, 2}, frozenset("ab")],
    "more": [slice(1, None, 2), range(3), OrderedDict(a=1), defaultdict(list, a=[1]), {(1, "a"): 2}],
    "days": [datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 3, 4, 5), datetime.timedelta(3)],
    "arrays": [np.float32(1.5), np.str_("a"), np.bool_(True), np.datetime64("2024-01-02", "D")],
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", DATA)
def test_data_is_itself(name, protocol):
    assert read(pickle.dumps(DATA[name], protocol))[0] == DATA[name]


@settings(derandomize=True, deadline=None)
@given(
    arrays.arrays(st.one_of(arrays.scalar_dtypes(), arrays.nested_dtypes()), arrays.array_shapes(min_dims=0))
)
def test_an_array_is_itself(array):
    for protocol in PROTOCOLS:
        data = pickle.dumps(array, protocol)
        for pickled in (data, data.replace(b"numpy._core.", b"numpy.core.") if protocol < 4 else data):
            found, loaded = read(pickled)[0], pickle.loads(data)
            assert (found.dtype, found.shape) == (loaded.dtype, loaded.shape)
            assert found.tobytes() == loaded.tobytes()


def test_arrays_in_fortran_order_and_of_objects():
    ordered = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    objects = np.array([["a", None], [1.5, Plain(a=1)]], object)
    for protocol in PROTOCOLS:
        found, held = read(pickle.dumps([ordered, objects], protocol))[0]
        assert (found == ordered).all() and found.flags.f_contiguous
        assert held.shape == (2, 2) and held[1, 1].a == 1


def test_names_are_not_looked_up():
    assert read(pickle.dumps([np.log1p, np.float64, len, Plain]))[0] == [
        Ref("numpy", "log1p"),
        Ref("numpy", "float64"),
        Ref("builtins", "len"),
        Ref(Plain.__module__, "Plain"),
    ]
    partial = read(pickle.dumps(functools.partial(np.clip, a_min=0)))[0]
    assert (partial.func, partial.keywords) == (Ref("numpy", "clip"), {"a_min": 0})
    method = read(pickle.dumps(Plain(a=1).__init__))[0]
    assert method.cls == "builtins.getattr" and method.args[0].a == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_called(tmp_path, protocol):
    import os

    touched = tmp_path / "touched"
    calls = [
        Calls(os.system, f"touch {touched}"),
        Calls(eval, f"open({str(touched)!r}, 'w')"),
        Calls(exec, "1"),
    ]
    calls += [Calls(getattr, os, "system"), Calls(__import__, "antigravity")] if protocol > 5 else []
    (tmp_path / "model.pkl").write_bytes(pickle.dumps([*calls, Plain()], protocol))
    system, evaluated, *_ = look(tmp_path / "model.pkl").root
    assert system.cls in ("posix.system", "nt.system") and system.args == (f"touch {touched}",)
    assert evaluated.cls == "builtins.eval" and isinstance(evaluated, Obj)
    assert not touched.exists()


BAD = {
    "persistent": b"\x80\x02X\x01\x00\x00\x00aQ.",
    "extension": b"\x80\x02\x82\x01.",
    "buffer": b"\x80\x05\x97.",
    "no stop": b"\x80\x02N",
    "an unknown opcode": b"\x80\x02\xff.",
    "an empty stack": b"\x80\x02.",
    "a reduce of nothing": b"\x80\x02R.",
    "a long of 4 GB": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "bytes of 2**62": b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b".",
    "a frame of 2**62": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b".",
    "a number of 100,000 digits": b"I" + b"9" * 100_000 + b"\n.",
    "a bytearray of 10**12": b"cbuiltins\nbytearray\n(L1000000000000L\ntR.",
    "an array without bytes": pickle.dumps(np.arange(100), 2).replace(b"Kd\x85", b"Kc\x85"),
    "a key that is a list": b"\x80\x02}]Ns.",
    "a key of tuples": b"\x80\x02})" + b"\x85" * 100_000 + b"Ns.",
    "a set of tuples": b"\x80\x04\x8f()" + b"\x85" * 100_000 + b"\x90.",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_pickle_is_an_error_in_one_line(name):
    with pytest.raises(LookError) as caught:
        read(BAD[name])
    assert "\n" not in str(caught.value) and caught.value.hint


def test_deep_pickles_are_read_or_refused():
    assert read(b"\x80\x02)" + b"\x85" * 1_000_000 + b".")[0]
    assert read(b"\x80\x02" + b"]" * 300_000 + b"a" * 299_999 + b".")[0]
    memo = io.BytesIO(b"\x80\x02Nr\xff\xff\xff\x7f.")  # a number of the memo that would take 16 GB as a table
    assert read(memo.getvalue())[0] is None
