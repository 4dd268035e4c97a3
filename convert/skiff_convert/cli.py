"""Stage 1: the command."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import choose
from .choose import Wish
from .conversion import convert, prepare
from .errors import ConvertError
from .explain import explain
from .init import first_spec

HELP = """\
usage: python -m skiff_convert MODEL [--spec FILE] [--sample FILE] [--out FOLDER] [--run-id ID] [--log]
                               [--sign KEY]
                               [--lowering auto|trees|table] [--table-budget MB] [--no-isolation]
                               [--accept-bound]
       python -m skiff_convert MODEL --init [FILE] [--sample FILE]
       python -m skiff_convert MODEL --explain [FILE.svg] [--spec FILE]

Converts the scikit-learn pipeline of an MLflow run to a bundle, FOLDER/<RUN_ID>/, that the worker serves.
The bundle is written only when onnxruntime agrees with the original pipeline on every record tried.

MODEL is a folder with an MLmodel, runs:/<RUN_ID>/<name> or models:/<name>/<version> (MLFLOW_TRACKING_URI
names the tracking store).

  --spec FILE     how a record becomes features: a TOML file; taxi, the one that ships; or none, where a
                  feature is the record's key of that name, and MLflow's signature says which must be there.
                  Default, with a warning: taxi where it gives all the features that the pipeline wants,
                  else none.
  --sample FILE   records as the stream has them, JSON, one a line. It is shown what is found in them, feature
                  by feature, and some predictions beside the pipeline's own; each that is scored must be
                  equal. The bundle's golden.jsonl keeps up to 20 of them, as they are: take none that must
                  not be there. Of 500 or more it has a sketch, for skiff drift. Default: MLflow's input
                  example, where the model has one.
  --out FOLDER    where the bundle goes (default: models)
  --run-id ID     the run, for a model that was saved outside one
  --log           put the bundle on the run too, as artifacts onnx/, by MLflow's client: this writes to the
                  store that MLFLOW_TRACKING_URI names. Where onnx/ is another model's of the run, it goes to
                  onnx/NAME/, by the name that the run logged its model by
  --sign KEY      sign the bundle: manifest.json.sig, by a private key in PEM of Ed25519 or ECDSA P-256, whose
                  password is in SIGN_PASSWORD. The worker's MODEL_PUBLIC_KEY takes no other bundle then
  --lowering HOW  of trees: trees, as they are; table, of all they can predict; or auto, the faster by an
                  estimate (default: auto)
  --table-budget MB
                  the largest model.onnx that a table may make, 10^6 bytes (default: 32)
  --no-isolation  ask the model with the libraries that are installed here, not those it was logged with
  --accept-bound  a step that skiff does not convert is converted by sklearn-onnx, that step alone and in an
                  environment of its own; how far it is from the original is measured, stated as the bundle's
                  bound, and the worker holds its goldens to it. Without this such a step is refused
  --init [FILE]   write a first spec to FILE or stdout, of what the pipeline reads, the signature and the
                  sample; nothing is converted
  --explain [FILE.svg]
                  show what the model computes, as text on stdout or as a picture; nothing is converted
  --help          this text

Unpickling a model runs code that comes with it: convert only models you trust. --init and --explain run none.

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


def _parser() -> _Parser:
    parser = _Parser(add_help=False)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--spec")
    parser.add_argument("--sample", type=Path)
    parser.add_argument("--out", default="models", type=Path)
    parser.add_argument("--run-id")
    parser.add_argument("--log", action="store_true")
    parser.add_argument("--sign", type=Path, metavar="KEY")
    parser.add_argument("--lowering", default="auto", choices=choose.WISHES)
    parser.add_argument("--table-budget", default=Wish.budget, type=float)
    parser.add_argument("--no-isolation", action="store_true")
    parser.add_argument("--accept-bound", action="store_true")
    parser.add_argument("--init", nargs="?", const="-", metavar="FILE")
    parser.add_argument("--explain", nargs="?", const="-", metavar="FILE.svg")
    parser.add_argument("--help", "-h", action="store_true")
    return parser


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code: 0, 1 after an error, 2 after wrong usage (raised as SystemExit)."""
    parser = _parser()
    options = parser.parse_args(args)
    if options.help:
        print(HELP, end="")
        return 0
    if options.table_budget <= 0:
        parser.error("--table-budget has to be above 0")
    if not options.model:
        parser.error("which model? name a folder, runs:/… or models:/…")
    if options.init and options.explain:
        parser.error("--init or --explain? one at a time")
    if options.explain not in (None, "-") and not options.explain.endswith(".svg"):
        parser.error(f"--explain {options.explain}: the picture is an .svg")
    try:
        _run(options)
    except ConvertError as err:
        print(f"convert: error: {err}", file=sys.stderr)
        if err.hint:
            print(f"hint: {err.hint}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    say = Progress()
    if options.init or options.explain:
        task = prepare(options.model, options.spec, options.run_id, say, sample=options.sample)
        if options.init:
            _write(options.init, first_spec(task))
        else:
            _write(options.explain, explain(task, svg=options.explain != "-"))
        return
    wish = Wish(options.lowering, options.table_budget)
    print(
        convert(
            options.model, options.spec, options.out, options.run_id, wish, say, not options.no_isolation,
            options.sample, options.log, options.sign, options.accept_bound,
        )
    )  # fmt: skip


def _write(path: str, text: str) -> None:
    """A text to a file that is not there yet, or to stdout. ConvertError where it cannot be."""
    if path == "-":
        print(text, end="")
        return
    try:
        with Path(path).open("w" if path.endswith(".svg") else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as err:
        raise ConvertError(f"{path} is there already", "remove it, or name another file") from err
    except OSError as err:
        raise ConvertError(f"writing {path}: {err.strerror}", "is it a file you may write?") from err
    print(path)
