"""skops files as an object graph: a zip of schema.json, a tree of nodes, and the arrays they name.

The format is of skops.io 0.6 to 0.16, protocols 0 to 2. Whom skops would trust does not matter: nothing is
made but data.
"""

import io
import json
import warnings
import zipfile
from typing import Any

import numpy as np

from . import arrays, makers
from .errors import DAMAGED, LookError
from .graph import Obj, Ref
from .pickles import BOOSTER_FORMATS
from .unpack import FREE_BYTES, MOST_BYTES, MOST_RATIO

SCHEMA = "schema.json"
MOST_DEPTH = 200  # of nodes: a pipeline of pipelines has some tens
_KEYS = {"int": int, "float": float, "int64": int, "int32": int, "float64": float, "float32": float}


def matches(data: bytes) -> bool:
    """Whether these are the first bytes of a zip; it may still be another one."""
    return data.startswith(b"PK\x03\x04")


def read(data: bytes) -> tuple[Any, dict[str, str], list[Obj]]:
    """The root of a skops file, versions of libraries, and the objects that hold a booster's own format.

    LookError where it is damaged or something else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if SCHEMA not in packed.namelist():
                raise LookError("this is a zip, but not one that skops wrote", "is this the model's file?")
            reader = _Reader(packed, len(data))
            schema = json.loads(reader.member(SCHEMA))
            root = reader.node(schema)
    except LookError:
        raise
    except Exception as err:  # whatever a damaged file leads to: nothing but data has been touched
        raise LookError("the skops file is damaged or ends early", DAMAGED) from err
    versions = dict(reader.versions)
    if isinstance(schema.get("_skops_version"), str):
        versions["skops"] = schema["_skops_version"]
    return root, versions, reader.boosters


def npy(data: bytes) -> np.ndarray:
    """The array of a .npy file, without objects."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about headers that Python 2 wrote
        shape, fortran, dtype = header(file)
    return arrays.from_bytes(file.read(), dtype, shape, "F" if fortran else "C")


