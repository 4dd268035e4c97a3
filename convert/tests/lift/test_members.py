"""Models of models: AdaBoost, Bagging, IsolationForest, votes, stacks, calibration, several outputs."""

import numpy as np
import pytest
from lifted import check, rides, targets
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

FRAME = rides()
Y = targets(FRAME)
TEST = rides(200, seed=7)


def encoded(sparse=False):
    return ColumnTransformer(
        [
            ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=sparse), ["zone"]),
            ("p", "passthrough", ["hour", "miles", "fare", "vip"]),
        ],
        sparse_threshold=1.0 if sparse else 0.0,
    )


def tree(depth=3, seed=0):
    return DecisionTreeClassifier(max_depth=depth, random_state=seed)


def number(depth=3, seed=0):
    return DecisionTreeRegressor(max_depth=depth, random_state=seed)


def forest(seed=0):
    return RandomForestClassifier(5, max_depth=4, random_state=seed)


REGRESSORS = {
    "adaboost": AdaBoostRegressor(number(), n_estimators=10, random_state=0),
    "adaboost of forests": AdaBoostRegressor(
        RandomForestRegressor(3, max_depth=3), n_estimators=4, random_state=0
    ),
    "bagging": BaggingRegressor(number(5), n_estimators=10, max_features=0.6, random_state=0),
    "bagging of boosting": BaggingRegressor(
        GradientBoostingRegressor(n_estimators=5), n_estimators=4, random_state=0
    ),
    "bagging by two jobs": BaggingRegressor(number(5), n_estimators=5, n_jobs=2, random_state=0),
    "voting": VotingRegressor(
        [("a", number()), ("b", number(5)), ("c", "drop"), ("d", ExtraTreesRegressor(5, random_state=0))]
    ),
    "voting with weights": VotingRegressor([("a", number()), ("b", number(5))], weights=[0.3, 0.9]),
    "stacking": StackingRegressor(
        [("a", number()), ("b", number(5))], RandomForestRegressor(5, random_state=0)
    ),
    "stacking, passthrough": StackingRegressor(
        [("a", number()), ("b", number(5))], GradientBoostingRegressor(n_estimators=5), passthrough=True
    ),
}


@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("sparse", [False, True])
def test_regressors(name, sparse):
    model = make_pipeline(encoded(sparse), REGRESSORS[name]).fit(FRAME, Y["y"])
    check(model, TEST)


