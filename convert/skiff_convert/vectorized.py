"""The route of a DictVectorizer with one regressor behind it: a table, trees, or a sum."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from . import bundle, choose, columns, fast, goldens, grid, limits, lower, sketch
from .columns import Column
from .errors import ConvertError
from .goldens import Scored
from .grid import Table
from .look import Obj
from .lower import Lowering
from .manifest import CONTRADICTS, check_scored, golden, manifest_of, refused, size_of
from .neutral import Pipeline, Trees
from .prove import BATCHES, Parity, open_session, prove, prove_all, score
from .reader import Reader, Source
from .records import Encoder
from .report import Report
from .rules import warnings
from .sample import beside, inspect, sample_of, spread
from .task import Task
from .world import World

# What becomes a table where that is faster, or a sum in the vectorizer's order.
TREES = frozenset(["DecisionTreeRegressor", "RandomForestRegressor", "ExtraTreesRegressor"])
LINEAR = frozenset(["LinearRegression", "Ridge", "Lasso", "ElasticNet"])

WIDE = (
    f"WARNING: of a table, and of more than {columns.ENTRIES} columns, what has the separator in its name is "
    "taken for a text: keys such as 'zone=7' of a record are not read, and lists are rejected"
)


def fits(root: object) -> bool:
    """Whether the model is a Pipeline of a DictVectorizer and one of the regressors of one output."""
    steps = [step for _, step in root.steps] if isinstance(root, Obj) and root.name == "Pipeline" else []
    if len(steps) != 2 or not all(isinstance(step, Obj) and step.package == "sklearn" for step in steps):
        return False
    if steps[0].name != "DictVectorizer":
        return False
    # Of dense rows a sum has no order: how far it may be off depends on all of its terms.
    return steps[1].name in TREES or steps[1].name in LINEAR and bool(steps[0].sparse)


def convert(task: Task, world: Callable[[], World]) -> Path:
    """Converts the model that was found; the bundle's folder. ConvertError when it cannot be done rightly."""
    found, say = task.found, task.say
    origin = Source.of(found)
    reader = Reader(origin, str(world().python))
    say(f"reading {origin.file}")
    pipeline = reader.learned()
    spec, spec_name = columns.choose(pipeline, task.spec, list(task.signature), task.required)
    task.warn_of_spec(spec, spec_name)
    for key in ("probabilities", "margin"):
        if getattr(spec, key):
            raise ConvertError(f"a regressor has no {key}", f"leave {key} out of the spec")
    X_columns = columns.build(pipeline, spec, optional=spec_name == "none")
    say(f"{pipeline.estimator_class}; spec {spec_name}: {', '.join(map(size_of, X_columns))}")
    for warning in warnings(X_columns):
        say(warning)
    empty = columns.may_be_empty(X_columns)
    if spec_name == "none" and not task.signature:
        say(WIDE)
    encoder = Encoder(X_columns, spec.id, empty)
    sample = sample_of(task, spec)
    sampled = sample.judge(encoder) if sample else []
    if sample:
        inspect(sample, X_columns, spec.id, sampled)

    lowering, table = choose.choose(pipeline, X_columns, origin.run_id, reader, task.wish, say)
    limits.check(X_columns, len(onnx.load_model_from_string(lowering.model).graph.node))
    quick = None
    if lowering.kind == "trees":
        quick = fast.lowered(lambda: lower.lower(pipeline, X_columns, origin.run_id, own=True).model, say)
    say(f"lowered to {lowering.kind}, {len(lowering.model):,} bytes; choosing records")
    records = goldens.Records(X_columns, spec.id, *goldens.of_trees(pipeline, X_columns))
    kept = [goldens.judge(encoder, text) for text in records.goldens()]
    swept = [goldens.judge(encoder, text) for text in records.sweep()]
    scored = [record for record in kept + swept if isinstance(record, Scored)]
    check_scored(kept + swept, scored)
    _check_words(X_columns, scored)
    own = spread(sampled)
    kept, swept = kept + own, swept + sampled
    scored = [record for record in kept + swept if isinstance(record, Scored)]
    say(f"asking the original pipeline about {len(scored):,} records")
    predictions = _ask(reader, scored)
    finite = [record for record in scored if record.text in predictions]
    X = np.array([record.encoded.row for record in finite], np.float64)
    expected = np.array([predictions[record.text] for record in finite])
    within = None if lowering.bound == "bits" else lower.allowance(pipeline, X_columns, X)
    say(f"proving: onnxruntime {ort.__version__}, batches of {BATCHES[0]} to {BATCHES[-2]:,} rows and all")
    parity = prove(lowering.model, X, expected, within)
    agreement = f"{parity.rows:,} records, {_agreement(lowering, parity)}"
    say(agreement)
    opened = open_session(lowering.model)
    if quick:
        say(quick.prove(opened, X))
    if table:
        cells = prove_all(lowering.model, grid.rows(table, X_columns))
        say(f"{cells:,} rows on both ends of every bin, {_agreement(lowering, parity)}")
    pairs = {}
    if sample:
        y = score(opened, X, len(X)).tolist()
        both = zip(y, expected.tolist(), strict=True)
        pairs = dict(zip((record.text for record in finite), both, strict=True))
        beside(sample, pairs, sampled)

    allowed = {} if within is None else dict(zip((r.text for r in finite), within.tolist(), strict=True))
    outputs = {text: {spec.prediction: prediction} for text, prediction in predictions.items()}
    lines = [line for record in kept if (line := golden(record, outputs, allowed))]
    limits.check_bounds(lines)
    own = [record for record in own if golden(record, outputs, allowed)]
    generated = sum(record.text in predictions for record in swept)
    manifest = manifest_of(
        found, pipeline.estimator_class, pipeline.libraries, spec,
        [{"name": spec.prediction, "kind": "number", "width": 1, "unit": spec.unit, "link": "identity"}],
        X_columns, lowering.kind, {"bound": lowering.bound, "goldens": len(lines), "generated": generated},
        empty,
    )  # fmt: skip
    files = {"model.onnx": lowering.model, "golden.jsonl": "".join(lines).encode("utf-8")}
    files |= fast.files(quick) | sketch.files(sampled, X_columns, manifest["outputs"], pairs, say)
    folder = bundle.write(task.out, origin.run_id, manifest, files, task.sign)
    say(f"wrote {folder}")
    size = _size(pipeline, table)
    Report(manifest, X_columns, size, agreement, len(own), quick.open() if quick else opened, X).show(
        found, folder
    )
    return folder


