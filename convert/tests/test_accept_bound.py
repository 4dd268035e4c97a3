"""With consent sklearn-onnx converts a step, in an environment of its own and within a measured bound."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from serving import RUN, served
from worlds import folder_of

from skiff_convert import cli, goldens
from skiff_convert.errors import ConvertError
from skiff_convert.find import find
from skiff_convert.world import build

pytestmark = pytest.mark.world

MADE = """
import pickle, sys
import numpy as np, pandas as pd
from sklearn.decomposition import KernelPCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, Matern, WhiteKernel
from sklearn.impute import KNNImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
rng = np.random.default_rng(0)
X = pd.DataFrame({"miles": rng.lognormal(1, 1, 80), "fare": rng.normal(10, 5, 80).round(2)})
y = X.miles * 3 + np.sin(X.fare)
FITTED
with open(sys.argv[1], "wb") as file:
    pickle.dump(model, file)
"""
PINS = {
    "old": ("3.9", ["scikit-learn==1.2.2", "numpy==1.24.3", "scipy==1.10.1", "pandas==1.5.3"], "2023-07-01"),
    "new": ("3.11", ["scikit-learn==1.6.1", "numpy==2.2.6", "scipy==1.15.3", "pandas==2.2.3"], "2025-06-01"),
}
SPEC = """model = "m"
id = "id"
prediction = "minutes"
[features]
miles = "miles"
fare = "fare"
"""


@pytest.fixture
def convert(tmp_path, monkeypatch):
    """Converts what a script fits, model, in a world of its own: the bundle, and what was said."""
    monkeypatch.setattr(goldens, "RANDOM", 300)

    def make(fitted: str, of: str = "new") -> tuple[Path, list[str]]:
        python, pins, day = PINS[of]
        folder = folder_of(tmp_path / "model", pins, python, created=f"{day} 00:00:00.000000")
        mlmodel = (folder / "MLmodel").read_text().replace("c" * 32, RUN)
        (folder / "MLmodel").write_text(mlmodel)
        (tmp_path / "spec.toml").write_text(SPEC)
        world = build(find(str(folder)), lambda text: None)
        script = MADE.replace("FITTED", fitted)
        subprocess.run([str(world.python), "-I", "-c", script, str(folder / "model.pkl")], check=True)
        said: list[str] = []
        bundle = cli.convert(
            str(folder), str(tmp_path / "spec.toml"), tmp_path / "out", None, cli.Wish(), said.append,
            accept_bound=True,
        )  # fmt: skip
        return bundle, said

    return make


GAUSSIAN = """
kernel = RBF() + WhiteKernel()
model = make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, random_state=0)).fit(X, y)
"""


def test_a_process_is_served_within_its_bound(convert):
    bundle, said = convert(GAUSSIAN, "old")
    bound, _, step = json.loads((bundle / "manifest.json").read_text())["parity"]["bound"].partition(" ")
    assert step == "measured (GaussianProcessRegressor)" and 0 < float(bound) < 1e-9
    assert any("by sklearn-onnx 1." in text for text in said)
    lines = [json.loads(line) for line in (bundle / "golden.jsonl").read_text().splitlines()]
    scored = [line for line in lines if "outputs" in line][-20:]
    frame = pd.DataFrame([json.loads(line["record"]) for line in scored])[["miles", "fare"]]
    for got, line in zip(served(bundle, frame), scored, strict=True):
        assert 0 < line["within"] < 1e-9
        assert abs(got["minutes"] - line["outputs"]["minutes"]) <= line["within"]


def test_a_transformer_before_trees(convert):
    forest = "RandomForestRegressor(5, random_state=0)"
    bundle, _ = convert(
        f"model = make_pipeline(StandardScaler(), KernelPCA(2, kernel='rbf'), {forest}).fit(X, y)"
    )
    assert json.loads((bundle / "manifest.json").read_text())["parity"]["bound"].endswith(
        "measured (KernelPCA)"
    )


@pytest.mark.parametrize(
    ("fitted", "error"),
    [
        (
            "GaussianProcessRegressor(Matern(nu=1.5), alpha=0.1)",
            "off by .* of its size, which is no bound",
        ),
        ("make_pipeline(KNNImputer(), LinearRegression())", "KNNImputer is not supported, and sklearn-onnx"),
    ],
)
def test_what_is_no_bound_is_refused_by_name(convert, tmp_path, fitted, error):
    with pytest.raises(ConvertError, match=error) as refused:
        convert(f"model = make_pipeline({fitted}).fit(X.abs(), y)")
    assert refused.value.hint and not (tmp_path / "out").exists()
