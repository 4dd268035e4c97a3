"""Stage 1: the command."""

import argparse
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from . import FORMAT, __version__, bundle, choose, columns, goldens, grid, lower, source
from .choose import Wish
from .columns import Column
from .errors import ConvertError
from .goldens import Rejected, Scored
from .lower import Lowering
from .neutral import Pipeline
from .prove import BATCHES, Parity, prove, prove_all
from .reader import Reader
from .records import Encoder
from .source import Source
from .spec import Spec

HELP = """\
usage: python -m skiff_convert MODEL [--spec FILE] [--out FOLDER] [--run-id ID]
                               [--lowering auto|trees|table] [--table-budget MB]

Converts the scikit-learn pipeline of an MLflow run to a bundle, FOLDER/<RUN_ID>/, that the worker serves.
The bundle is written only when onnxruntime agrees with the original pipeline on every record tried.

MODEL is a folder with an MLmodel, runs:/<RUN_ID>/<name> or models:/<name>/<version> (MLFLOW_TRACKING_URI
names the tracking store).

  --spec FILE     how a record becomes features: a TOML file; taxi, the one that ships; or none, where a
                  feature is the record's key of that name. Default: taxi where it gives all the features
                  that the pipeline wants, else none.
  --out FOLDER    where the bundle goes (default: models)
  --run-id ID     the run, for a model that was saved outside one
  --lowering HOW  of trees: trees, as they are; table, of all they can predict; or auto, the faster by an
                  estimate (default: auto)
  --table-budget MB
                  the largest model.onnx that a table may make, 10^6 bytes (default: 32)
  --help          this text

Unpickling a model runs code that comes with it: convert only models you trust.

The last line of stdout is the bundle's folder. Example:

  $ python -m skiff_convert runs:/647b92cac3f44aed924eaaa15405f8e2/model --out models
  models/647b92cac3f44aed924eaaa15405f8e2
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        print(f"convert: error: {message}\nhint: --help shows the options, with an example", file=sys.stderr)
        sys.exit(2)


class Progress:
    """Says on stderr what is being done, and how long the step before took."""

    def __init__(self):
        self._start = time.perf_counter()

    def __call__(self, text: str) -> None:
        print(f"convert: {time.perf_counter() - self._start:5.1f} s  {text}", file=sys.stderr, flush=True)


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code: 0, 1 after an error, 2 after wrong usage (raised as SystemExit)."""
    parser = _Parser(add_help=False)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--spec")
    parser.add_argument("--out", default="models", type=Path)
    parser.add_argument("--run-id")
    parser.add_argument("--lowering", default="auto", choices=choose.WISHES)
    parser.add_argument("--table-budget", default=choose.Wish.budget, type=float)
    parser.add_argument("--help", "-h", action="store_true")
    options = parser.parse_args(args)
    if options.help:
        print(HELP, end="")
        return 0
    if options.table_budget <= 0:
        parser.error("--table-budget has to be above 0")
    if not options.model:
        parser.error("which model? name a folder, runs:/… or models:/…")
    try:
        wish = Wish(options.lowering, options.table_budget)
        print(convert(options.model, options.spec, options.out, options.run_id, wish, Progress()))
    except ConvertError as err:
        print(f"convert: error: {err}", file=sys.stderr)
        if err.hint:
            print(f"hint: {err.hint}", file=sys.stderr)
        return 1
    return 0


def convert(
    model: str, spec_path: str | None, out: Path, run_id: str | None, wish: Wish, say: Progress
) -> Path:
    """Converts the model; the bundle's folder. ConvertError when it cannot be done rightly."""
    say(f"finding {model}")
    origin = source.find(model, run_id)
    reader = Reader(origin)

    say(f"reading {origin.file}")
    pipeline = reader.learned()
    spec, spec_name = columns.choose(pipeline, spec_path)
    X_columns = columns.build(pipeline, spec, optional=spec_name == "none")
    names = ", ".join(f"{c.name} ({_size(c)})" for c in X_columns)
    say(f"{pipeline.estimator_class}; spec {spec_name}: {names}")

    lowering, table = choose.choose(pipeline, X_columns, origin.run_id, reader, wish, say)
    say(f"lowered to {lowering.kind}, {len(lowering.model):,} bytes; choosing records")
    encoder = Encoder(X_columns, spec.id)
    records = goldens.Records(pipeline, X_columns, spec.id)
    kept = [goldens.judge(encoder, text) for text in records.goldens()]
    swept = [goldens.judge(encoder, text) for text in records.sweep()]

    scored = [record for record in kept + swept if isinstance(record, Scored)]
    _check_coverage(X_columns, kept + swept, scored)
    say(f"asking the original pipeline about {len(scored):,} records")
    predictions = _ask(reader, scored)
    finite = [record for record in scored if record.text in predictions]
    X = np.array([record.encoded.row for record in finite], np.float64)
    expected = np.array([predictions[record.text] for record in finite])
    within = None if lowering.bound == "bits" else lower.allowance(pipeline, X_columns, X)
    say(f"proving: onnxruntime {ort.__version__}, batches of {BATCHES[0]} to {BATCHES[-2]:,} rows and all")
    parity = prove(lowering.model, X, expected, within)
    say(f"{parity.rows:,} records: {_agreement(lowering, parity)}")
    if table:
        cells = prove_all(lowering.model, grid.rows(table, X_columns))
        say(f"{cells:,} rows on both ends of every bin: {_agreement(lowering, parity)}")

    allowed = {} if within is None else dict(zip((record.text for record in finite), within, strict=True))
    lines = [line for record in kept if (line := _golden(record, spec, predictions, allowed))]
    generated = sum(record.text in predictions for record in swept)
    manifest = _manifest(origin, pipeline, spec, X_columns, lowering)
    manifest["parity"] = {"bound": lowering.bound, "goldens": len(lines), "generated": generated}
    files = {"model.onnx": lowering.model, "golden.jsonl": "".join(lines).encode("utf-8")}
    folder = bundle.write(out, origin.run_id, manifest, files)
    say(f"wrote {folder}: {len(lines)} goldens, {sum(p.stat().st_size for p in folder.iterdir()):,} bytes")
    return folder