CLASSIFIERS = {
    "adaboost": AdaBoostClassifier(tree(2), n_estimators=10, random_state=0),
    "adaboost of forests": AdaBoostClassifier(forest(), n_estimators=4, random_state=0),
    "bagging": BaggingClassifier(tree(4), n_estimators=10, max_features=0.6, random_state=0),
    "bagging, few rows": BaggingClassifier(tree(4), n_estimators=12, max_samples=4, random_state=0),
    "bagging of boosting": BaggingClassifier(
        GradientBoostingClassifier(n_estimators=5), n_estimators=3, random_state=0
    ),
    "voting hard": VotingClassifier([("a", tree()), ("b", tree(5)), ("c", forest())], weights=[1, 2.5, 1.1]),
    "voting soft": VotingClassifier([("a", tree()), ("b", tree(5)), ("c", forest())], voting="soft"),
    "voting soft, weights": VotingClassifier(
        [("a", tree()), ("b", "drop"), ("c", HistGradientBoostingClassifier(max_iter=5))],
        voting="soft",
        weights=[0.1, 3, 0.7],
    ),
    "stacking": StackingClassifier([("a", tree()), ("b", forest())], forest(3)),
    "stacking, decisions": StackingClassifier(
        [
            ("a", GradientBoostingClassifier(n_estimators=5)),
            ("b", HistGradientBoostingClassifier(max_iter=5)),
        ],
        GradientBoostingClassifier(n_estimators=4),
        stack_method="decision_function",
        passthrough=True,
    ),
    "stacking, predictions": StackingClassifier(
        [("a", tree()), ("b", forest())], tree(4), stack_method="predict"
    ),
    "calibrated": CalibratedClassifierCV(forest(), cv=3),
    "calibrated, isotonic": CalibratedClassifierCV(
        GradientBoostingClassifier(n_estimators=5), cv=3, method="isotonic"
    ),
    "calibrated, no ensemble": CalibratedClassifierCV(forest(), cv=3, ensemble=False, method="isotonic"),
    "one against the rest": OneVsRestClassifier(forest()),
    "one against the rest, decisions": OneVsRestClassifier(GradientBoostingClassifier(n_estimators=5)),
    "one against the rest, numbers": OneVsRestClassifier(number()),
    "one against one": OneVsOneClassifier(forest()),
    "one against one, decisions": OneVsOneClassifier(GradientBoostingClassifier(n_estimators=5)),
    "gradient boosting": GradientBoostingClassifier(n_estimators=5),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("classes", ["two", "three", "whole"])
def test_classifiers(name, classes):
    if name == "stacking, decisions" and classes == "whole":
        classes = "three"
    model = make_pipeline(encoded(), CLASSIFIERS[name]).fit(FRAME, Y[classes])
    check(model, TEST)


def test_words_of_dicts():
    records = FRAME.to_dict("records")
    for estimator, target in [
        (AdaBoostRegressor(number(), n_estimators=8, random_state=0), "y"),
        (BaggingClassifier(tree(4), n_estimators=8, random_state=0), "three"),
        (StackingRegressor([("a", LinearRegression()), ("b", number())], LinearRegression()), "y"),
    ]:
        model = make_pipeline(DictVectorizer(), estimator).fit(records, Y[target])
        check(model, TEST, TEST.to_dict("records"), bits=not isinstance(estimator, StackingRegressor))


def test_members_with_encoders_of_their_own():
    members = [("a", make_pipeline(encoded(), number())), ("b", make_pipeline(encoded(True), number(5)))]
    check(VotingRegressor(members).fit(FRAME, Y["y"]), TEST)
    check(StackingRegressor(members, number(4)).fit(FRAME, Y["y"]), TEST)


def test_isolation():
    for features in (1.0, 0.5):
        model = IsolationForest(n_estimators=20, max_features=features, random_state=0, contamination=0.1)
        check(make_pipeline(encoded(), model).fit(FRAME), TEST)


def test_dense_members_within_a_bound():
    scaled = [("c", OneHotEncoder(), ["zone"]), ("n", StandardScaler(), ["hour", "miles", "fare"])]
    for estimator, target in [
        (VotingClassifier([("a", LogisticRegression()), ("b", forest())], voting="soft"), "three"),
        (
            StackingClassifier([("a", LogisticRegression()), ("b", RidgeClassifier())], LogisticRegression()),
            "two",
        ),
        (StackingClassifier([("a", LogisticRegression()), ("b", tree())], forest()), "three"),
        (CalibratedClassifierCV(RidgeClassifier(), cv=3), "three"),
        (CalibratedClassifierCV(LogisticRegression(), cv=3, method="isotonic"), "two"),
        (AdaBoostClassifier(LogisticRegression(), n_estimators=5), "three"),
        (OneVsRestClassifier(LogisticRegression()), "three"),
        (OneVsOneClassifier(LogisticRegression()), "three"),
    ]:
        check(make_pipeline(ColumnTransformer(scaled), estimator).fit(FRAME, Y[target]), TEST, bits=False)


@pytest.mark.parametrize("sparse", [False, True])
def test_several_outputs(sparse):
    def fitted(estimator, target):
        return make_pipeline(encoded(sparse), estimator).fit(FRAME, Y[target])

    check(fitted(MultiOutputRegressor(GradientBoostingRegressor(n_estimators=5)), "both"), TEST)
    check(fitted(RegressorChain(number(), order=[1, 0]), "both"), TEST)
    check(fitted(number(), "both"), TEST)
    check(fitted(RandomForestRegressor(5, max_depth=4), "both"), TEST)
    check(fitted(MultiOutputClassifier(forest()), "labels"), TEST)
    check(fitted(ClassifierChain(forest(), order=[1, 0]), "labels"), TEST)
    check(fitted(ClassifierChain(tree(), chain_method="predict_proba"), "labels"), TEST)
    check(fitted(OneVsRestClassifier(forest()), "labels"), TEST)
    words = np.column_stack([Y["two"], Y["three"]])
    check(make_pipeline(encoded(sparse), MultiOutputClassifier(tree())).fit(FRAME, words), TEST)