class _Reader:
    def __init__(self, packed: zipfile.ZipFile, size: int):
        self.packed = packed
        self.left = min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * size))
        self.memo: dict[Any, Any] = {}
        self.members: dict[str, bytes] = {}
        self.depth = 0
        self.versions: dict[str, str] = {}
        self.boosters: list[Obj] = []

    def member(self, name: str) -> bytes:
        """A file of the zip; all of them together stay within bounds."""
        if name not in self.members:
            with self.packed.open(name) as file:
                data = file.read(self.left + 1)
            self.left -= len(data)
            if self.left < 0:
                raise LookError(
                    "the skops file unpacks to too many bytes to be a model's", "log a smaller model"
                )
            self.members[name] = data
        return self.members[name]

    def node(self, node: Any) -> Any:
        """What a node stands for; a node with a number that was there before is the same object."""
        number = node.get("__id__")
        if number is not None and number in self.memo:
            return self.memo[number]
        loader = node["__loader__"]
        if loader not in _NODES:
            raise LookError(
                f"the skops file has a {str(loader)[:60]}, which is not known", "log it with cloudpickle"
            )
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise makers.DEEP
        value = _NODES[loader](self, node)
        self.depth -= 1
        if number is not None:
            self.memo[number] = value
        return value

    def nodes(self, nodes: Any) -> list:
        return [self.node(node) for node in nodes]

    def args(self, node: Any) -> tuple:
        """What a constructor is given."""
        args = self.node(node)
        if not isinstance(args, tuple):
            raise arrays.damaged("arguments that are not a tuple")
        return args

    def any(self, value: Any) -> Any:
        """A node's value, or what older protocols keep as plain JSON."""
        return self.node(value) if isinstance(value, dict) and "__loader__" in value else value

    # One method a kind of node.

    def json(self, node: dict) -> Any:
        return json.loads(node["content"])

    def list(self, node: dict) -> Any:
        members = self.nodes(node["content"])
        return members if _name(node) == "builtins.list" else Obj(_name(node), items=members)

    def tuple(self, node: dict) -> Any:
        members = tuple(self.nodes(node["content"]))
        return members if _name(node) == "builtins.tuple" else Obj(_name(node), members)

    def set(self, node: dict) -> Any:
        members = [makers.check_key(member) for member in self.nodes(node["content"])]
        if _name(node) in ("builtins.set", "builtins.frozenset"):
            return set(members)
        return Obj(_name(node), items=members)

    def dict(self, node: dict) -> Any:
        kinds = self.node(node["key_types"])
        pairs = zip(node["content"].items(), kinds, strict=True)
        members = {_key(key, kind): self.node(value) for (key, value), kind in pairs}
        if _name(node) in ("builtins.dict", "collections.OrderedDict"):
            return members
        return Obj(_name(node), items=list(members.items()))

    def default_dict(self, node: dict) -> Any:
        return self.node(node["content"]["main"])

    def array(self, node: dict) -> Any:
        if node["type"] == "json":
            members = [self.node(member) for member in node["content"]]
            return _object_array(members, self.node(node["shape"]))
        array = npy(self.member(node["file"]))
        return array if _name(node) == "numpy.ndarray" else array[()]

    def masked(self, node: dict) -> Obj:
        return Obj(_name(node), state={key: self.node(value) for key, value in node["content"].items()})

    def dtype(self, node: dict) -> np.dtype:
        return self.node(node["content"]).dtype

    def sparse(self, node: dict) -> Obj:
        """The state is what a pickle of it has."""
        with zipfile.ZipFile(io.BytesIO(self.member(node["file"]))) as packed:
            inner = _Reader(packed, 0)
            inner.left = self.left
            parts = {name.removesuffix(".npy"): npy(inner.member(name)) for name in packed.namelist()}
        self.left = inner.left
        parts["_shape"] = tuple(parts.pop("shape").tolist())
        parts.pop("format", None)
        return Obj(_name(node), state=parts)

    def bytes(self, node: dict) -> bytes:
        return self.member(node["file"])

    def bytearray(self, node: dict) -> bytearray:
        return bytearray(self.member(node["file"]))

    def slice(self, node: dict) -> slice:
        content = node["content"]
        return slice(content["start"], content["stop"], content["step"])

    def type(self, node: dict) -> Ref:
        content = node.get("content")
        if isinstance(content, dict) and "module_path" in content:  # a function's, of protocol 0
            return makers.ref(content["module_path"], content["function"])
        return makers.ref(str(node["__module__"]), str(node["__class__"]))

    def partial(self, node: dict) -> Obj:
        content = {key: self.node(value) for key, value in node["content"].items()}
        return Obj("functools.partial", state={**content, "keywords": content.get("kwds", {})})

    def method(self, node: dict) -> Obj:
        return Obj("builtins.getattr", (self.node(node["content"]["obj"]), node["content"]["func"]))

    def operator(self, node: dict) -> Obj:
        return Obj(_name(node), self.args(node["attrs"]))

    def constructed(self, node: dict) -> Obj:
        return Obj(_name(node), self.args(node["content"]))

    def object(self, node: dict) -> Obj:
        state = self.node(node["content"]) if node.get("content") is not None else None
        made = Obj(_name(node), state=makers.state_of(state))
        version = made.state.get("_sklearn_version")
        if isinstance(version, str):
            self.versions["scikit-learn"] = version
        if BOOSTER_FORMATS & made.state.keys():
            self.boosters.append(made)
        return made

    def reduced(self, node: dict) -> Obj:
        args, state = self.args(node["__reduce__"]["args"]), self.node(node["content"])
        return Obj(_name(node), args, makers.state_of(state) if state else None)

    def random(self, node: dict) -> Obj:
        content = node["content"]
        if "__loader__" in content:
            return Obj(_name(node), state=makers.state_of(self.node(content)))
        return Obj(_name(node), state={key: self.any(value) for key, value in content.items()})


def _name(node: dict) -> str:
    return f"{node['__module__']}.{node['__class__']}"


def _key(key: str, kind: Any) -> Any:
    """A dict's key, which JSON has as text."""
    name = kind.qualname if isinstance(kind, Ref) else ""
    if name in _KEYS:
        return _KEYS[name](key)
    if name in ("bool", "bool_"):
        return key in ("true", "True")
    return None if name == "NoneType" else key


def _object_array(members: list, shape: tuple) -> np.ndarray:
    """Of one dimension from its members, of more from nested lists."""
    for _ in shape[1:]:
        members = [member for row in members for member in row]
    return arrays.object_array(members, shape)


_NODES = {
    "JsonNode": _Reader.json,
    "ListNode": _Reader.list,
    "TupleNode": _Reader.tuple,
    "SetNode": _Reader.set,
    "DictNode": _Reader.dict,
    "DefaultDictNode": _Reader.default_dict,
    "_DictWithDeprecatedKeysNode": _Reader.default_dict,
    "NdArrayNode": _Reader.array,
    "MaskedArrayNode": _Reader.masked,
    "DTypeNode": _Reader.dtype,
    "SparseMatrixNode": _Reader.sparse,
    "BytesNode": _Reader.bytes,
    "BytearrayNode": _Reader.bytearray,
    "SliceNode": _Reader.slice,
    "TypeNode": _Reader.type,
    "FunctionNode": _Reader.type,
    "PartialNode": _Reader.partial,
    "MethodNode": _Reader.method,
    "OperatorFuncNode": _Reader.operator,
    "ConstructorFromReduceNode": _Reader.constructed,
    "ObjectNode": _Reader.object,
    "TreeNode": _Reader.reduced,
    "LossNode": _Reader.reduced,
    "SGDNode": _Reader.reduced,
    "QuantileForestNode": _Reader.reduced,
    "RandomStateNode": _Reader.random,
    "RandomGeneratorNode": _Reader.random,
}
