"""CatBoost's categories, compared and counted, against their lifted and folded forms, bit for bit."""

import catboost as cb
import numpy as np
import pandas as pd
import pytest
from agree import Lifted, target
from agree import rows as rides
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from skiff_convert.column import hashed
from skiff_convert.errors import ConvertError
from skiff_convert.lift import catboost_words
from skiff_convert.look import cbm, cityhash
from skiff_convert.look.ctr import MIX

SMALL = {"thread_count": 1, "verbose": False, "allow_writing_files": False, "random_seed": 0}
WORDS = ["zone", "payment", "vendor"]


def rows(seed: int, n: int = 400) -> pd.DataFrame:
    """Rides with a zone, a payment, and a vendor by its number."""
    rng = np.random.default_rng(seed)
    frame = rides(seed, n)[["miles", "fare"]]
    many = int(rng.integers(2, 30))
    frame.insert(0, "zone", rng.choice([f"naïve {i}" for i in range(many)], n).astype(object))
    frame["payment"] = rng.choice(["card", "cash", "none", ""], n).astype(object)
    frame["vendor"] = rng.integers(1, 6, n)
    return frame


def learned(frame: pd.DataFrame, kind: str) -> np.ndarray:
    """Something of which words say much, beside what they say together."""
    rng = np.random.default_rng(0)
    y = frame.miles.fillna(1) * frame.payment.isin(["card"]) + 3 * (frame.zone.str.len() % 2)
    y = (y + 2 * (frame.vendor % 2 == frame.zone.map(cityhash.category) % 2)).to_numpy()
    y = y + rng.normal(0, 0.3, len(frame))
    return y if kind == "number" else y > np.median(y) if kind == "two" else np.digitize(y, [2, 4])


