"""Pipelines and a zoo of estimators, pickled in every way."""

import bz2
import gzip

import numpy as np
from train import keep, rows, target


def train_sklearn():
    import cloudpickle
    import joblib
    import pandas as pd
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

    records = rows()
    y = target(records)
    frame = pd.DataFrame(records)
    words = [str(word) for word in np.where(y > np.median(y), "long", "short")]
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = ColumnTransformer(
        [
            ("zone", OneHotEncoder(handle_unknown="ignore"), ["zone"]),
            ("service", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["service"]),
            ("number", numbers, ["distance", "passengers"]),
        ]
    )

    forest = make_pipeline(DictVectorizer(), RandomForestRegressor(3, max_depth=4, random_state=1))
    keep(
        "forest.pkl",
        forest.fit([dict(r, passengers=1) for r in records], y),
        ["steps/0/1/vocabulary_", "steps/0/1/feature_names_", "steps/0/1/separator", "steps/1/1/n_outputs_"]
        + ["steps/1/1/estimators_/2/tree_/nodes/" + k for k in ("threshold", "left_child", "feature")]
        + ["steps/1/1/estimators_/2/tree_/values"],
        write=cloudpickle.dump,
    )
    steps = "steps/0/1/transformers_/"
    keep(
        "columns.pkl",
        Pipeline(
            [("columns", columns), ("trees", GradientBoostingRegressor(n_estimators=4, random_state=1))]
        ).fit(frame, y),
        [steps + "0/1/categories_", steps + "1/1/categories_", steps + "2/2", steps + "1/1/unknown_value"]
        + [steps + "2/1/steps/0/1/statistics_", steps + "2/1/steps/1/1/scale_", steps + "2/1/steps/1/1/mean_"]
        + ["steps/1/1/learning_rate", "steps/1/1/estimators_/3/0/tree_/nodes/threshold"]
        + ["steps/1/1/estimators_/3/0/tree_/values", "steps/1/1/init_/constant_", "steps/0/1/sparse_output_"],
    )
    keep_hist(frame, y)
    logistic = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=500))
    logistic.fit(frame[["zone", "service"]], words)
    paths = ["steps/1/1/coef_", "steps/1/1/intercept_", "steps/1/1/classes_", "steps/0/1/categories_"]
    keep("logistic.pkl", logistic, paths)
    keep("logistic.joblib", logistic, paths, write=joblib.dump)
    keep("logistic.joblib.z", logistic, paths, write=lambda m, f: joblib.dump(m, f, compress=("zlib", 3)))
    keep("logistic.pkl.gz", logistic, paths, opener=gzip.open)
    keep("logistic.joblib.xz", logistic, paths, write=lambda m, f: joblib.dump(m, f, compress=("xz", 3)))
    keep("logistic.pkl.bz2", logistic, paths, opener=bz2.open)
    shift = 2.5
    local = make_pipeline(
        FunctionTransformer(lambda X: np.log1p(X) + shift),
        FunctionTransformer(np.log1p, validate=True),
        FunctionTransformer(named),
        Local(),
        StandardScaler(),
    ).fit(frame[["distance"]].to_numpy())
    keep("lambda.pkl", local, ["steps/4/1/mean_"], write=cloudpickle.dump)
    selected = ColumnTransformer(
        [
            ("number", StandardScaler(), make_column_selector(dtype_include=np.number)),
            ("word", OneHotEncoder(), make_column_selector(dtype_include=object)),
        ],
        remainder="passthrough",
    )
    if frame["zone"].dtype == object:
        keep("selected.pkl", selected.fit(frame), ["transformers_/0/2", "transformers_/1/1/categories_"])
    keep_zoo(frame, y, words, columns)
    keep_pandas()


def keep_pandas():
    """Indices and types of pandas, and what their values are."""
    import pandas as pd

    words = ["b", "a\u00e9", "c"]
    held = {
        "index": pd.Index(words),
        "whole": pd.Index([3, 1, 2]),
        "real": pd.Index([0.5, 1.5]),
        "range": pd.RangeIndex(2, 11, 3),
        "text": pd.Index(pd.array(words, dtype="string")),
        "category": pd.CategoricalIndex(["c", "b", "c"], categories=words),
    }
    values = {name: index.tolist() for name, index in held.items()}
    held["dtype"] = pd.CategoricalDtype(words, ordered=True)
    held["integers"] = pd.CategoricalDtype([5, 4])
    held["series"] = pd.Series([1.5, 2.5], name="s")
    held["stamp"] = pd.Timestamp("2024-01-02T03:04:05")
    keep("pandas.pkl", held, values=values)


def named(X):
    return X * 2


class Local:
    """A transformer of __main__."""

    def __init__(self):
        self.factor = 3

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X * self.factor