def _check_coverage(
    X_columns: Sequence[Column], records: Sequence[Scored | Rejected], scored: Sequence[Scored]
) -> None:
    """ConvertError when next to nothing would be proved.

    Records are made by the spec, of values that the pipeline knows. Where most are rejected, or most words do
    not come up, the spec contradicts itself.
    """
    hint = "do two features read one value as different things?"
    if 2 * len(scored) < len(records):
        rejects = Counter(
            f"{r.reject.reason} {r.reject.field}".strip() for r in records if isinstance(r, Rejected)
        )
        raise ConvertError(
            f"of {len(records):,} records made by the spec, it rejects all but {len(scored):,}, most of them "
            f"as {rejects.most_common(1)[0][0]}",
            hint,
        )
    for i, column in enumerate(X_columns):
        seen = {record.encoded.row[i] for record in scored} - {0}
        if 2 * len(seen) < len(column.vocabulary):
            raise ConvertError(
                f"of the {len(column.vocabulary):,} words of {column.name} the spec makes only {len(seen):,}",
                hint,
            )


def _ask(reader: Reader, scored: Sequence[Scored]) -> dict[str, float]:
    """The original's prediction for each record's text, where it is finite: the worker publishes no other.

    ConvertError when the original refuses a record.
    """
    predictions, refused = reader.predict([record.encoded.features for record in scored])
    for record, reason in zip(scored, refused, strict=True):
        if reason:
            raise ConvertError(
                f"the original pipeline refuses the record {record.text}: {reason}",
                "the bundle would accept it: is the spec right?",
            )
    pairs = zip(scored, predictions.tolist(), strict=True)
    return {record.text: prediction for record, prediction in pairs if np.isfinite(prediction)}


def _golden(
    record: Scored | Rejected, spec: Spec, predictions: dict[str, float], allowed: dict[str, float]
) -> str:
    """A line of golden.jsonl; "" for a record that is scored and has no finite prediction."""
    if isinstance(record, Rejected):
        line = {"record": record.text, "reject": record.reject.reason}
        if record.reject.reason != "not_json":
            line["field"] = record.reject.field
        return json.dumps(line) + "\n"
    if record.text not in predictions:
        return ""
    line = {"record": record.text, "outputs": {spec.prediction: predictions[record.text]}}
    if record.text in allowed:
        line["within"] = float(allowed[record.text])
    return json.dumps(line) + "\n"


def _manifest(
    origin: Source, pipeline: Pipeline, spec: Spec, X_columns: Sequence[Column], lowering: Lowering
) -> dict:
    manifest = {
        "format": FORMAT,
        "run_id": origin.run_id,
        "created": origin.created,
        "model": spec.model,
        "estimator": pipeline.estimator_class,
        "libraries": pipeline.libraries,
        "converter": {
            "skiff": __version__,
            "python": platform.python_version(),
            "onnx": onnx.__version__,
            "onnxruntime": ort.__version__,
        },
    }
    if spec.id:
        manifest["id"] = {"name": spec.id[-1], "path": list(spec.id)}
    return manifest | {
        "outputs": [{"name": spec.prediction, "kind": "number", "width": 1, "unit": spec.unit}],
        "columns": [column.manifest() for column in X_columns],
        "lowering": lowering.kind,
    }


def _size(column: Column) -> str:
    return f"{len(column.vocabulary):,} words" if column.kind == "category" else "number"


def _agreement(lowering: Lowering, parity: Parity) -> str:
    if lowering.bound == "bits":
        return "every prediction equal to the last bit"
    return f"every prediction within {lowering.bound} of its largest term, {parity.largest:.2g} off at most"