def unseen(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows with words that training had not, whole numbers as text and the other way round."""
    rng = np.random.default_rng(seed)
    made = frame.sample(300, replace=True, random_state=seed).reset_index(drop=True)
    made[WORDS] = made[WORDS].astype(object)
    other = {"zone": ["", "naïve 99", 7], "payment": ["Card", -1], "vendor": ["2", 77, True, "x"]}
    for name, others in other.items():
        at = np.flatnonzero(rng.random(len(made)) < 0.2)
        made.loc[at, name] = pd.Series([others[i] for i in rng.integers(0, len(others), len(at))], at, object)
    for name in ("miles", "fare"):
        made.loc[rng.random(len(made)) < 0.1, name] = np.nan
    return made


def check(model: object, frame: pd.DataFrame, seed: int) -> Lifted:
    lifted = Lifted(model, list(frame.columns))
    test = unseen(frame, seed)
    lifted.agrees(test, lifted.table(test))
    lifted.folds(seed, lifted.table(test))
    return lifted


def fitted(frame: pd.DataFrame, kind: str = "number", **options: object) -> object:
    make = cb.CatBoostRegressor if kind == "number" else cb.CatBoostClassifier
    model = make(**{"cat_features": WORDS, "iterations": 25, "max_ctr_complexity": 4, **SMALL, **options})
    return model.fit(frame, learned(frame, kind))


def booster_of(model: object) -> cbm.CatBooster:
    return cbm.read(bytes(model.__getstate__()["__model"]))


STATISTICS = {
    "compared": {"one_hot_max_size": 50},
    "counted": {"max_ctr_complexity": 1, "one_hot_max_size": 1},
    "combined": {"max_ctr_complexity": 4, "depth": 6, "one_hot_max_size": 4},
    "Buckets": {"simple_ctr": "Buckets", "combinations_ctr": "Buckets"},
    "BinarizedTargetMeanValue": {"simple_ctr": "BinarizedTargetMeanValue"},
    "Counter": {"simple_ctr": "Counter", "combinations_ctr": "Counter"},
    "priors": {"simple_ctr": "Borders:Prior=-1:Prior=5:CtrBorderCount=40"},
    "leaf-wise": {"grow_policy": "Lossguide"},
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("kind", ["number", "two", "three"])
def test_statistics(name, kind):
    frame = rows(1)
    check(fitted(frame, kind, **STATISTICS[name]), frame, 1)


def test_several_borders_of_a_target():
    frame = rows(2)
    borders = {"simple_ctr": "Borders:TargetBorderCount=3", "combinations_ctr": "Borders:TargetBorderCount=2"}
    model = fitted(frame, **borders)
    assert {one.target for one in booster_of(model).ctrs} > {0}
    check(model, frame, 2)


@given(st.integers(0, 2**31), st.sampled_from(["number", "two", "three"]))
@settings(max_examples=12)
def test_many_models(seed, kind):
    rng = np.random.default_rng(seed)
    frame = rows(seed, int(rng.integers(100, 500)))
    options = {"iterations": int(rng.integers(1, 30)), "depth": int(rng.integers(1, 7))}
    options |= {
        "one_hot_max_size": int(rng.choice([1, 4, 50])),
        "max_ctr_complexity": int(rng.integers(1, 5)),
    }
    check(fitted(frame, kind, **options), frame, seed)


def test_every_kind_of_projection_is_met():
    """Of one category, of several, with numbers above borders, and with compared categories."""
    booster = booster_of(fitted(rows(7), depth=6, iterations=60, one_hot_max_size=4))
    projections = [one.projection for one in booster.ctrs]
    assert any(len(p.cats) > 1 for p in projections)
    assert any(p.floats for p in projections)
    assert any(p.one_hots for p in projections)


@pytest.mark.parametrize("names", [WORDS[:2], [*WORDS, "fare"]])
def test_behind_a_column_transformer(names):
    frame = rows(3)
    columns = ColumnTransformer([("words", "passthrough", names), ("miles", SimpleImputer(), ["miles"])])
    words = [i for i, name in enumerate(names) if name in WORDS]
    model = make_pipeline(columns, cb.CatBoostRegressor(cat_features=words, iterations=10, **SMALL))
    check(model.fit(frame, learned(frame, "number")), frame, 3)


def test_a_feature_that_nothing_asks_is_a_column_all_the_same():
    frame = rows(4)
    model = cb.CatBoostRegressor(cat_features=WORDS, iterations=1, depth=1, **SMALL)
    model.fit(frame, frame.miles.fillna(0))
    assert {wanted.name for wanted in check(model, frame, 4).lifting.wanted} >= set(WORDS)


def test_categories_of_combinations_alone():
    """All categories of two features come back from the hashes of their combinations."""
    frame = rows(7)
    booster = booster_of(fitted(frame, depth=6, iterations=60, one_hot_max_size=1))
    pairs = [one for one in booster.ctrs if len(one.projection.cats) == 2 and not one.projection.floats]
    booster.ctrs[:] = pairs[:1]
    known = catboost_words.known(booster)
    names = [name for _, name in booster.categorical.values()]
    for index in pairs[0].projection.cats:
        assert known[index] >= {hashed(v) for v in frame[names[index]].tolist()}


def test_pairs_are_found_at_the_ends():
    ends = [-(1 << 31), -1, 0, 1, (1 << 31) - 1]
    for x in ends:
        for y in ends:
            assert (x, y) in catboost_words._pairs((MIX * x + y) % (1 << 64))


def test_texts_have_the_hashes_that_they_stand_for():
    hashes = [0, -1, (1 << 31) - 1, -(1 << 31), *map(cityhash.category, ("", "a", "naïve ☃", "x" * 99))]
    texts = cityhash.texts_of(hashes)
    assert list(map(cityhash.category, texts)) == hashes
    assert all(text.isprintable() and text.isascii() and text.endswith("(hashed)") for text in texts)


def test_one_count_more_is_another_answer():
    """The least change of what training counted is seen: no statistic is beside the point."""
    frame = rows(5)
    model = fitted(frame, one_hot_max_size=1, max_ctr_complexity=1)
    one = booster_of(model).ctrs[0]
    places = np.array(list(one.counts.places), np.uint64)
    before = one.values(places)
    blob = one.counts.blob.copy()
    blob[:, -1] += 1
    object.__setattr__(one.counts, "blob", blob)
    assert (one.values(places) != before).all()


def test_refusals_name_the_reason(monkeypatch):
    frame = rows(6)
    made = make_pipeline(
        ColumnTransformer([("words", SimpleImputer(strategy="constant", fill_value="none"), ["payment"])]),
        cb.CatBoostRegressor(cat_features=[0], iterations=3, **SMALL),
    ).fit(frame, target(rides(6, len(frame)), 6))
    with pytest.raises(ConvertError, match="categorical feature .*a step before it makes"):
        Lifted(made, list(frame.columns))
    model = fitted(rows(7), depth=6, iterations=60, one_hot_max_size=1)
    monkeypatch.setattr("skiff_convert.lift.catboost_ctr.CELLS", 50)
    with pytest.raises(ConvertError, match=r"statistics of \d combined features, [\d,]+ combinations"):
        Lifted(model, list(frame.columns))
    monkeypatch.setattr(catboost_words, "MOST", 10)
    with pytest.raises(ConvertError, match="combined categories are too many"):
        Lifted(model, list(frame.columns))
