"""Models that are converted and served by the worker, the built program: what it says of records, and what
the original does."""

import base64
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import save
from sklearn.compose import ColumnTransformer
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skiff_convert import cli, goldens

ROOT = Path(__file__).parents[2]
RUN = "r" * 32


def rides(n: int, seed: int) -> pd.DataFrame:
    """Text and numbers, nothing missing."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"zone": rng.choice(list("abcd"), n), "miles": rng.exponential(3, n), "fare": rng.normal(10, 5, n)}
    )


FRAME, TEST = rides(240, 0), rides(40, 1)


def targets() -> dict:
    """What to learn: two words, three, whole numbers, truth; labels that apply, and several words."""
    y = (FRAME.miles * 2 + (FRAME.zone == "a") * 4 + FRAME.fare * 0.3).to_numpy()
    three = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    return {
        "two": np.where(y > np.median(y), "long", "brief"),
        "three": np.array(["x", "y", "z"])[three],
        "whole": three * 10 + 5,
        "true": y > np.median(y),
        "apply": np.column_stack([y > np.median(y), FRAME.fare > 10, FRAME.zone == "b"]).astype(int),
        "words": np.column_stack(
            [np.where(FRAME.fare > 10, "dear", "cheap"), np.array(["x", "y", "z"])[three]]
        ),
    }


Y = targets()


def encoded(estimator):
    """The estimator behind one-hot text and scaled numbers."""
    before = [
        ("c", OneHotEncoder(handle_unknown="ignore"), ["zone"]),
        ("n", StandardScaler(), ["miles", "fare"]),
    ]
    return make_pipeline(ColumnTransformer(before, sparse_threshold=0.0), estimator)


def convert(model, folder: Path, fields: tuple[str, ...], method: str = "") -> Path:
    """The bundle of a fitted model, with these fields beside the label; method: MLflow's predict_fn."""
    asked = "".join(f'{field} = "{field}"\n' for field in fields)
    features = "".join(f'{name} = "{name}"\n' for name in FRAME.columns)
    folder.mkdir(exist_ok=True)
    (folder / "spec.toml").write_text(
        f'model = "m"\nid = "id"\nprediction = "class"\n{asked}[features]\n{features}'
    )
    made = save(model, folder / "model", run_id=RUN)
    if method:
        mlmodel = yaml.safe_load((made / "MLmodel").read_text())
        mlmodel["flavors"]["python_function"] = {"loader_module": "mlflow.sklearn", "predict_fn": method}
        (made / "MLmodel").write_text(yaml.safe_dump(mlmodel))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(goldens, "RANDOM", 60)
        patch.setattr(goldens, "SWEPT", 300)
        say = lambda text: None  # noqa: E731
        return cli.convert(str(made), str(folder / "spec.toml"), folder / "out", None, cli.Wish(), say, False)


def served(bundle: Path, frame: pd.DataFrame) -> list[dict]:
    """What the worker, the built program, says of each row."""
    records = [json.dumps({"id": i, **row}) for i, row in enumerate(frame.to_dict("records"))]
    event = {
        "Records": [
            {
                "eventID": f"s:{i}",
                "kinesis": {"data": base64.b64encode(r.encode()).decode(), "sequenceNumber": str(i)},
            }
            for i, r in enumerate(records)
        ]
    }
    env = {"ONNXRUNTIME_LIB": str(ROOT / ".build/lib/libonnxruntime.so")} | os.environ
    env |= {"RUN_ID": RUN, "MODEL_LOCATION": str(bundle), "TEST_RUN": "True"}
    call = [ROOT / ".build/bin/worker", "-event", "-"]
    done = subprocess.run(call, env=env, input=json.dumps(event), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [answer["prediction"] for answer in json.loads(done.stdout)["predictions"]]


def near(got: object, want: object, exact: bool) -> bool:
    """Whether an answer has the original's bits, or all but its last digits."""
    if isinstance(want, list):
        return (
            isinstance(got, list) and len(got) == len(want) and all(map(near, got, want, [exact] * len(want)))
        )
    if isinstance(want, dict):
        return list(got) == list(want) and all(near(got[key], want[key], exact) for key in want)
    if isinstance(want, float):
        return isinstance(got, float | int) and (
            got == want if exact else abs(got - want) <= 1e-7 * max(1, abs(want))
        )
    return type(got) is type(want) and got == want


def says(model, frame: pd.DataFrame, fields: tuple[str, ...]) -> list[dict]:
    """What the original says of each row."""
    labels = np.asarray(model.predict(frame))
    if labels.shape[1:] == (1,):  # CatBoost's, of several classes
        labels = labels[:, 0]
    answers = [{"class": label} for label in labels.tolist()]
    classes = getattr(model, "classes_", None)
    if "probabilities" in fields:
        proba = model.predict_proba(frame)
        for i, answer in enumerate(answers):
            if not isinstance(answer["class"], list):
                answer["probabilities"] = dict(zip(map(str, classes), proba[i].tolist(), strict=True))
            elif isinstance(proba, list):
                of = zip(classes, proba, strict=True)
                answer["probabilities"] = [
                    dict(zip(map(str, c.tolist()), p[i].tolist(), strict=True)) for c, p in of
                ]
            else:
                zero, one = ("0.0", "1.0") if isinstance(model[-1], ClassifierChain) else ("0", "1")
                answer["probabilities"] = [{zero: 1 - p, one: p} for p in proba[i].tolist()]
    if "margin" in fields:
        for answer, margin in zip(answers, np.asarray(model.decision_function(frame)).tolist(), strict=True):
            answer["margin"] = margin
    return answers


def check(model, folder: Path, fields: tuple[str, ...] = (), exact: bool = False) -> dict:
    """Fails unless the worker says of all records what the original does; the manifest's output."""
    bundle = convert(model, folder, fields)
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["parity"]["bound"] == "bits" or not exact
    answers = served(bundle, TEST)
    assert len(answers) == len(TEST)
    for got, want in zip(answers, says(model, TEST, fields), strict=True):
        assert near(got, {**want, "id": got["id"]}, exact), (got, want)
    return manifest["outputs"][0]
