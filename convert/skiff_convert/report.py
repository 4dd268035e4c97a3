"""The last words of a conversion: what was made, how exact and how fast, and how to serve it."""

import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from .columns import Column
from .find import Found
from .manifest import size_of
from .task import show, table

BATCH = 1_000  # rows, as they are measured
SECONDS = 0.3  # of measuring, about
SHOWN = 8  # columns that are named
BUCKET = re.compile(r"s3://([^/]+)/(.+)/artifacts/?")


@dataclass(frozen=True)
class Report:
    """What was made."""

    manifest: dict
    columns: Sequence[Column]
    size: str  # nodes, cells or terms
    parity: str
    sampled: int  # goldens that are of the sample
    session: ort.InferenceSession  # of the graph that is measured
    X: np.ndarray  # rows to measure with

    def show(self, found: Found, folder: Path) -> None:
        """Shows it on stderr."""
        manifest = self.manifest
        libraries = ", ".join(f"{name} {version}".strip() for name, version in manifest["libraries"].items())
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
        graphs = ", ".join(f"{name} {sizes[name]:,}" for name in sorted(sizes) if name.endswith(".onnx"))
        goldens = f"{manifest['parity']['goldens']:,}"
        if self.sampled:
            goldens += f", {self.sampled} of them from the sample"
        took = f"{microseconds(self.session, self.X):.2g} µs a row, batches of {BATCH:,}"
        rows = [
            ("estimator", f"{manifest['estimator']} ({libraries})"),
            ("columns", _columns(self.columns)),
            ("outputs", ", ".join(map(_output, manifest["outputs"]))),
            ("lowered to", f"{manifest['lowering']}, {self.size}"),
            ("bytes", f"{sum(sizes.values()):,}, of them {graphs}"),
            ("goldens", goldens),
            ("parity", self.parity),
            ("speed", f"{took}, onnxruntime {ort.__version__} on one thread"),
        ]
        show("  " + line for line in table(rows))
        show(serving(found, folder))


def _columns(columns: Sequence[Column]) -> str:
    more = f" and {len(columns) - SHOWN:,} more" if len(columns) > SHOWN else ""
    return ", ".join(size_of(column) for column in columns[:SHOWN]) + more


def _output(output: dict) -> str:
    text = output["name"]
    if output["kind"] == "label":
        text += f" (a label of {len(output['labels'])})"
    elif output["kind"] == "labels":
        text += f" (a list of labels, of {', '.join(str(len(part['labels'])) for part in output['parts'])})"
    else:
        unit = output.get("unit")
        count = 2 if output["link"] in ("expit", "expit32", "both") else output["width"]
        text += f" ({unit or 'a number'})" if count == 1 else f" (a list of {count})"
    return ", ".join(
        [text, *(f"{output[key]} ({key})" for key in ("probabilities", "margin") if key in output)]
    )


def microseconds(session: ort.InferenceSession, X: np.ndarray) -> float:
    """µs a row that the graph takes, the median over runs of BATCH rows."""
    if not len(X):
        return float("nan")
    rows, times = np.resize(X, (BATCH, X.shape[1])), []
    session.run(None, {"X": rows})
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        session.run(None, {"X": rows})
        times.append(time.perf_counter() - start)
    return statistics.median(times) / BATCH * 1e6


def serving(found: Found, folder: Path) -> list[str]:
    """How a worker gets the bundle from S3; nothing where the run is not known."""
    if not found.experiment_id:
        return []
    match = BUCKET.fullmatch(found.artifact_uri)
    inside = f"{found.experiment_id}/{found.run_id}"
    to = f"s3://$MODEL_BUCKET/{inside}/artifacts/onnx/"
    variables = f"MODEL_BUCKET=… MLFLOW_EXPERIMENT_ID={found.experiment_id} RUN_ID={found.run_id}"
    if match:
        to = f"{found.artifact_uri.rstrip('/')}/onnx/"
        variables = f"MODEL_LOCATION={to} RUN_ID={found.run_id}"
        if match[2] == inside:
            variables = (
                f"MODEL_BUCKET={match[1]} MLFLOW_EXPERIMENT_ID={found.experiment_id} RUN_ID={found.run_id}"
            )
    return [
        "to serve it from S3:",
        f"  aws s3 cp --recursive {folder} {to}",
        f"  {variables} worker",
    ]
