"""CatBoost's boosters, of its CBM format, in plain arrays.

CBM: "CBM1", the length of the core (uint32), the core (a FlatBuffer), and tables of category statistics: ctr.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import ctr
from .errors import DAMAGED, LookError
from .flatbuffer import Table

MAGIC = b"CBM1"
FLOAT, ONE_HOT, CTR, ESTIMATED = "float", "one-hot", "ctr", "estimated"
NAN_AS = ("as is", "false", "true")  # NaN > border: CatFloat.nan
_STEP = np.dtype([("left", "<u2"), ("right", "<u2")])


@dataclass(frozen=True)
class CatFloat:
    """A numeric feature: number among the numeric ones, column among all, and its borders (float32)."""

    index: int
    column: int
    name: str
    borders: np.ndarray
    nan: str  # what NaN > border is: "false", "true", or "as is" (false) where none was seen in training


@dataclass(frozen=True)
class CatOneHot:
    """A categorical feature whose values are compared, as cityhash.category makes numbers of them (int32)."""

    index: int  # among the categorical features
    column: int
    name: str
    values: np.ndarray


@dataclass(frozen=True)
class CatSplit:
    """A condition: column > border (float32), the hash of column = value, or the statistic value > border."""

    kind: str  # FLOAT, ONE_HOT, CTR or ESTIMATED
    column: int
    border: float = 0.0
    value: int = 0


@dataclass(frozen=True)
class CatTree:
    """A tree. Oblivious: splits[i], where true, sets bit i of the leaf's number; steps is empty.

    Otherwise node i's split is splits[i]: where true go to i + steps[i]["right"], else i + ["left"]; a step
    of 0 ends there, at leaf leaf_of[i].
    """

    splits: np.ndarray  # int32, indices into CatBooster.splits
    leaves: np.ndarray  # float64 [leaves, dimension]
    steps: np.ndarray = field(default_factory=lambda: np.zeros(0, _STEP))
    leaf_of: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class CatBooster:
    """A booster: scale * the sum of its trees' leaves + bias, one number a dimension.

    unsupported  the names of what is beyond numbers and categories, each once: text and embedding features.
                 Their splits are in splits, without their meaning.
    categorical  categorical features by their index among these: column among all, and name
    ctrs         the statistics that splits ask, by their value
    columns      features that a row has; class_names as JSON has them
    """

    version: str  # "1.2.8", or "" where the file does not say
    dimension: int
    scale: float
    bias: np.ndarray
    floats: list[CatFloat]
    one_hots: list[CatOneHot]
    categorical: dict[int, tuple[int, str]]
    ctrs: list[ctr.CatCtr]
    columns: int
    splits: list[CatSplit]
    trees: list[CatTree]
    class_names: list
    loss: str
    unsupported: list[str]
    info: dict[str, Any] = field(default_factory=dict)  # the model's own texts and JSON, by name


def read(data: bytes | bytearray) -> CatBooster:
    """The booster in the bytes. LookError where they are damaged."""
    data = bytes(data)
    if not data.startswith(MAGIC):
        raise LookError("this is not a CatBoost booster", DAMAGED)
    size = int.from_bytes(data[4:8], "little")
    core = data[8 : 8 + size]
    if len(core) < size or size < 8:
        raise LookError("the CatBoost booster ends early", DAMAGED)
    try:
        return _booster(Table.root(core), data[8 + size :])
    except LookError:
        raise
    except (
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as err:
        raise LookError("the CatBoost booster is damaged", DAMAGED) from err


def _booster(core: Table, behind: bytes) -> CatBooster:
    if core.text(0) and not core.text(0).startswith("FlabuffersModel_v1"):
        raise LookError(
            f"the CatBoost booster is of format {core.text(0)[:40]!r}", "save it with CatBoost 1.2"
        )
    model = core.table(1)
    if model is None:
        raise LookError("the CatBoost booster has no trees", DAMAGED)
    info = {pair.text(0): _value(pair.text(1)) for pair in core.tables(2)}
    dimension = int(model.number(0, "<i4"))
    floats = [_float(table) for table in model.tables(5)]
    cats = [
        (int(table.number(0, "<i4", -1)), int(table.number(1, "<i4", -1)), table.text(2))
        for table in model.tables(4)
    ]
    places = {index: (column, name) for index, column, name in cats}
    one_hots = [_one_hot(table, places) for table in model.tables(6)]
    texts, embeddings = model.tables(12), model.tables(18)
    splits = [CatSplit(FLOAT, one.column, float(border)) for one in floats for border in one.borders]
    estimated = [len(table.vector(3, "<f4")) for table in model.tables(13)]
    splits += [CatSplit(ESTIMATED, -1)] * sum(estimated)
    for one in one_hots:
        splits += [CatSplit(ONE_HOT, one.column, value=value) for value in one.values.tolist()]
    ctrs = ctr.read(model.tables(7), behind)
    splits += [CatSplit(CTR, -1, b, i) for i, one in enumerate(ctrs) for b in one.borders.tolist()]
    if any(i not in places for one in ctrs for i in one.projection.every_cat()):
        raise ValueError("a statistic of a feature that is not there")
    named = {"text features": len(texts), "embedding features": len(embeddings)}
    bias = model.vector(16, "<f8")
    if not len(bias):
        bias = np.full(dimension, model.number(15, "<f8", 0.0))
    params = info.get("params") if isinstance(info.get("params"), dict) else {}
    return CatBooster(
        version="".join(
            re.findall(r"Branch: tags/v([\d.]+)", str(info.get("catboost_version_info", "")))[:1]
        ),
        dimension=dimension,
        scale=float(model.number(14, "<f8", 1.0)),
        bias=np.array(bias, np.float64),
        floats=floats,
        one_hots=one_hots,
        categorical=places,
        ctrs=ctrs,
        columns=len(floats) + len(cats) + len(texts) + len(embeddings),
        splits=splits,
        trees=_trees(model, dimension, len(splits)),
        class_names=_class_names(info, params),
        loss=str(params.get("loss_function", {}).get("type", "")),
        unsupported=[name for name, count in named.items() if count],
        info=info,
    )


def _value(text: str) -> Any:
    """JSON where it is an object or a list, else the text."""
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _float(table: Table) -> CatFloat:
    treatment = int(table.number(5, "<i1"))
    return CatFloat(
        index=int(table.number(1, "<i4", -1)),
        column=int(table.number(2, "<i4", -1)),
        name=table.text(4),
        borders=table.vector(3, "<f4").astype(np.float32),
        nan=NAN_AS[treatment],
    )


def _one_hot(table: Table, places: dict[int, tuple[int, str]]) -> CatOneHot:
    index = int(table.number(0, "<i4", -1))
    column, name = places.get(index, (-1, ""))
    return CatOneHot(index, column, name, table.vector(1, "<i4").astype(np.int32))


def _trees(model: Table, dimension: int, splits: int) -> list[CatTree]:
    conditions = model.vector(1, "<i4").astype(np.int32)
    sizes, values = model.vector(2, "<i4"), model.vector(8, "<f8").astype(np.float64)
    steps = model.vector(10, _STEP)
    leaf_of = model.vector(11, "<u4").astype(np.int64)
    if dimension < 1 or len(values) % dimension or (sizes < 0).any() or sizes.sum() != len(conditions):
        raise ValueError("trees")
    values = values.reshape(-1, dimension)
    trees, start, leaf = [], 0, 0
    for size in sizes.tolist():
        here = conditions[start : start + size]
        if len(steps):
            tree, leaf = _asymmetric(here, steps, leaf_of, values, start, leaf, dimension)
        else:
            if size > 30 or leaf + (1 << size) > len(values) or not ((here >= 0) & (here < splits)).all():
                raise ValueError("trees")
            tree = CatTree(here, values[leaf : leaf + (1 << size)])
            leaf += 1 << size
        trees.append(tree)
        start += size
    if leaf != len(values):
        raise ValueError("leaves")
    return trees


def _asymmetric(here, steps, leaf_of, values, start, leaf, dimension) -> tuple[CatTree, int]:
    """One tree whose nodes go their own ways, and where the next one's leaves begin."""
    end = start + len(here)
    own, at = steps[start:end], leaf_of[start:end]
    nodes = np.arange(len(own))
    ends = (own["left"] == 0) | (own["right"] == 0)
    if len(own) != len(here) or len(at) != len(here):
        raise ValueError("steps")
    if (nodes + np.maximum(own["left"], own["right"]) >= len(own)).any():
        raise ValueError("steps")
    local = np.where(ends, at // dimension - leaf, 0)
    count = int(ends.sum())
    if (local < 0).any() or (local[ends] >= len(values) - leaf).any():
        raise ValueError("leaves")
    count = int(local[ends].max()) + 1 if count else 0
    return CatTree(here, values[leaf : leaf + count], own, local), leaf + count


def _class_names(info: dict[str, Any], params: dict) -> list:
    given = info.get("class_params")
    if isinstance(given, dict) and given.get("class_names"):
        return given["class_names"]
    names = params.get("data_processing_options", {}).get("class_names")
    return names if isinstance(names, list) else []
