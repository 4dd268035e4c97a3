"""What a model file is read into: objects that nobody built, and names that nobody imported."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


class Obj:
    """An instance of a class that is not imported here.

    cls    its class as it was pickled, "sklearn.preprocessing._encoders.OneHotEncoder"
    args   what its constructor, or the function that makes it, was given
    state  its attributes by name; what is not a dict of attributes stands under "__state__"
    items  the members of a list or a set, the (key, value) pairs of a dict: of what derives from those,
           and the values of a pandas index

    An attribute of the state is an attribute here too, unless its name is one of these.
    """

    __slots__ = ("cls", "args", "state", "items")

    def __init__(self, cls: str, args: tuple = (), state: dict | None = None, items: list | None = None):
        self.cls = cls
        self.args = args
        self.state: dict = {} if state is None else state
        self.items: list = [] if items is None else items

    def __getattr__(self, name: str) -> Any:
        if name not in Obj.__slots__ and name in self.state:
            return self.state[name]
        raise AttributeError(f"{self!r} has no {name}")

    def __repr__(self) -> str:
        return f"<{self.cls}>"

    @property
    def name(self) -> str:
        """The class's own name, OneHotEncoder."""
        return self.cls.rpartition(".")[2]

    @property
    def package(self) -> str:
        """The top of its module, sklearn."""
        return self.cls.partition(".")[0]


@dataclass(frozen=True)
class Ref:
    """A class or function that is named, not called: Ref("numpy", "log1p").

    NumPy's public names are all in module "numpy", wherever this or that version keeps them. A module itself
    has no qualname.
    """

    module: str
    qualname: str

    def __str__(self) -> str:
        return f"{self.module}.{self.qualname}" if self.qualname else self.module


class Code:
    """A function or class that was pickled by value, which only running it would tell about: a lambda, or
    what __main__ defined. It is never run.

    kind is "function", "class" or "code"; name is its own where known, "<lambda>"; module likewise; args and
    state are what it would have been made of.
    """

    __slots__ = ("kind", "name", "module", "args", "state")

    def __init__(self, kind: str, name: str = "", module: str = "__main__", args: tuple = ()):
        self.kind, self.name, self.module, self.args = kind, name, module, args
        self.state: dict = {}

    def __repr__(self) -> str:
        return f"<{self.kind} {self}>"

    def __str__(self) -> str:
        return f"{self.module}.{self.name or '?'}"


def walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Every Obj, Ref and Code below root, each once, with a path to it: "steps/0/1"; parents first."""
    todo, seen = [("", root)], set()
    while todo:
        path, value = todo.pop()
        if not isinstance(value, (Obj, Ref, Code, list, tuple, dict, set, frozenset, np.ndarray)):
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, (Obj, Ref, Code)):
            yield path, value
        todo.extend(reversed([(f"{path}/{name}".lstrip("/"), child) for name, child in _children(value)]))


def _children(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Obj):
        return [*value.state.items(), *enumerate(value.items), *enumerate(value.args)]
    if isinstance(value, Code):
        return [*value.state.items(), *enumerate(value.args)]
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, np.ndarray):
        return list(enumerate(value.flat)) if value.dtype == object else []
    return [] if isinstance(value, Ref) else list(enumerate(value))
