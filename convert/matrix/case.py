"""One pipeline: converted, served by the worker, compared with what the original says."""

import base64
import contextlib
import io
import json
import os
import shutil
import subprocess
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skiff_convert import cli, plan
from skiff_convert.choose import Wish
from skiff_convert.errors import ConvertError
from skiff_convert.find import find
from skiff_convert.lifted import lift_model
from skiff_convert.look import look
from skiff_convert.outputs import head_for
from skiff_convert.proof import interpret, margin_of
from skiff_convert.records import Encoder, Reject
from skiff_convert.task import Task

ROOT = Path(__file__).parents[2]
WORKER = ROOT / ".build" / "bin" / "worker"
SECONDS = 60  # that the worker may take
FAULTS = ("report", "onnxruntime computes", "the original pipeline refuses")  # the converter's errors


@dataclass
class Outcome:
    """What became of a pipeline. kind: converted, refused, wrong, or skipped: it could not be trained."""

    where: str  # the environment
    seed: int
    kind: str
    what: str = ""  # of a refusal its reason; of a wrong one what is wrong
    bound: str = ""
    model: str = ""
    unsure: int = 0  # records whose bound is infinite
    exact: int = 0  # records that are equal to the last bit
    refused: int = 0  # records that worker and original refuse


class Accepts(dict):
    """For the interpreter: every number is taken."""

    def get(self, *_: object) -> plan.Accepts:
        return plan.Accepts(nan=True, limit=None)


def run(folder: Path, where: str, isolate: bool) -> Outcome:
    """Of a folder that inside/make.py made."""
    case = json.loads((folder / "case.json").read_text())
    out = Outcome(where, case["seed"], "wrong", model=case["model"])
    run_id = f"{case['seed']:032x}"
    spec = None  # each feature is the key of its name, and one that is absent is missing
    if not case["records"] or case["seed"] % 2:
        spec = folder / "spec.toml"
        spec.write_text(spec_of(case, folder), "utf-8")
    bundles = folder / "bundles"
    shutil.rmtree(bundles, ignore_errors=True)
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # the report
            bundle = cli.convert(
                str(folder / "model"), spec and str(spec), bundles, run_id, Wish(), lambda text: None, isolate
            )
    except ConvertError as err:
        fault = any(word in str(err) + err.hint for word in FAULTS)
        out.kind = "wrong" if fault else "refused"
        out.what = f"{err} [{err.hint}]"
        return out
    except Exception:
        out.what = "traceback: " + " | ".join(traceback.format_exc().strip().splitlines()[-3:])
        return out
    out.bound = json.loads((bundle / "manifest.json").read_text())["parity"]["bound"]
    try:
        out.what = compare(folder, bundle, spec, out)
    except Failed as err:
        out.what = str(err)
    out.kind = "wrong" if out.what else "converted"
    return out


def spec_of(case: dict, folder: Path) -> str:
    """A spec that gives each feature by its key, with ids, and probabilities where there are some."""
    lines = ['model = "matrix"', 'id = "id"', 'prediction = "prediction"']
    if "predict_proba" in json.loads((folder / "answers.json").read_text()):
        lines.append('probabilities = "probabilities"')
    return "\n".join([*lines, "[features]", *(f'"{n}" = "{n}"' for n in case["names"])]) + "\n"


class Failed(Exception):
    """The worker fails."""


def compare(folder: Path, bundle: Path, spec: Path | None, out: Outcome) -> str:
    """What is different between the worker and the original on the unseen records; "" for nothing."""
    answers = json.loads((folder / "answers.json").read_text())
    lines = (folder / "records.jsonl").read_text("utf-8").splitlines()
    names = set(json.loads((folder / "case.json").read_text())["names"])
    got = served(lines, bundle)
    near, margin = None, None
    labels = answers.get("classes") if spec else None
    first = next((w for w in answers["predict"] if w is not None), "")
    numbers = not isinstance(single(first), (str, bool))
    numbers &= "classes" not in answers and not json.loads((folder / "case.json").read_text())["classifies"]
    for i, want in enumerate(map(single, answers["predict"])):
        finite = want is not None and all(isinstance(w, str) or np.isfinite(w) for w in np.ravel(want))
        if i not in got:
            if finite and not (spec and names - json.loads(lines[i]).keys()):  # a spec's have to be there
                return f"the worker rejects {lines[i]}, and the original says {want}"
            out.refused += 1
            continue
        if not finite:
            return f"the worker says {got[i]} of {lines[i]}, which the original refuses"
        prediction, shares = got[i]["prediction"], got[i].get("probabilities")
        right = same(prediction, want)
        chances = answers["predict_proba"][i] if labels else None
        if labels:
            shares = [shares[str(label)] for label in labels] if shares else None
            right = right and shares is not None and same(shares, chances)
        if right:
            out.exact += 1
            continue
        if out.bound == "bits":
            return f"the worker says {prediction} {shares} of {lines[i]}, and the original {want} {chances}"
        if near is None:
            near, margin = allowances(folder, spec, lines)
        if not np.isfinite(near[i]).all():
            out.unsure += 1
            continue
        if not numbers and not same(prediction, want) and margin[i]:
            return f"the worker labels {lines[i]} {prediction}, and the original {want}"
        if numbers and np.any(np.abs(np.subtract(prediction, want)) > near[i]):
            said = f"the worker says {prediction} of {lines[i]}, and the original {want}"
            return f"{said}: more off than {near[i]}"
        if labels and np.any(np.abs(np.subtract(shares, chances)) > near[i]):
            said = f"the worker says {shares} of {lines[i]}, and the original {chances}"
            return f"{said}: more off than {near[i]}"
    return ""


