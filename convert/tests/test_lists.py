"""Lists of words: what scikit-learn makes of them, converted and served."""

import json
import random
from pathlib import Path

import pytest
from helpers import save
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.tree import DecisionTreeRegressor
from test_agreement import check
from xgboost import XGBRegressor

from skiff_convert import cli, goldens
from skiff_convert.errors import ConvertError

SPEC = """model = "m"
prediction = "y"
[features]
tags = { from = "ride.tags", list = true, missing = "absent", null = "absent" }
miles = "ride.miles"
"""
TAGS = ("a", "b", "c=d", "", "é")


def features(repeats: bool) -> list[dict]:
    rng = random.Random(4)
    rows = []
    for _ in range(300):
        tags = rng.sample(TAGS, rng.randint(0, 4))
        tags += tags[:1] * (repeats and rng.random() < 0.4)
        rows.append({"tags": tags, "miles": rng.uniform(0, 9)} if tags else {"miles": rng.uniform(0, 9)})
    return rows


def model(estimator, folder: Path, sparse: bool, repeats: bool) -> Path:
    rows = features(repeats)
    y = [len(row.get("tags", ())) * 3 + ("a" in row.get("tags", ())) + row["miles"] for row in rows]
    return save(make_pipeline(DictVectorizer(sparse=sparse), *estimator).fit(rows, y), folder / "model")


def convert(folder: Path, spec: str = SPEC) -> Path:
    (folder / "spec.toml").write_text(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(goldens, "RANDOM", 1_000)
        patch.setattr("skiff_convert.report.SECONDS", 0.0)
        return cli.convert(
            str(folder / "model"),
            str(folder / "spec.toml"),
            folder / "out",
            None,
            cli.Wish(),
            lambda text: None,
            False,
        )


def lines(bundle: Path) -> list[dict]:
    return [json.loads(line) for line in (bundle / "golden.jsonl").read_text().splitlines()]


def test_what_scikit_learn_makes_of_lists():
    """It counts in a dense matrix, has both in a sparse one, and takes no list but of texts."""
    dense, sparse = DictVectorizer(sparse=False), DictVectorizer()
    assert dense.fit_transform([{"t": ["a", "b", "a"]}, {"t": "b"}, {"t": []}]).tolist() == [
        [2, 1],
        [0, 1],
        [0, 0],
    ]
    assert sparse.fit_transform([{"t": ["a", "b", "a"]}]).data.tolist() == [1, 1, 1]
    assert sparse.transform([{"t": ["z"]}, {}]).nnz == 0
    for wrong in (1, None, ["a"], {"a": 1}):
        with pytest.raises(TypeError, match="Only iterables of string are supported"):
            dense.transform([{"t": ["a", wrong]}])


@pytest.mark.parametrize(
    ("estimator", "sparse"),
    [
        ([DecisionTreeRegressor(random_state=1)], True),
        ([RandomForestRegressor(5, random_state=1)], False),
        ([MaxAbsScaler(), Ridge()], True),
        ([XGBRegressor(n_estimators=5)], True),
    ],
    ids=["tree", "dense forest", "linear", "xgboost"],
)
def test_lists_are_served(tmp_path, estimator, sparse):
    model(estimator, tmp_path, sparse, repeats=not sparse)
    bundle = convert(tmp_path)
    columns = json.loads((bundle / "manifest.json").read_text())["columns"]
    words = {column["name"]: column["repeat"] for column in columns if column["kind"] == "word"}
    assert words == dict.fromkeys((f"tags={tag}" for tag in TAGS), "reject" if sparse else "count")
    scored = [json.loads(line["record"]) for line in lines(bundle) if "outputs" in line]
    tags = [record["ride"].get("tags", "none") for record in scored]
    assert [] in tags and "none" in tags and any(len(one) > 1 for one in tags if isinstance(one, list))
    twice = [one for one in tags if isinstance(one, list) and len(set(one)) < len(one)]
    assert bool(twice) != sparse
    result = check(bundle)
    assert result.returncode == 0, result.stderr


def test_a_list_that_the_spec_does_not_name(tmp_path):
    model([DecisionTreeRegressor(random_state=1)], tmp_path, sparse=False, repeats=True)
    spec = 'model = "m"\nprediction = "y"\n[features]\ntags = "ride.tags"\nmiles = "ride.miles"\n'
    with pytest.raises(
        ConvertError, match="is not the word .* of tags: the pipeline has seen more"
    ) as raised:
        convert(tmp_path, spec)
    assert raised.value.hint.startswith('is it a list of words, tags = { from = "key.key", list = true }?')


def test_a_number_is_no_list(tmp_path):
    model([DecisionTreeRegressor(random_state=1)], tmp_path, sparse=True, repeats=False)
    spec = SPEC.replace('miles = "ride.miles"', 'miles = { from = "ride.miles", list = true }')
    with pytest.raises(ConvertError, match="learned miles as a number, and the spec makes a list of words"):
        convert(tmp_path, spec)