def _size(pipeline: Pipeline, table: Table | None) -> str:
    if table:
        return f"{grid.size(table.axes):,} cells"
    if isinstance(pipeline.estimator, Trees):
        return f"{np.count_nonzero(pipeline.estimator.left >= 0):,} nodes"
    return f"{len(pipeline.vectorizer.names):,} terms"


def _check_words(X_columns: Sequence[Column], scored: Sequence[Scored]) -> None:
    """ConvertError when most words of a column do not come up in records that are made of them."""
    for i, column in enumerate(X_columns):
        seen = {record.encoded.row[i] for record in scored} - {0}
        if 2 * len(seen) < len(column.vocabulary):
            raise ConvertError(
                f"of the {len(column.vocabulary):,} words of {column.name} the spec makes only {len(seen):,}",
                CONTRADICTS,
            )


def _ask(reader: Reader, scored: Sequence[Scored]) -> dict[str, float]:
    """The original's prediction for each record's text, where it is finite: the worker publishes no other.

    ConvertError when the original refuses a record.
    """
    predictions, reasons = reader.predict([record.encoded.features for record in scored])
    for record, reason in zip(scored, reasons, strict=True):
        if reason:
            raise refused(record.text, reason)
    pairs = zip(scored, predictions.tolist(), strict=True)
    return {record.text: prediction for record, prediction in pairs if np.isfinite(prediction)}


def _agreement(lowering: Lowering, parity: Parity) -> str:
    if lowering.bound == "bits":
        return "every prediction equal to the last bit"
    return f"every prediction within {lowering.bound} of its largest term, {parity.largest:.2g} off at most"