def single(answer: object) -> object:
    """What is in a list of one: skiff has a column's value, where CatBoost has a matrix of one column."""
    return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer


def same(got: object, want: object) -> bool:
    """Equal, and of one JSON type; of numbers bit by bit."""
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, float) and isinstance(got, (int, float)) and not isinstance(got, bool):
        return float(got) == want
    return type(got) is type(want) and got == want


def served(lines: list[str], bundle: Path) -> dict[int, dict]:
    """What the worker says of records, by place, but those it rejects. Failed when it does not start."""
    said = invoke(lines, bundle)
    if len(said) == len(lines):
        return dict(enumerate(said))
    if not said:
        return {}
    if all("id" in prediction for prediction in said):
        return {prediction["id"]: prediction for prediction in said}
    middle = len(lines) // 2
    later = served(lines[middle:], bundle)
    return served(lines[:middle], bundle) | {middle + i: prediction for i, prediction in later.items()}


def invoke(lines: list[str], bundle: Path) -> list[dict]:
    """The predictions of one invocation, in the records' order, but without those that are rejected."""
    records = [
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": str(i),
                "data": base64.b64encode(line.encode()).decode(),
            },
            "eventSource": "aws:kinesis", "eventID": f"shardId-000000000000:{i}", "eventVersion": "1.0",
            "eventName": "aws:kinesis:record", "awsRegion": "us-west-2",
            "eventSourceARN": "arn:aws:kinesis:us-west-2:000000000000:stream/matrix",
        }
        for i, line in enumerate(lines)
    ]  # fmt: skip
    env = dict(os.environ, MODEL_LOCATION=str(bundle), TEST_RUN="True", AWS_LAMBDA_LOG_LEVEL="ERROR")
    env.pop("RUN_ID", None)
    result = subprocess.run(
        [WORKER, "-event", "-"], input=json.dumps({"Records": records}), env=env, capture_output=True,
        encoding="utf-8", timeout=SECONDS, check=False,
    )  # fmt: skip
    if not result.stdout.strip():
        if "are not dealt with" in result.stderr:
            return []
        raise Failed("the worker: " + " ".join(result.stderr.split())[-400:])
    return [p["prediction"] for p in json.loads(result.stdout)["predictions"]]


def allowances(folder: Path, spec: Path | None, lines: list[str]) -> tuple[list, list]:
    """Of each record how far its numbers may be off, and whether its label is sure, as the form has it."""
    found = find(str(folder / "model"), "0" * 32)
    task = Task(found, look(found.file), spec and str(spec), None, folder, Wish(), print)
    lifted = lift_model(task, Accepts())
    head = head_for(lifted.head, lifted.spec)
    encoder, rows, at = Encoder(lifted.columns, lifted.spec.id), [], []
    for i, line in enumerate(lines):
        try:
            rows.append(encoder.encode(line).row)
            at.append(i)
        except Reject:
            continue
    X = np.array(rows, np.float64).reshape(len(rows), -1)
    y, off = interpret(head, X)
    choices = head.choices()
    bounds = np.hstack([plan.bounds(c.head, y[:, c.scores], off[:, c.scores]) for c in choices])
    sure = [True] * len(rows)
    if head.labels is not None:
        of = [margin_of(y[:, c.by], c.head) > 2 * off[:, c.by].max(axis=1) for c in choices]
        sure = np.all(of, axis=0).tolist()
    near: list = [np.array([np.inf])] * len(lines)
    margin = [False] * len(lines)
    for i, bound, certain in zip(at, bounds, sure, strict=True):
        near[i], margin[i] = bound, certain
    return near, margin
