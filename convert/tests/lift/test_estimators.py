"""Estimators by themselves: sparse sums to the bit, dense ones and kernels within the form's own bound."""

import numpy as np
import pytest
from lifted import check, rides, targets
from sklearn.compose import ColumnTransformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskLasso,
    Perceptron,
    PoissonRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDOneClassSVM,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

FRAME = rides()
Y = targets(FRAME)
TEST = rides(200, seed=7)
NUMBERS = ["hour", "miles", "fare"]


def encoded(sparse=False, scaler=StandardScaler):
    return ColumnTransformer(
        [
            ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=sparse), ["zone"]),
            ("n", scaler(), NUMBERS),
        ],
        sparse_threshold=1.0 if sparse else 0.0,
    )


REGRESSORS = {
    "poisson": (PoissonRegressor(), "positive"),
    "gamma": (GammaRegressor(), "positive"),
    "tweedie": (TweedieRegressor(power=1.5), "positive"),
    "tweedie, identity": (TweedieRegressor(power=0), "y"),
    "sgd": (SGDRegressor(random_state=0), "y"),
    "ransac": (RANSACRegressor(random_state=0), "y"),
    "linear svr": (LinearSVR(), "y"),
    "several": (Ridge(), "both"),
    "tasks": (MultiTaskLasso(), "both"),
    "pls": (PLSRegression(2), "y"),
    "svr rbf": (SVR(), "y"),
    "svr poly": (SVR(kernel="poly", degree=2, coef0=1.0), "y"),
    "svr linear": (SVR(kernel="linear"), "y"),
    "svr sigmoid": (SVR(kernel="sigmoid", gamma=0.05), "y"),
    "nu svr": (NuSVR(gamma="auto"), "y"),
    "kernel ridge": (KernelRidge(kernel="rbf"), "y"),
    "mlp": (MLPRegressor(hidden_layer_sizes=(8, 5), max_iter=50, random_state=0), "y"),
    "mlp tanh": (
        MLPRegressor(hidden_layer_sizes=(8,), activation="tanh", max_iter=50, random_state=0),
        "both",
    ),
    "mlp logistic": (
        MLPRegressor(hidden_layer_sizes=(8,), activation="logistic", max_iter=50, random_state=0),
        "y",
    ),
    "knn": (KNeighborsRegressor(), "y"),
    "knn by distance": (KNeighborsRegressor(4, weights="distance", p=1), "both"),
    "knn brute": (KNeighborsRegressor(3, algorithm="brute"), "y"),
    "dummy": (DummyRegressor(strategy="median"), "y"),
}
Y["positive"] = np.exp(Y["y"] / 10)


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name):
    estimator, target = REGRESSORS[name]
    check(make_pipeline(encoded(), estimator).fit(FRAME, Y[target]), TEST, bits=False)


