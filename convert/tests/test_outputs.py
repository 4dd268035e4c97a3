"""What comes out of a model: labels, several of them, probabilities and margins, by the worker's own words.

Each model is converted and served: what the worker says of records is what the original does.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from serving import FRAME, TEST, Y, check, convert, encoded, near, says, served
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder
from sklearn.svm import SVC, LinearSVC, NuSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from skiff_convert.errors import ConvertError
from skiff_convert.form import Head, Through
from skiff_convert.outputs import head_for, output_of
from skiff_convert.spec import Spec

P, M = ("probabilities",), ("margin",)
SEVERAL = {
    "forest": (RandomForestClassifier(5, max_depth=4, random_state=0), "words", P, True),
    "tree": (DecisionTreeClassifier(max_depth=4), "apply", P, True),
    "one of each": (MultiOutputClassifier(LogisticRegression()), "words", P, False),
    "neighbours": (KNeighborsClassifier(), "words", P, False),
    "perceptron": (MLPClassifier((6,), max_iter=30, random_state=0), "apply", P, False),
    "rest": (OneVsRestClassifier(LogisticRegression()), "apply", P + M, False),
    "chain": (ClassifierChain(LogisticRegression()), "apply", P + M, False),
    "margins of ridge": (OneVsRestClassifier(RidgeClassifier()), "apply", M, False),
    "dummy": (DummyClassifier(), "words", P, True),
    "ridge": (RidgeClassifier(), "apply", M, False),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SEVERAL)
def test_several_labels(name, tmp_path):
    estimator, target, fields, exact = SEVERAL[name]
    output = check(encoded(estimator).fit(FRAME, Y[target]), tmp_path, fields, exact)
    assert output["kind"] == "labels" and len(output["parts"]) == Y[target].shape[1]


ONE = {
    "svc": (SVC(), "two", M),
    "svc of three": (SVC(), "three", M),
    "svc, one against one": (SVC(decision_function_shape="ovo"), "three", M),
    "svc, ties broken": (SVC(break_ties=True), "three", M),
    "svc probability": (SVC(probability=True, random_state=0), "two", P + M),
    "svc probability of three": (SVC(probability=True, random_state=0), "whole", P + M),
    "nu svc probability": (NuSVC(nu=0.3, probability=True, random_state=0), "three", P),
    "linear svc": (LinearSVC(), "three", M),
    "one class": (OneClassSVM(gamma="auto"), "two", M),
    "isolation forest": (IsolationForest(n_estimators=5, random_state=0), "two", M),
    "logistic": (LogisticRegression(), "true", P + M),
    "huber": (SGDClassifier(loss="modified_huber", random_state=0), "three", P + M),
    "huber, two": (SGDClassifier(loss="modified_huber", random_state=0), "two", P + M),
    "discriminant": (QuadraticDiscriminantAnalysis(reg_param=0.1), "two", P + M),
    "bayes": (GaussianNB(), "three", P),
    "ada boost": (AdaBoostClassifier(n_estimators=5, random_state=0), "two", P + M),
    "ada boost of three": (AdaBoostClassifier(n_estimators=5, random_state=0), "three", P + M),
    "gradient boosting": (GradientBoostingClassifier(n_estimators=5), "three", P + M),
    "histograms": (HistGradientBoostingClassifier(max_iter=5), "three", P + M),
    "rest": (OneVsRestClassifier(LogisticRegression()), "three", P + M),
    "rest, of margins": (OneVsRestClassifier(LinearSVC()), "three", M),
    "pairs": (OneVsOneClassifier(LinearSVC()), "three", M),
    "bagging": (BaggingClassifier(LogisticRegression(), 3, random_state=0), "three", P + M),
    "voting": (
        VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
        "three",
        P,
    ),
    "stacking": (
        StackingClassifier([("a", DecisionTreeClassifier(max_depth=2))], LogisticRegression(), cv=3),
        "two",
        P + M,
    ),
    "calibrated": (CalibratedClassifierCV(LinearSVC(), cv=2), "three", P),
    "searched": (GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2), "three", P + M),
}
EXACT = ("gradient boosting", "histograms", "ada boost", "ada boost of three")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ONE)
def test_probabilities_and_margins(name, tmp_path):
    estimator, target, fields = ONE[name]
    output = check(encoded(estimator).fit(FRAME, Y[target]), tmp_path, fields, name in EXACT)
    assert [output[field] for field in fields] == list(fields)


@pytest.mark.parametrize(
    ("estimator", "target", "field", "why"),
    [
        (RandomForestClassifier(3), "two", "margin", "a RandomForestClassifier has no decision_function"),
        (KNeighborsClassifier(), "words", "margin", "a KNeighborsClassifier has no decision_function"),
        (
            MultiOutputClassifier(LogisticRegression()),
            "words",
            "margin",
            "a MultiOutputClassifier has no decision",
        ),
        (MLPClassifier((3,), max_iter=5), "two", "margin", "a MLPClassifier has no decision_function"),
        (LinearSVC(), "two", "probabilities", "the model has no probabilities"),
        (OneVsRestClassifier(LinearSVC()), "apply", "probabilities", "the model has no probabilities"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_a_model_has_not_is_refused_before_it_is_loaded(
    estimator, target, field, why, tmp_path, monkeypatch
):
    monkeypatch.setattr("skiff_convert.conversion.build", lambda *_: pytest.fail("its environment was made"))
    with pytest.raises(ConvertError, match=why) as refused:
        convert(encoded(estimator).fit(FRAME, Y[target]), tmp_path, (field,))
    assert refused.value.hint == f"leave {field} out of the spec"


def boosters() -> dict:
    """Classifiers of other libraries, with how each is asked for its raw scores."""
    xgboost, lightgbm, catboost = map(pytest.importorskip, ("xgboost", "lightgbm", "catboost"))
    cat = {"iterations": 6, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    light = {"n_estimators": 5, "min_child_samples": 5, "verbose": -1}
    return {
        "xgboost": (xgboost.XGBClassifier(n_estimators=4, max_depth=3), {"output_margin": True}),
        "lightgbm": (lightgbm.LGBMClassifier(**light), {"raw_score": True}),
        "catboost": (catboost.CatBoostClassifier(**cat), {"prediction_type": "RawFormulaVal"}),
        "catboost, multi class": (
            catboost.CatBoostClassifier(loss_function="MultiClass", **cat),
            {"prediction_type": "RawFormulaVal"},
        ),
        "catboost, one against all": (
            catboost.CatBoostClassifier(loss_function="MultiClassOneVsAll", **cat),
            {"prediction_type": "RawFormulaVal"},
        ),
    }


BOOSTERS = [
    ("xgboost", "coded", False),
    ("xgboost", "thrice", True),
    ("lightgbm", "coded", True),
    ("lightgbm", "thrice", False),
    ("catboost", "coded", False),
    ("catboost", "thrice", False),
    ("catboost, multi class", "coded", False),
    ("catboost, multi class", "thrice", False),
    ("catboost, one against all", "whole", False),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "target", "searched"), BOOSTERS)
def test_boosters_to_the_bit(name, target, searched, tmp_path):
    estimator, how = boosters()[name]
    y = {"coded": (Y["whole"] > 5).astype(int), "thrice": Y["whole"] // 10, "whole": Y["whole"]}[target]
    model = encoded(estimator)
    if searched:
        model = GridSearchCV(model, {model.steps[-1][0] + "__n_estimators": [4]}, cv=2)
    model.fit(FRAME, y)
    asked = model.best_estimator_ if searched else model
    want = says(model, TEST, P)
    for answer, raw in zip(want, np.asarray(asked.predict(TEST, **how)).tolist(), strict=True):
        answer["margin"] = raw
    bundle = convert(model, tmp_path, P + M)
    assert json.loads((bundle / "manifest.json").read_text())["parity"]["bound"] == "bits"
    for got, one in zip(served(bundle, TEST), want, strict=True):
        assert near(got, {**one, "id": got["id"]}, True), (got, one)


@pytest.mark.parametrize("loss", ["Poisson", "Tweedie:variance_power=1.5"])
def test_catboosts_exponentials_to_the_bit(loss, tmp_path):
    catboost = pytest.importorskip("catboost")
    model = catboost.CatBoostRegressor(iterations=6, verbose=0, allow_writing_files=False, loss_function=loss)
    model = encoded(model).fit(FRAME, FRAME.miles)
    output = check(model, tmp_path, (), True)
    assert output["link"] == "exp_fast"


ASKED = {
    "probabilities": (LogisticRegression(), "three", "predict_proba", "softmax"),
    "probabilities of two": (LogisticRegression(), "two", "predict_proba", "expit"),
    "votes of pairs": (AdaBoostClassifier(n_estimators=4), "two", "predict_proba", "softmax"),
    "shares": (RandomForestClassifier(4, max_depth=3), "three", "predict_proba", "identity"),
    "coupled": (SVC(probability=True, random_state=0), "three", "predict_proba", "coupled"),
    "a decision": (LinearSVC(), "two", "decision_function", "identity"),
    "decisions": (SVC(), "three", "decision_function", "identity"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ASKED)
def test_what_mlflow_asks_for_is_predicted(name, tmp_path):
    estimator, target, method, link = ASKED[name]
    model = encoded(estimator).fit(FRAME, Y[target])
    bundle = convert(model, tmp_path, (), method)
    output = json.loads((bundle / "manifest.json").read_text())["outputs"][0]
    assert (output["kind"], output["link"]) == ("number", link)
    wanted = np.asarray(getattr(model, method)(TEST)).tolist()
    for got, want in zip(served(bundle, TEST), wanted, strict=True):
        assert near(got["class"], want, False), (got, want)


@pytest.mark.parametrize(
    ("estimator", "target", "method"),
    [
        (LogisticRegression(), "two", "predict_log_proba"),
        (LinearSVC(), "two", "predict_proba"),
        (RandomForestClassifier(3), "two", "decision_function"),
        (RandomForestClassifier(3), "words", "predict_proba"),
    ],
)
def test_what_mlflow_asks_for_is_refused_by_name(estimator, target, method, tmp_path):
    name = type(estimator).__name__
    with pytest.raises(ConvertError, match=f"MLflow asks the {name} for {method}") as refused:
        convert(encoded(estimator).fit(FRAME, Y[target]), tmp_path, (), method)
    assert refused.value.hint


def test_of_equal_classes_the_one_that_the_original_takes(tmp_path, monkeypatch):
    """Before scikit-learn 1.8 that was the last: the same model, read as one of then, is not its own."""
    trees = DecisionTreeClassifier(random_state=0)  # as many say that it is theirs, or none
    model = encoded(OneVsRestClassifier(trees)).fit(FRAME, Y["three"])
    assert "ties" not in check(model, tmp_path / "first", P, True)
    monkeypatch.setattr("skiff_convert.lift.multi.OVR_FIRST", (9, 9))
    with pytest.raises(ConvertError, match="the form predicts"):
        convert(model, tmp_path / "last", P)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", ["two", "three"])
@pytest.mark.parametrize("kind", ["soft", "hard", "stacked"])
def test_coupled_probabilities_inside_a_model(kind, target, tmp_path):
    members = [("a", SVC(probability=True, random_state=0)), ("b", GaussianNB())]
    if kind == "stacked":
        model = StackingClassifier(members, LogisticRegression())
    else:
        model = VotingClassifier(members, voting=kind)
    model = encoded(model).fit(FRAME, Y[target])
    check(model, tmp_path, P if kind != "hard" else ())


def test_neighbours_that_are_chance_are_refused_by_name(tmp_path):
    steps = [
        ("c", OneHotEncoder(), ["zone"]),
        ("n", KBinsDiscretizer(2, encode="ordinal"), ["miles", "fare"]),
    ]
    model = make_pipeline(ColumnTransformer(steps), KNeighborsClassifier(3)).fit(FRAME, Y["two"])
    with pytest.raises(ConvertError, match="have an answer that is sure") as refused:
        convert(model, tmp_path, ())
    assert refused.value.hint.startswith("of rows that are equally near which are neighbours is chance")


def test_of_equal_classes_the_last():
    scores = tuple(Through(i) for i in range(3))
    head = Head(scores, "softmax", ("a", "b", "c"), last=True)
    spec = Spec("m", "y", "", None, {}, probabilities="p", margin="m")
    output = output_of(head_for(head, spec), spec)
    assert (output["ties"], output["width"], output["probabilities"]) == ("last", 3, "p")
    assert "margins" not in output and "values" not in output
    by = output_of(head_for(replace(head, by=scores[::-1]), spec), spec)
    assert (by["decide"], by["values"], by["ties"]) == ("values", 3, "last")


def test_a_label_of_one_class_is_refused(tmp_path):
    labels = np.column_stack([Y["apply"][:, 0], np.ones(len(FRAME), int)])
    with pytest.raises(ConvertError, match="a label is always 1: the model has one class of it") as refused:
        convert(encoded(DecisionTreeClassifier(max_depth=2)).fit(FRAME, labels), tmp_path, ())
    assert refused.value.hint == "train it with two"