def keep_hist(frame, y):
    import sklearn

    if sklearn.__version__.startswith("0."):
        from sklearn.experimental import enable_hist_gradient_boosting  # noqa: F401
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    X = frame[["distance", "passengers"]].copy()
    X["code"] = np.arange(len(X)) % 5
    options = {"max_iter": 4, "max_leaf_nodes": 6, "min_samples_leaf": 5}
    hist = HistGradientBoostingRegressor(categorical_features=[2], **options).fit(X, y)
    nodes = ["_predictors/3/0/nodes/" + key for key in ("num_threshold", "value", "left", "is_categorical")]
    keep("hist.pkl", hist, nodes + ["_baseline_prediction", "_predictors/3/0/raw_left_cat_bitsets"])
    if tuple(int(part) for part in sklearn.__version__.split(".")[:2]) < (1, 4):
        return
    X["zone"] = frame["zone"].astype("category")
    words = HistGradientBoostingClassifier(categorical_features="from_dtype", **options)
    keep("hist-words.pkl", words.fit(X, y > np.median(y)), [*nodes, "classes_"])


def keep_zoo(frame, y, words, columns):
    """Many estimators in one file: that nothing of them fails to read."""
    from sklearn import (
        ensemble,
        linear_model,
        naive_bayes,
        neighbors,
        neural_network,
        preprocessing,
        svm,
        tree,
    )
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.feature_selection import SelectKBest, f_regression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.pipeline import FeatureUnion, make_pipeline

    X = np.nan_to_num(frame[["distance", "passengers"]].to_numpy())[:60]
    y, words, frame = y[:60], np.array(words[:60]), frame[:60]
    small = tree.DecisionTreeRegressor(max_depth=2)
    zoo = {
        "neighbors": neighbors.KNeighborsRegressor(algorithm="kd_tree").fit(X, y),
        "ball": neighbors.KNeighborsClassifier(algorithm="ball_tree", metric="manhattan").fit(X, words),
        "svc": svm.SVC(probability=True, random_state=1).fit(X, words),
        "sgd": linear_model.SGDClassifier(random_state=1).fit(X, words),
        "poisson": linear_model.PoissonRegressor().fit(X, y),
        "ridge": linear_model.RidgeCV().fit(X, y),
        "bayes": naive_bayes.GaussianNB().fit(X, words),
        "mlp": neural_network.MLPClassifier((3,), max_iter=20, random_state=1).fit(X, words),
        "isolation": ensemble.IsolationForest(n_estimators=2, max_samples=20, random_state=1).fit(X),
        "boosted": ensemble.GradientBoostingClassifier(n_estimators=2, random_state=1).fit(X, words),
        "ada": ensemble.AdaBoostRegressor(small, n_estimators=2, random_state=1).fit(X, y),
        "bagging": ensemble.BaggingRegressor(small, n_estimators=2, random_state=1).fit(X, y),
        "voting": ensemble.VotingRegressor([("a", small), ("b", linear_model.Ridge())]).fit(X, y),
        "stacking": ensemble.StackingRegressor([("a", small), ("b", linear_model.Ridge())]).fit(X, y),
        "calibrated": CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic").fit(X, words),
        "outputs": MultiOutputRegressor(small).fit(X, np.c_[y, y]),
        "target": TransformedTargetRegressor(small, func=np.log1p, inverse_func=np.expm1).fit(X, y),
        "grid": GridSearchCV(svm.LinearSVC(random_state=1), {"C": [1, 2]}, cv=StratifiedKFold(2)).fit(
            X, words
        ),
        "quantile": preprocessing.QuantileTransformer(n_quantiles=5).fit(X),
        "power": preprocessing.PowerTransformer().fit(X),
        "spline": preprocessing.KBinsDiscretizer(3).fit(X),
        "poly": preprocessing.PolynomialFeatures(2).fit(X),
        "best": SelectKBest(f_regression, k=1).fit(X, y),
        "pca": FeatureUnion([("a", PCA(1)), ("b", TruncatedSVD(1))]).fit(X),
        "label": preprocessing.LabelBinarizer().fit(words),
        "columns": make_pipeline(columns, linear_model.Lasso(0.1)).fit(frame, y),
    }
    if hasattr(preprocessing, "SplineTransformer"):
        zoo["spline"] = preprocessing.SplineTransformer(3).fit(X)
    if hasattr(preprocessing, "TargetEncoder"):
        zoo["words"] = preprocessing.TargetEncoder().fit(frame[["zone"]], y)
    keep("zoo.pkl", zoo, ["neighbors/_fit_X", "svc/support_vectors_", "svc/_n_support", "grid/best_params_"])


if __name__ == "__main__":
    train_sklearn()