CLASSIFIERS = {
    "logistic": LogisticRegression(),
    "logistic cv": LogisticRegressionCV(cv=3, Cs=2, max_iter=200),
    "sgd log": SGDClassifier(loss="log_loss", random_state=0),
    "sgd huber": SGDClassifier(loss="modified_huber", random_state=0),
    "sgd hinge": SGDClassifier(random_state=0),
    "perceptron": Perceptron(),
    "ridge": RidgeClassifier(),
    "linear svc": LinearSVC(),
    "gaussian": GaussianNB(),
    "bernoulli": BernoulliNB(binarize=0.1),
    "lda": LinearDiscriminantAnalysis(),
    "qda": QuadraticDiscriminantAnalysis(reg_param=0.1),
    "svc": SVC(),
    "svc poly": SVC(kernel="poly", C=3),
    "svc ovo": SVC(decision_function_shape="ovo"),
    "svc ties": SVC(break_ties=True, gamma=0.1),
    "svc probability": SVC(probability=True, random_state=0),
    "nu svc": NuSVC(nu=0.2),
    "mlp": MLPClassifier(hidden_layer_sizes=(8,), max_iter=50, random_state=0),
    "knn": KNeighborsClassifier(),
    "knn by distance": KNeighborsClassifier(weights="distance"),
    "knn brute": KNeighborsClassifier(4, algorithm="brute"),
    "dummy": DummyClassifier(),
    "dummy, frequent": DummyClassifier(strategy="most_frequent"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("classes", ["two", "three"])
def test_classifiers(name, classes):
    check(make_pipeline(encoded(), CLASSIFIERS[name]).fit(FRAME, Y[classes]), TEST, bits=False, sure=0.9)


SPARSE = {
    "ridge": (Ridge(), "y"),
    "several": (Ridge(), "both"),
    "poisson": (PoissonRegressor(), "positive"),
    "logistic": (LogisticRegression(), "three"),
    "logistic, two": (LogisticRegression(), "two"),
    "sgd log": (SGDClassifier(loss="log_loss", random_state=0), "three"),
    "sgd huber": (SGDClassifier(loss="modified_huber", random_state=0), "three"),
    "sgd huber, two": (SGDClassifier(loss="modified_huber", random_state=0), "two"),
    "linear svc": (LinearSVC(), "three"),
}


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_sums(name):
    estimator, target = SPARSE[name]
    pre = ColumnTransformer(
        [("c", OneHotEncoder(handle_unknown="ignore"), ["zone", "hour"]), ("p", "passthrough", NUMBERS)]
    )
    if isinstance(estimator, (SGDClassifier, LinearSVC)):  # they refuse the 64-bit indices that these make
        words = ["zone", "hour"]
        check(make_pipeline(OneHotEncoder(), estimator).fit(FRAME[words], Y[target]), TEST[words])
        return
    check(make_pipeline(pre.set_params(sparse_threshold=1.0), estimator).fit(FRAME, Y[target]), TEST)
    records = FRAME.to_dict("records"), TEST.to_dict("records")
    check(make_pipeline(DictVectorizer(), estimator).fit(records[0], Y[target]), TEST, records[1])


@pytest.mark.parametrize("estimator", [MultinomialNB(), ComplementNB(), BernoulliNB()])
def test_sparse_bayes(estimator):
    pre = ColumnTransformer(
        [("c", OneHotEncoder(handle_unknown="ignore"), ["zone"]), ("n", MinMaxScaler(clip=True), NUMBERS)],
        sparse_threshold=1.0,
    )
    # the sums are to the bit, but logsumexp is scipy's own
    check(make_pipeline(pre, estimator).fit(FRAME, Y["three"]), TEST, bits=False)


def test_categorical_bayes():
    pre = ColumnTransformer([("c", OrdinalEncoder(), ["zone", "hour", "vip"])])
    check(make_pipeline(pre, CategoricalNB()).fit(FRAME, Y["three"]), TEST, bits=False)


@pytest.mark.parametrize("estimator", [OneClassSVM(gamma="auto"), SGDOneClassSVM(random_state=0)])
def test_one_class(estimator):
    check(make_pipeline(encoded(), estimator).fit(FRAME), TEST, bits=False)


def test_isotonic():
    model = IsotonicRegression(out_of_bounds="clip").fit(FRAME[["miles"]], Y["y"])
    check(model, TEST[["miles"]])


@pytest.mark.parametrize(
    "estimator", [RandomForestClassifier(5, max_depth=4), DecisionTreeClassifier(max_depth=4)]
)
def test_several_labels(estimator):
    words = np.column_stack([Y["two"], Y["three"]])
    check(make_pipeline(encoded(), estimator).fit(FRAME, words), TEST)


@pytest.mark.parametrize(
    "estimator", [KNeighborsClassifier(), MLPClassifier(hidden_layer_sizes=(6,), max_iter=50, random_state=0)]
)
def test_labels_that_apply(estimator):
    check(make_pipeline(encoded(), estimator).fit(FRAME, Y["labels"]), TEST, bits=False)
