"""Stage 8: what the original pipeline is asked, as a data frame: a column a name, of one type."""

from collections.abc import Sequence

import numpy as np

from .columns import Column
from .lift import Lifting
from .records import Encoded, key
from .world import Frame, FrameColumn


def frame_of(columns: Sequence[Column], lifting: Lifting, records: Sequence[Encoded]) -> Frame:
    """The records as the table that the pipeline was fitted on.

    A number is what the row of X has. A category is the record's own value, a number where all words are; a
    column that the model does not read is missing.
    """
    at: dict[str, tuple[int, Column]] = {}
    for i, column in enumerate(columns):
        if column.name not in at or column.kind == "number":
            at[column.name] = (i, column)
    return Frame(
        [_column(name, *at.get(name, (0, None)), lifting, records) for name in lifting.names], len(records)
    )


def _column(
    name: str, i: int, column: Column | None, lifting: Lifting, records: Sequence[Encoded]
) -> FrameColumn:
    if column is None:
        return FrameColumn(name, "float64", [np.nan] * len(records))
    if column.kind == "number":
        return FrameColumn(name, "float64", [record.row[i] for record in records])
    values = [record.features.get(name) for record in records]
    kinds = {key(word)[0] for word in column.vocabulary} - {"null"}
    if kinds == {"number"}:
        return FrameColumn(name, "float64", [np.nan if v is None else key(v)[1] for v in values])
    missing = lifting.missing.get(name)
    values = [missing if v is None else v for v in values]
    if lifting.dtypes.get(name) != "category":
        return FrameColumn(name, "object", values)
    return FrameColumn(name, "category", values, [w for w in column.vocabulary if w is not None])
