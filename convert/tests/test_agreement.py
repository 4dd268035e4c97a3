"""The converter's encoder and the worker's say the same of any record: row, or reason and field.

Thousands of strange documents become the goldens of a bundle, the shipped forest's or one that takes features
by name or by path, and the worker, the built program, replays them. What it predicts must be the graph's
prediction for the converter's row.
"""

import hashlib
import json
import math
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import contract
import numpy as np
import pytest
from helpers import ESTIMATORS, fit, save
from strange import CASES, FOREST, OPTIONS, ROOT, Case, documents, prepared

from skiff_convert import cli, goldens, prove
from skiff_convert.records import Encoder
from skiff_convert.spec import Keys


def convert(case: Case, folder: Path) -> Path:
    """A bundle of the case, made here."""
    records = None
    if case.paths.items() >= OPTIONS.items():
        kept = None if "tags" in case.paths else -1  # the last feature
        records = [dict(list(features.items())[:kept]) for features in prepared()]
    model = save(fit(ESTIMATORS[case.estimator](), records, sparse=case.sparse), folder / "model")
    spec = case.spec
    if spec != "none":
        spec = str(folder / "spec.toml")
        Path(spec).write_text(case.spec)
    with (
        pytest.MonkeyPatch.context() as patch
    ):  # little proof is enough: the worker is asked, not the pipeline
        patch.setattr(goldens, "RANDOM", 100)
        patch.setattr(goldens, "SWEPT", 1_000)
        return cli.convert(str(model), spec, folder / "converted", None, cli.Wish(), lambda text: None, False)


def replaced(bundle: Path, lines: list[str], folder: Path) -> Path:
    """A copy of the bundle with other goldens."""
    shutil.copytree(bundle, folder)
    text = "".join(lines)
    (folder / "golden.jsonl").write_text(text, encoding="utf-8")
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"]["golden.jsonl"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def judge(bundle: Path, texts: list[str]) -> tuple[list[str], Counter]:
    """Golden lines for records, by the converter's rules and the bundle's graph; how many are of each kind.

    A record whose prediction is not finite is no golden.
    """
    manifest = json.loads((bundle / "manifest.json").read_text())
    path: Keys | None = tuple(manifest["id"]["path"]) if "id" in manifest else None
    encoder = Encoder(
        contract.columns(manifest["columns"], manifest["format"]), path, manifest.get("empty") == "reject"
    )
    judged = [goldens.judge(encoder, text) for text in texts]
    X = np.array([one.encoded.row for one in judged if isinstance(one, goldens.Scored)], np.float64)
    session = prove.open_session((bundle / "model.onnx").read_bytes())
    predictions = iter(prove.score(session, X, 1000).tolist())
    lines, kinds = [], Counter()
    for one in judged:
        if isinstance(one, goldens.Rejected):
            kind, line = one.reject.reason, {"reject": one.reject.reason, "field": one.reject.field}
        else:
            kind, y = "scored", next(predictions)
            line = {"outputs": {manifest["outputs"][0]["name"]: y}}
            if not math.isfinite(y):
                continue
        kinds[kind] += 1
        lines.append(json.dumps({"record": one.text} | line) + "\n")
    return lines, kinds


@pytest.fixture(scope="module", params=CASES)
def asked(request, tmp_path_factory):
    """A bundle of the case with its goldens replaced, and the case."""
    case = CASES[request.param]
    folder = tmp_path_factory.mktemp("agreement")
    bundle = convert(case, folder) if case.estimator else FOREST
    lines, kinds = judge(bundle, documents(case))
    assert min(kinds[kind] for kind in ("scored", *case.reasons)) > 100
    return replaced(bundle, lines, folder / bundle.name), len(lines)


def check(folder: Path) -> subprocess.CompletedProcess:
    """The worker's own proof of a bundle."""
    env = (
        {"ONNXRUNTIME_LIB": str(ROOT / ".build/lib/libonnxruntime.so")}
        | os.environ
        | {"MODEL_LOCATION": str(folder)}
    )
    env.pop("RUN_ID", None)
    return subprocess.run(
        [ROOT / ".build/bin/worker", "-check"], env=env, capture_output=True, text=True, check=False
    )


def test_the_worker_agrees_with_the_converter(asked):
    bundle, count = asked
    result = check(bundle)
    assert result.returncode == 0, result.stderr
    assert f"{count} goldens equal (bits)" in result.stdout


def test_a_disagreement_would_be_seen(asked, tmp_path):
    bundle, _ = asked
    lines = (bundle / "golden.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if '"outputs"' in line)
    golden = json.loads(lines[at])
    ((name, value),) = golden["outputs"].items()
    golden["outputs"][name] = float(np.nextafter(value, np.inf))
    lines[at] = json.dumps(golden) + "\n"
    result = check(replaced(bundle, lines, tmp_path / "other"))
    assert result.returncode == 1
    assert f"is not equal to its golden {at + 1}: it predicts" in result.stderr
