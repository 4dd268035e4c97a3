"""Stage 10, what both routes write: the manifest and the lines of golden.jsonl."""

import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence

import onnx
import onnxruntime as ort

from . import FORMAT, __version__
from .columns import Column
from .errors import ConvertError
from .find import Found
from .goldens import Rejected, Scored
from .spec import Spec

CONTRADICTS = "do two features read one value as different things?"


def manifest_of(
    found: Found, estimator: str, libraries: Mapping[str, str], spec: Spec, outputs: Sequence[Mapping],
    columns: Sequence[Column], lowering: str, parity: Mapping, empty: bool = False,
) -> dict:  # fmt: skip
    """The manifest, but for its files. empty: a record without any column's value is rejected."""
    manifest = {
        "format": FORMAT,
        "run_id": found.run_id,
        "created": found.created,
        "model": spec.model,
        "estimator": estimator,
        "libraries": dict(libraries),
        "converter": {
            "skiff": __version__,
            "python": platform.python_version(),
            "onnx": onnx.__version__,
            "onnxruntime": ort.__version__,
            "model": found.mlmodel.model_id or found.mlmodel.uuid,
        },
    }
    if spec.id:
        manifest["id"] = {"name": spec.id[-1], "path": list(spec.id)}
    return manifest | {
        "outputs": list(outputs),
        "columns": [column.manifest() for column in columns],
        **({"empty": "reject"} if empty else {}),
        "lowering": lowering,
        "parity": dict(parity),
    }


def golden(record: Scored | Rejected, outputs: Mapping[str, dict], within: Mapping[str, float]) -> str:
    """A line of golden.jsonl; "" for a record that is scored and has no sure and finite prediction.

    outputs and within are of a record's text.
    """
    if isinstance(record, Rejected):
        line = {"record": record.text, "reject": record.reject.reason}
        if record.reject.reason != "not_json":
            line["field"] = record.reject.field
        return json.dumps(line) + "\n"
    if record.text not in outputs:
        return ""
    line = {"record": record.text, "outputs": outputs[record.text]}
    if within.get(record.text):
        line["within"] = within[record.text]
    return json.dumps(line) + "\n"


def check_scored(records: Sequence[Scored | Rejected], scored: Sequence[Scored]) -> None:
    """ConvertError when next to nothing would be proved.

    Records are made by the spec, of values that the model knows. Where most are rejected the spec contradicts
    itself.
    """
    if 2 * len(scored) >= len(records):
        return
    rejects = Counter(
        f"{r.reject.reason} {r.reject.field}".strip() for r in records if isinstance(r, Rejected)
    )
    raise ConvertError(
        f"of {len(records):,} records made by the spec, it rejects all but {len(scored):,}, most of them "
        f"as {rejects.most_common(1)[0][0]}",
        CONTRADICTS,
    )


def refused(text: str, why: str) -> ConvertError:
    """The original refuses a record that the bundle would accept."""
    return ConvertError(
        f"the original pipeline refuses the record {text}: {why}",
        "the bundle would accept it: is the spec right?",
    )


def size_of(column: Column) -> str:
    """A column for a person: its name and what it holds."""
    if column.kind == "entry":
        return f"{column.name} ({'word or number' if column.words else 'number'})"
    if column.source is None:
        return f"{column.name} (always {json.dumps(column.default, ensure_ascii=False)})"
    if column.kind == "word":
        return f"{column.name} (in a list)"
    words = f"{len(column.vocabulary):,} words" if column.kind == "category" else "number"
    return f"{column.name} ({words})"
