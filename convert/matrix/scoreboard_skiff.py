"""skiff on the scoreboard: what the worker says, and the time of the graph that it runs."""

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from skiff_convert import ops
from skiff_convert.find import find
from skiff_convert.lifted import lift_model
from skiff_convert.look import look
from skiff_convert.outputs import head_for
from skiff_convert.prove import open_session
from skiff_convert.records import Encoder
from skiff_convert.task import Task

from . import case
from .inside.make import Case
from .said import Converted, Said, matrix, repeated


def ways(made: Case, rows: list[int], folder: Path) -> Iterator[Callable[[], Converted]]:
    """The one way."""
    yield lambda: _converted(made, rows, folder)


def decided(made: Case, rows: list[int], folder: Path) -> list[int]:
    """The rows but those whose answer rounding decides: of neighbours that are equally far some count."""
    try:
        spec = _saved(made, folder)
        records = made.json()
        near, _ = case.allowances(folder, spec, [json.dumps(records[i]) for i in rows])
    except Exception:  # what skiff does not convert
        return rows
    return [i for i, bound in zip(rows, near, strict=True) if np.isfinite(bound).all()] or rows


def _saved(made: Case, folder: Path) -> Path:
    """The spec beside the model that MLflow saves in a folder, once."""
    spec = folder / "spec.toml"
    if spec.exists():
        return spec
    made.save(str(folder), "cloudpickle")
    probable = made.classify and hasattr(made.model, "predict_proba")
    (folder / "answers.json").write_text(json.dumps({"predict_proba": []} if probable else {}))
    text = case.spec_of({"names": made.names}, folder)
    if made.records:  # a DictVectorizer's, which may be without a feature
        text = re.sub(r'^("[^"]*") = ("[^"]*")$', r'\1 = { from = \2, missing = "absent" }', text, flags=re.M)
    spec.write_text(text, "utf-8")
    return spec


def _converted(made: Case, rows: list[int], folder: Path) -> Converted:
    spec = _saved(made, folder)
    probable = made.classify and hasattr(made.model, "predict_proba")
    with contextlib.redirect_stderr(io.StringIO()):  # the report
        bundle = case.cli.convert(
            str(folder / "model"), str(spec), folder / "out", "0" * 32, case.Wish(), lambda text: None, False
        )
    records = made.json()
    lines = [json.dumps(records[i]) for i in rows]
    got = case.served(lines, bundle)
    return Converted(_said(made, rows, got, probable), _batch(folder, spec, bundle, lines), "worker")


def _said(made: Case, rows: list[int], got: dict[int, dict], probable: bool) -> Said:
    if len(got) < len(rows):
        raise ValueError(f"{len(rows) - len(got)} of {len(rows)} records are rejected")
    answers = [got[i] for i in range(len(rows))]
    predicted = [one["prediction"] for one in answers]
    if not made.classify:
        return Said(None, matrix(predicted))
    labels = made.model.classes_.tolist()
    shares = [[one["probabilities"][str(label)] for label in labels] for one in answers] if probable else None
    return Said(predicted, matrix(shares) if probable else None)


def _batch(folder: Path, spec: Path, bundle: Path, lines: list[str]) -> Callable[[], object]:
    """The graph that the worker runs, on the rows that it makes of records, and the link."""
    found = find(str(folder / "model"), "0" * 32)
    task = Task(found, look(found.file), str(spec), None, folder, case.Wish(), lambda text: None)
    lifted = lift_model(task, case.Accepts())
    head = head_for(lifted.head, lifted.spec)
    encoder = Encoder(lifted.columns, lifted.spec.id)
    X = np.array([encoder.encode(line).row for line in lines], np.float64)[repeated(len(lines))]
    fast, operators = bundle / "fast.onnx", ops.library()
    if fast.exists() and operators:
        session = open_session(fast.read_bytes(), operators)
    else:
        session = open_session((bundle / "model.onnx").read_bytes())

    def ask() -> object:
        y = session.run(None, {"X": X})[0]
        return [choice.head.numbers(y[:, choice.scores]) for choice in head.choices()]

    return ask
