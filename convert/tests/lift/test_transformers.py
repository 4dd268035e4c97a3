"""Transformers: elementwise ones and selections to the bit, projections and norms within the form's own
bound."""

import numpy as np
import pytest
from lifted import check, check_transform, rides, targets
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor, RandomForestRegressor
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
    f_regression,
)
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.tree import DecisionTreeRegressor

FRAME = rides()
Y = targets(FRAME)
TEST = rides(200, seed=7)
NUMBERS = ["hour", "miles", "fare"]
FAR = TEST[NUMBERS].copy()
FAR.iloc[:6] = [
    [-50, 0.0, 1e6],
    [0, -1e-9, -1e6],
    [23, 1e9, 0.0],
    [24, 3.5, 10.0],
    [5, 1e-300, 1e300],
    [0, 0.0, 0.0],
]

EXACT = {
    "polynomial": PolynomialFeatures(3),
    "interactions": PolynomialFeatures((2, 3), interaction_only=True, include_bias=False),
    "power": PowerTransformer(),
    "power, as it is": PowerTransformer(standardize=False),
    "quantiles": QuantileTransformer(n_quantiles=20),
    "quantiles, normal": QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    "bins": KBinsDiscretizer(4, encode="ordinal"),
    "bins, one-hot": KBinsDiscretizer(4),
    "bins, dense": KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform"),
    "splines": SplineTransformer(),
    "splines, quantiles": SplineTransformer(4, degree=2, knots="quantile", include_bias=False),
    "splines, on": SplineTransformer(extrapolation="continue"),
    "splines, round": SplineTransformer(extrapolation="periodic"),
    "splines, sparse": SplineTransformer(sparse_output=True),
    "largest": Normalizer("max"),
    "log": FunctionTransformer(np.cbrt),
    "union": FeatureUnion(
        [("a", StandardScaler()), ("b", "passthrough"), ("c", MinMaxScaler())], transformer_weights={"a": 0.3}
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_to_the_bit(name):
    check_transform(EXACT[name].fit(FRAME[NUMBERS]), FAR)


def test_box_cox():
    model = PowerTransformer("box-cox").fit(FRAME[["miles"]])
    check_transform(model, TEST[["miles"]])


BOUND = {
    "splines, linear": SplineTransformer(extrapolation="linear"),
    "splines, straight": SplineTransformer(degree=1, extrapolation="linear"),
    "l1": Normalizer("l1"),
    "l2": Normalizer(),
    "pca": PCA(2),
    "pca, white": PCA(whiten=True),
    "incremental": IncrementalPCA(2),
    "svd": TruncatedSVD(2),
    "random": GaussianRandomProjection(2, random_state=0),
}


@pytest.mark.parametrize("name", BOUND)
def test_bound(name):
    check_transform(BOUND[name].fit(FRAME[NUMBERS]), TEST[NUMBERS], bits=False)


def test_discriminant():
    check_transform(LinearDiscriminantAnalysis().fit(FRAME[NUMBERS], Y["three"]), TEST[NUMBERS], bits=False)


def sparse():
    return ColumnTransformer(
        [("c", OneHotEncoder(), ["zone", "vip"]), ("p", "passthrough", NUMBERS)], sparse_threshold=1.0
    )


@pytest.mark.parametrize(
    "step",
    [
        PolynomialFeatures(2),
        PolynomialFeatures(3, include_bias=False),
        Normalizer(),
        Normalizer("l1"),
        TruncatedSVD(3),
    ],
)
def test_sparse(step):
    check_transform(make_pipeline(sparse(), step).fit(FRAME), TEST)


SELECTORS = {
    "variance": VarianceThreshold(0.1),
    "best": SelectKBest(f_regression, k=4),
    "percentile": SelectPercentile(f_regression, percentile=35),
    "fpr": SelectFpr(f_regression),
    "fdr": SelectFdr(f_regression),
    "fwe": SelectFwe(f_regression),
    "generic": GenericUnivariateSelect(f_regression, mode="k_best", param=3),
    "model, lasso": SelectFromModel(Lasso(0.1)),
    "model, mean": SelectFromModel(LinearRegression(), threshold="1.5*mean"),
    "model, forest": SelectFromModel(RandomForestRegressor(5, random_state=0), threshold="median"),
    "model, trees": SelectFromModel(ExtraTreesRegressor(5, random_state=0), max_features=3),
    "model, tree": SelectFromModel(DecisionTreeRegressor(max_depth=4)),
    "model, boosting": SelectFromModel(GradientBoostingRegressor(n_estimators=5)),
    "rfe": RFE(LinearRegression(), n_features_to_select=3),
    "rfecv": RFECV(LinearRegression(), cv=3),
    "sequential": SequentialFeatureSelector(LinearRegression(), n_features_to_select=2, cv=2),
}


@pytest.mark.parametrize("name", SELECTORS)
def test_selectors(name):
    check_transform(make_pipeline(sparse(), SELECTORS[name]).fit(FRAME, Y["y"]), TEST)


def test_steps_before_estimators():
    for step in (
        PolynomialFeatures(2),
        QuantileTransformer(n_quantiles=20),
        KBinsDiscretizer(4),
        PowerTransformer(),
    ):
        check(
            make_pipeline(step, RandomForestRegressor(5, max_depth=4)).fit(FRAME[NUMBERS], Y["y"]),
            TEST[NUMBERS],
        )
    for step in (PCA(2), Normalizer(), SplineTransformer()):
        for estimator in (Ridge(), RandomForestRegressor(5, max_depth=4)):
            check(make_pipeline(step, estimator).fit(FRAME[NUMBERS], Y["y"]), TEST[NUMBERS], bits=False)
    for step in (PCA(2), SplineTransformer()):
        model = make_pipeline(StandardScaler(), step, LogisticRegression()).fit(FRAME[NUMBERS], Y["three"])
        check(model, TEST[NUMBERS], bits=False)
