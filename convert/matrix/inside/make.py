"""Makes a pipeline at random, trains it, saves it with MLflow, and says what it predicts.

    python make.py FOLDER SEED[-ESTIMATOR] ...

writes for each FOLDER/SEED[-ESTIMATOR]: model (MLflow's), case.json (what it is), records.jsonl and answers.json (of what
was not trained on). It runs in environments of any year: Python 3.8 and later, scikit-learn 0.24 and later. A
class or an option that is not there is left out.
"""

import importlib
import inspect
import json
import os
import random
import sys
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# numpy's exp depends on the processor; without these it is the C library's, which is what is promised.
os.environ.setdefault(
    "NPY_DISABLE_CPU_FEATURES",
    "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4",
)

import numpy as np
import pandas as pd

TRAIN, UNSEEN = 260, 200
WORDS = ["a", "b", "Queens Village", "naïve ☃", "10_20", "x", "y", "zone"]


class Absent(Exception):
    """This environment does not have it."""


def make(path, **options):
    """An object of a class; options that it does not have are left out. Absent where there is no such class."""
    module, _, name = path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        raise Absent(path)
    known = inspect.signature(kind.__init__).parameters
    if any(p.kind == p.VAR_KEYWORD for p in known.values()):
        return kind(**options)
    return kind(**{k: v for k, v in options.items() if k in known})


def sk(path, **options):
    return make("sklearn." + path, **options)


class Data:
    """A table of rides: some columns, some of them with missing values; seen ones and others."""

    def __init__(self, rng):
        self.numbers = ["miles", "fare", "hour"][: rng.randint(2, 3)]
        self.texts = ["zone", "payment"][: rng.randint(1, 2)]
        self.codes = ["vendor"] if rng.random() < 0.5 else []
        self.bools = ["vip"] if rng.random() < 0.5 else []
        self.missing = rng.random() < 0.5
        self.missing_words = rng.random() < 0.3
        self.seed = rng.randrange(10**6)
        self.train = self.frame(TRAIN, 0)
        self.unseen = self.frame(UNSEEN, 1)

    def frame(self, n, which):
        rng = np.random.RandomState(self.seed + which)
        made = {
            "miles": np.round(rng.exponential(3, n), rng.randint(1, 4)),
            "fare": np.where(rng.rand(n) < 0.1, 0.0, rng.normal(12, 5, n)),
            "hour": rng.randint(0, 24, n),
            "zone": np.array([WORDS[i] for i in rng.randint(0, len(WORDS), n)], dtype=object),
            "payment": np.array(
                [["card", "cash", "none", ""][i] for i in rng.choice(4, n, p=[0.6, 0.3, 0.07, 0.03])], object
            ),
            "vendor": rng.randint(1, 5, n),
            "vip": rng.rand(n) < 0.3,
        }
        if self.missing:
            for name in ("miles", "fare"):
                made[name] = np.where(rng.rand(n) < 0.1, np.nan, made[name])
        if self.missing_words:
            for name in self.texts:
                made[name][rng.rand(n) < 0.1] = None
        names = self.numbers + self.texts + self.codes + self.bools
        return pd.DataFrame({name: made[name] for name in names})

    def target(self, frame, seed=3):
        rng = np.random.RandomState(self.seed + seed)
        y = frame["miles"].fillna(2).to_numpy() + 0.3 * frame["fare"].fillna(9).to_numpy()
        y = y + 3.0 * frame["zone"].isin(WORDS[:3]).to_numpy()
        return y + rng.normal(0, 0.5, len(frame))


def records_of(frame):
    """A frame's rows as JSON has them."""
    return [{k: plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or isinstance(value, float) and np.isnan(value):
        return None
    return value


# What a pipeline is made of.


def scaler(rng, sparse=False):
    some = [
        lambda: sk("preprocessing.MaxAbsScaler"),
        lambda: sk("preprocessing.StandardScaler", with_mean=False),
    ]
    if not sparse:
        some += [
            lambda: sk("preprocessing.StandardScaler"),
            lambda: sk("preprocessing.MinMaxScaler", clip=rng.random() < 0.3),
            lambda: sk("preprocessing.RobustScaler"),
            lambda: sk("preprocessing.PowerTransformer"),
            lambda: sk(
                "preprocessing.QuantileTransformer",
                n_quantiles=20,
                output_distribution=rng.choice(["uniform", "normal"]),
            ),
            lambda: sk(
                "preprocessing.KBinsDiscretizer",
                n_bins=5,
                encode=rng.choice(["ordinal", "onehot", "onehot-dense"]),
            ),
            lambda: sk("preprocessing.SplineTransformer", n_knots=4),
            lambda: sk("preprocessing.Binarizer", threshold=3.0),
            lambda: sk(
                "preprocessing.PolynomialFeatures",
                degree=2,
                interaction_only=rng.random() < 0.3,
                include_bias=rng.random() < 0.5,
            ),
            lambda: sk(
                "preprocessing.FunctionTransformer",
                func=rng.choice(
                    [np.abs, np.cbrt, np.arctan, np.square, np.sqrt, np.log1p, np.expm1, np.tanh]
                ),
            ),
            lambda: sk(
                "pipeline.FeatureUnion",
                transformer_list=[
                    ("scaled", sk("preprocessing.StandardScaler")),
                    ("binned", sk("preprocessing.KBinsDiscretizer", n_bins=4, encode="ordinal")),
                ],
            ),
            lambda: sk("preprocessing.Normalizer", norm=rng.choice(["l1", "l2", "max"])),
        ]
    return rng.choice(some)()


def numeric(rng, data, must):
    """Steps for numbers; must: whether missing values have to go."""
    steps = []
    if data.missing and must and rng.random() < 0.2:
        both = [
            ("values", sk("impute.SimpleImputer")),
            ("gaps", sk("impute.MissingIndicator", features="all")),
        ]
        steps.append(("impute", sk("pipeline.FeatureUnion", transformer_list=both)))
    elif data.missing and must:
        how = rng.choice(["mean", "median", "most_frequent", "constant"])
        steps.append(("impute", sk("impute.SimpleImputer", strategy=how, add_indicator=rng.random() < 0.3)))
    if rng.random() < 0.7:
        # Those that take missing values, where they may be there.
        steps.append(
            (
                "scale",
                scaler(rng)
                if must or not data.missing
                else rng.choice(
                    [
                        sk("preprocessing.StandardScaler"),
                        sk("preprocessing.MinMaxScaler"),
                        sk("preprocessing.RobustScaler"),
                    ]
                ),
            )
        )
    return pipe(steps)


def pipe(steps):
    from sklearn.pipeline import Pipeline

    if not steps:
        return "passthrough"
    return steps[0][1] if len(steps) == 1 else Pipeline(steps)


def categorical(rng, data):
    steps = []
    if data.missing_words and rng.random() < 0.6:
        steps.append(
            (
                "impute",
                sk(
                    "impute.SimpleImputer",
                    strategy="constant",
                    fill_value="(none)",
                    missing_values=None if version("sklearn") < (1, 1) else np.nan,
                ),
            )
        )
        if version("pandas") < (3, 0):
            steps[-1][1].missing_values = None
    dense = {"sparse_output": False} if version("sklearn") >= (1, 2) else {"sparse": False}
    options = {} if rng.random() < 0.5 else dense
    kind = rng.choice(["onehot", "onehot", "onehot", "drop", "infrequent", "most", "ordinal", "target"])
    if kind == "onehot":
        step = sk("preprocessing.OneHotEncoder", handle_unknown=rng.choice(["ignore", "error"]), **options)
    elif kind == "drop":
        step = sk("preprocessing.OneHotEncoder", drop=rng.choice(["first", "if_binary"]), **options)
    elif kind == "infrequent" and version("sklearn") >= (1, 1):
        step = sk(
            "preprocessing.OneHotEncoder",
            handle_unknown="infrequent_if_exist",
            min_frequency=rng.choice([30, 0.1]),
            **options,
        )
    elif kind == "most" and version("sklearn") >= (1, 1):
        step = sk(
            "preprocessing.OneHotEncoder", handle_unknown="infrequent_if_exist", max_categories=4, **options
        )
    elif kind == "target" and version("sklearn") >= (1, 3):
        step = sk("preprocessing.TargetEncoder")
    else:
        step = sk("preprocessing.OrdinalEncoder", handle_unknown="use_encoded_value", unknown_value=-1)
    return pipe(steps + [("encode", step)])


def version(name):
    try:
        return tuple(int(part) for part in importlib.import_module(name).__version__.split(".")[:2])
    except ImportError:
        return (0, 0)


def preprocess(rng, data, must):
    """A ColumnTransformer, of columns by name, place or dtype; one in another at times."""
    where = numbers, texts = data.numbers, data.texts
    by = rng.random()
    if by < 0.15:
        columns = list(data.train.columns)
        where = [columns.index(n) for n in numbers], [columns.index(n) for n in texts]
    elif by < 0.3:
        selector = importlib.import_module("sklearn.compose").make_column_selector
        where = selector(pattern="^(%s)$" % "|".join(numbers)), selector(pattern="^(%s)$" % "|".join(texts))
    parts = [("num", numeric(rng, data, must), where[0]), ("cat", categorical(rng, data), where[1])]
    if by > 0.9:
        inner = sk("compose.ColumnTransformer", transformers=parts[:1], remainder="drop")
        parts = [("inner", inner, data.numbers + data.codes)] + parts[1:]
    if data.codes and rng.random() < 0.6:
        parts.append(("code", sk("preprocessing.OneHotEncoder", handle_unknown="ignore"), data.codes))
    rest = "passthrough" if rng.random() < 0.6 else "drop"
    if rest == "drop" and (data.codes or data.bools) and rng.random() < 0.2:
        rest = sk("preprocessing.StandardScaler")
    if rng.random() < 0.3:
        rng.shuffle(parts)
    return sk(
        "compose.ColumnTransformer",
        transformers=parts,
        remainder=rest,
        sparse_threshold=rng.choice([0.3, 0.0, 1.0]),
    )


def after(rng, kind):
    """A step on all columns, or none."""
    r = rng.random()
    if r < 0.7:
        return None
    selection = importlib.import_module("sklearn.feature_selection")
    tree = "tree.DecisionTreeRegressor" if kind == "number" else "tree.DecisionTreeClassifier"
    chooser = sk(tree, max_depth=4, random_state=0)
    score = selection.f_regression if kind == "number" else selection.f_classif
    return rng.choice(
        [
            lambda: sk("feature_selection.SelectKBest", score_func=score, k=4),
            lambda: sk("feature_selection.SelectPercentile", score_func=score, percentile=60),
            lambda: sk("feature_selection.VarianceThreshold", threshold=0.01),
            lambda: sk("feature_selection.SelectFpr", score_func=score, alpha=0.3),
            lambda: sk("feature_selection.SelectFromModel", estimator=chooser),
            lambda: sk("feature_selection.RFE", estimator=chooser, n_features_to_select=3),
            lambda: sk("preprocessing.MaxAbsScaler"),
            lambda: sk("preprocessing.StandardScaler", with_mean=False),
            lambda: sk("decomposition.TruncatedSVD", n_components=3, random_state=0),
            lambda: sk("decomposition.PCA", n_components=3, random_state=0),
        ]
    )()


def small(rng):
    return {"n_estimators": rng.randint(3, 12), "random_state": 0}


REGRESSORS = {
    "LinearRegression": lambda r: sk("linear_model.LinearRegression"),
    "Ridge": lambda r: sk("linear_model.Ridge", alpha=0.5),
    "Lasso": lambda r: sk("linear_model.Lasso", alpha=0.01),
    "ElasticNet": lambda r: sk("linear_model.ElasticNet", alpha=0.01),
    "BayesianRidge": lambda r: sk("linear_model.BayesianRidge"),
    "HuberRegressor": lambda r: sk("linear_model.HuberRegressor", max_iter=1000),
    "SGDRegressor": lambda r: sk("linear_model.SGDRegressor", random_state=0, eta0=1e-5),
    "PoissonRegressor": lambda r: sk("linear_model.PoissonRegressor", alpha=1.0),
    "GammaRegressor": lambda r: sk("linear_model.GammaRegressor", alpha=1.0),
    "TweedieRegressor": lambda r: sk("linear_model.TweedieRegressor", power=r.choice([0, 1.5]), alpha=1.0),
    "QuantileRegressor": lambda r: sk("linear_model.QuantileRegressor", alpha=0.01, solver="highs"),
    "NuSVR": lambda r: sk("svm.NuSVR", kernel=r.choice(["rbf", "linear"])),
    "RegressorChain": lambda r: sk(
        "multioutput.RegressorChain",
        base_estimator=sk("linear_model.Ridge"),
        estimator=sk("linear_model.Ridge"),
    ),
    "RandomizedSearchCV": lambda r: sk(
        "model_selection.RandomizedSearchCV",
        estimator=sk("ensemble.RandomForestRegressor", n_estimators=4, random_state=0),
        param_distributions={"max_depth": [2, 4]},
        n_iter=2,
        random_state=0,
        cv=2,
    ),
    "LinearSVR": lambda r: sk("svm.LinearSVR", random_state=0, max_iter=200),
    "SVR": lambda r: sk("svm.SVR", kernel=r.choice(["rbf", "linear", "poly"]), C=1.0),
    "KNeighborsRegressor": lambda r: sk(
        "neighbors.KNeighborsRegressor", n_neighbors=3, weights=r.choice(["uniform", "distance"])
    ),
    "MLPRegressor": lambda r: sk(
        "neural_network.MLPRegressor",
        hidden_layer_sizes=(6,),
        max_iter=50,
        random_state=0,
        activation=r.choice(["relu", "tanh", "logistic"]),
    ),
    "DecisionTreeRegressor": lambda r: sk("tree.DecisionTreeRegressor", max_depth=5, random_state=0),
    "RandomForestRegressor": lambda r: sk("ensemble.RandomForestRegressor", max_depth=5, **small(r)),
    "ExtraTreesRegressor": lambda r: sk("ensemble.ExtraTreesRegressor", max_depth=5, **small(r)),
    "GradientBoostingRegressor": lambda r: sk(
        "ensemble.GradientBoostingRegressor",
        loss=r.choice(["huber", "quantile"])
        if r.random() < 0.3
        else sk("ensemble.GradientBoostingRegressor").loss,
        **small(r),
    ),
    "HistGradientBoostingRegressor": lambda r: sk(
        "ensemble.HistGradientBoostingRegressor", max_iter=8, random_state=0
    ),
    "AdaBoostRegressor": lambda r: sk("ensemble.AdaBoostRegressor", **small(r)),
    "BaggingRegressor": lambda r: sk("ensemble.BaggingRegressor", **small(r)),
    "XGBRegressor": lambda r: make(
        "xgboost.XGBRegressor",
        n_jobs=1,
        max_depth=4,
        objective=r.choice(["reg:squarederror", "reg:squarederror", "count:poisson", "reg:gamma"]),
        **small(r),
    ),
    "XGBRFRegressor": lambda r: make("xgboost.XGBRFRegressor", n_jobs=1, max_depth=4, **small(r)),
    "LGBMRegressor": lambda r: make(
        "lightgbm.LGBMRegressor",
        n_jobs=1,
        verbose=-1,
        objective=r.choice(["regression", "regression", "poisson", "huber"]),
        boosting_type=r.choice(["gbdt", "gbdt", "dart"]),
        **small(r),
    ),
    "CatBoostRegressor": lambda r: make(
        "catboost.CatBoostRegressor",
        iterations=8,
        depth=3,
        verbose=0,
        thread_count=1,
        allow_writing_files=False,
        random_seed=0,
    ),
    "VotingRegressor": lambda r: sk(
        "ensemble.VotingRegressor",
        estimators=[
            ("tree", sk("tree.DecisionTreeRegressor", max_depth=3)),
            ("linear", sk("linear_model.Ridge")),
        ],
    ),
    "StackingRegressor": lambda r: sk(
        "ensemble.StackingRegressor",
        estimators=[
            ("tree", sk("tree.DecisionTreeRegressor", max_depth=3)),
            ("ridge", sk("linear_model.Ridge")),
        ],
        final_estimator=sk("linear_model.Ridge"),
        cv=2,
    ),
    "TransformedTargetRegressor": lambda r: sk(
        "compose.TransformedTargetRegressor",
        regressor=r.choice(
            [
                sk("linear_model.Ridge"),
                sk("ensemble.RandomForestRegressor", n_estimators=5, max_depth=4, random_state=0),
            ]
        ),
        func=np.log1p,
        inverse_func=np.expm1,
    ),
    "MultiOutputRegressor": lambda r: sk(
        "multioutput.MultiOutputRegressor",
        estimator=r.choice([sk("linear_model.Ridge"), sk("tree.DecisionTreeRegressor", max_depth=4)]),
    ),
    "GridSearchCV": lambda r: sk(
        "model_selection.GridSearchCV",
        estimator=sk("linear_model.Ridge"),
        param_grid={"alpha": [0.1, 1.0]},
        cv=2,
    ),
}
CLASSIFIERS = {
    "LogisticRegression": lambda r: sk(
        "linear_model.LogisticRegression", max_iter=200, C=r.choice([0.1, 1.0])
    ),
    "RidgeClassifier": lambda r: sk("linear_model.RidgeClassifier"),
    "SGDClassifier": lambda r: sk(
        "linear_model.SGDClassifier", loss=r.choice(["hinge", "modified_huber"]), random_state=0
    ),
    "Perceptron": lambda r: sk("linear_model.Perceptron", random_state=0),
    "LinearSVC": lambda r: sk("svm.LinearSVC", random_state=0, max_iter=200),
    "SVC": lambda r: sk("svm.SVC", kernel=r.choice(["rbf", "linear"]), random_state=0),
    "KNeighborsClassifier": lambda r: sk("neighbors.KNeighborsClassifier", n_neighbors=3),
    "GaussianNB": lambda r: sk("naive_bayes.GaussianNB"),
    "BernoulliNB": lambda r: sk("naive_bayes.BernoulliNB"),
    "MultinomialNB": lambda r: sk("naive_bayes.MultinomialNB"),
    "NuSVC": lambda r: sk("svm.NuSVC", nu=0.3, kernel=r.choice(["rbf", "linear"]), random_state=0),
    "QuadraticDiscriminantAnalysis": lambda r: sk(
        "discriminant_analysis.QuadraticDiscriminantAnalysis", reg_param=0.1
    ),
    "LinearDiscriminantAnalysis": lambda r: sk("discriminant_analysis.LinearDiscriminantAnalysis"),
    "MLPClassifier": lambda r: sk(
        "neural_network.MLPClassifier", hidden_layer_sizes=(6,), max_iter=50, random_state=0
    ),
    "DecisionTreeClassifier": lambda r: sk("tree.DecisionTreeClassifier", max_depth=5, random_state=0),
    "RandomForestClassifier": lambda r: sk("ensemble.RandomForestClassifier", max_depth=5, **small(r)),
    "ExtraTreesClassifier": lambda r: sk("ensemble.ExtraTreesClassifier", max_depth=5, **small(r)),
    "GradientBoostingClassifier": lambda r: sk("ensemble.GradientBoostingClassifier", **small(r)),
    "HistGradientBoostingClassifier": lambda r: sk(
        "ensemble.HistGradientBoostingClassifier", max_iter=8, random_state=0
    ),
    "AdaBoostClassifier": lambda r: sk("ensemble.AdaBoostClassifier", **small(r)),
    "BaggingClassifier": lambda r: sk("ensemble.BaggingClassifier", **small(r)),
    "XGBClassifier": lambda r: make("xgboost.XGBClassifier", n_jobs=1, max_depth=4, **small(r)),
    "LGBMClassifier": lambda r: make("lightgbm.LGBMClassifier", n_jobs=1, verbose=-1, **small(r)),
    "CatBoostClassifier": lambda r: make(
        "catboost.CatBoostClassifier",
        iterations=8,
        depth=3,
        verbose=0,
        thread_count=1,
        allow_writing_files=False,
        random_seed=0,
    ),
    "VotingClassifier": lambda r: sk(
        "ensemble.VotingClassifier",
        voting=r.choice(["hard", "soft"]),
        estimators=[
            ("tree", sk("tree.DecisionTreeClassifier", max_depth=3)),
            ("logistic", sk("linear_model.LogisticRegression", max_iter=200)),
        ],
    ),
    "StackingClassifier": lambda r: sk(
        "ensemble.StackingClassifier",
        estimators=[("tree", sk("tree.DecisionTreeClassifier", max_depth=3))],
        final_estimator=sk("linear_model.LogisticRegression"),
        cv=2,
    ),
    "CalibratedClassifierCV": lambda r: sk(
        "calibration.CalibratedClassifierCV", method=r.choice(["sigmoid", "isotonic"]), cv=2
    ),
    "OneVsRestClassifier": lambda r: sk(
        "multiclass.OneVsRestClassifier", estimator=sk("linear_model.LogisticRegression", max_iter=200)
    ),
}
MISSING = ("HistGradientBoosting", "XGB", "LGBM", "CatBoost")  # what takes missing values
# What takes columns of words as they are, and how it is told.
CATEGORIES = {
    "HistGradientBoostingRegressor": lambda texts: {"categorical_features": "from_dtype"},
    "HistGradientBoostingClassifier": lambda texts: {"categorical_features": "from_dtype"},
    "XGBRegressor": lambda texts: {"enable_categorical": True, "tree_method": "hist"},
    "XGBClassifier": lambda texts: {"enable_categorical": True, "tree_method": "hist"},
    "LGBMRegressor": lambda texts: {},
    "LGBMClassifier": lambda texts: {},
    "CatBoostRegressor": lambda texts: {"cat_features": texts},
    "CatBoostClassifier": lambda texts: {"cat_features": texts},
}
INTEGER = ("XGBClassifier",)  # takes labels 0, 1, 2 alone


def labels_of(rng, name, y):
    """A classifier's labels of a number to learn."""
    classes = rng.choice([2, 2, 3])
    place = np.searchsorted(np.quantile(y, [0.5] if classes == 2 else [0.3, 0.6]), y)
    kind = (
        "whole"
        if name in INTEGER
        else rng.choice(["text", "whole", "bool"] if classes == 2 else ["text", "whole"])
    )
    if kind == "text":
        return np.array(["short", "long ride", "ça"], dtype=object)[place].astype(str)
    return place.astype(bool) if kind == "bool" else place


class Case:
    """A pipeline that was trained, and what it is."""

    def __init__(self, seed, estimator=""):
        self.seed, self.estimator = seed, estimator
        for attempt in range(40):
            rng = random.Random("%d/%d" % (seed, attempt))
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self.train(rng)
                return
            except Exception as err:  # of a library that does not take such columns or options
                self.why = err
        raise SystemExit("nothing of seed %d can be trained: %s" % (seed, self.why))

    def train(self, rng):
        from sklearn.pipeline import Pipeline

        self.data = data = Data(rng)
        classify = rng.random() < 0.45 if not self.estimator else self.estimator in CLASSIFIERS
        table = CLASSIFIERS if classify else REGRESSORS
        self.name = name = self.estimator or rng.choice(sorted(table))
        estimator = table[name](rng)
        y = data.target(data.train)
        if name in ("MultiOutputRegressor", "RegressorChain"):
            y = np.column_stack([y, y * 2 + 1])
        if (
            name in ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")
            or "LGBM" in name
            or "Transformed" in name
            or name == "XGBRegressor"
        ):
            y = np.abs(y) + 0.1
        if classify:
            y = labels_of(rng, name, y)
        must = not name.startswith(MISSING)
        self.how = how = rng.choice(["vectorizer", "table", "table", "table", "numbers"])
        if name in CATEGORIES and rng.random() < 0.4:
            self.how = how = "categories"
        self.records = how == "vectorizer"
        train, unseen = data.train, data.unseen
        if how == "numbers":
            names = data.numbers + data.codes
            train, unseen = train[names], unseen[names]
            if data.missing and must:
                steps = [("impute", sk("impute.SimpleImputer"))]
            else:
                steps = []
            if rng.random() < 0.4 and (must or not data.missing):
                steps.append(("scale", scaler(rng)))
            model = Pipeline(steps + [("model", estimator)]) if steps else estimator
        elif how == "categories":
            train, unseen = self.categories(train.copy(), unseen.copy())
            model = estimator.set_params(**CATEGORIES[name](data.texts))
        elif how == "table":
            steps = [("columns", preprocess(rng, data, must))]
            extra = after(rng, "label" if classify else "number") if must or not data.missing else None
            if extra is not None:
                steps.append(("after", extra))
            model = Pipeline(steps + [("model", estimator)])
            if rng.random() < 0.1:
                unseen = unseen.copy()
                unseen.loc[unseen.index[:20], data.texts[0]] = "elsewhere"
        else:
            sparse = rng.random() < 0.6
            sep = rng.choice(["=", "=", ": "])
            steps = [("vectorizer", sk("feature_extraction.DictVectorizer", sparse=sparse, separator=sep))]
            if rng.random() < 0.3:
                steps.append(("scale", scaler(rng, sparse=True)))
            model = Pipeline(steps + [("model", estimator)])
        self.given = self.rows(train)
        model.fit(self.given, y)
        self.model, self.classify, self.unseen = model, classify, unseen
        self.asked = self.rows(unseen)
        self.names = list(train.columns)

    def categories(self, train, unseen):
        """Texts as categories; as they are, without gaps, for CatBoost."""
        for name in self.data.texts:
            if self.name.startswith("CatBoost"):
                train[name], unseen[name] = train[name].fillna("none"), unseen[name].fillna("none")
            else:
                if self.name.startswith("XGB"):  # which keeps others at the wrong places, and is refused
                    plain = {word: word.encode("ascii", "ignore").decode() for word in WORDS}
                    train[name], unseen[name] = train[name].replace(plain), unseen[name].replace(plain)
                train[name] = train[name].astype("category")
                unseen[name] = pd.Categorical(unseen[name], categories=train[name].cat.categories)
        return train, unseen

    def rows(self, frame):
        """What the model takes: dicts without what is missing, or the frame."""
        if not self.records:
            return frame
        return [{k: v for k, v in row.items() if v is not None} for row in records_of(frame)]

    def json(self):
        """The unseen records as a stream has them."""
        made = self.asked if self.records else records_of(self.unseen)
        return [dict(row, id=i) for i, row in enumerate(made)]

    def answers(self):
        """Of each unseen record what is predicted and its probabilities; None where the model refuses it."""
        predicted = self._each("predict")
        out = {"predict": predicted}
        if self.classify and hasattr(self.model, "predict_proba"):
            out["predict_proba"] = self._each("predict_proba")
            out["classes"] = [plain(c) for c in self.model.classes_]
        return out

    def _each(self, method):
        ask = getattr(self.model, method)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return [_plain(v) for v in np.asarray(ask(self.asked))]
            except Exception:  # some record is refused: one by one
                made = []
                for i in range(len(self.asked)):
                    row = self.asked[i : i + 1] if self.records else self.asked.iloc[i : i + 1]
                    try:
                        made.append(_plain(np.asarray(ask(row))[0]))
                    except Exception:
                        made.append(None)
                return made

    def save(self, folder, how):
        """Saved with MLflow."""
        import mlflow.sklearn

        model = os.path.join(folder, "model")
        pins = requirements()
        if how == "skops":
            try:
                mlflow.sklearn.save_model(self.model, model, pip_requirements=pins)
                return
            except Exception:  # it does not trust what is in there
                import shutil

                shutil.rmtree(model, ignore_errors=True)
                how = "cloudpickle"
        mlflow.sklearn.save_model(self.model, model, serialization_format=how, pip_requirements=pins)


def _plain(value):
    return [plain(v) for v in value] if getattr(value, "ndim", 0) else plain(value)


def requirements():
    """The libraries of this environment."""
    names = {"sklearn": "scikit-learn", "numpy": "numpy", "scipy": "scipy", "pandas": "pandas", "cloudpickle": "cloudpickle",
             "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost", "skops": "skops"}  # fmt: skip
    pins = []
    for module, name in names.items():
        if "MATRIX_PIN_ALL" in os.environ:  # so that all of an environment's models need the same
            try:
                importlib.import_module(module)
            except ImportError:
                continue
        if module in sys.modules:
            pins.append("%s==%s" % (name, sys.modules[module].__version__))
    return pins


def write(seed, folder, estimator=""):
    """All of a case."""
    case = Case(seed, estimator)
    os.makedirs(folder)
    how = random.Random(seed).choice(["pickle", "cloudpickle", "skops"])
    case.save(folder, how)
    with open(os.path.join(folder, "records.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in case.json())
    said = {
        "seed": seed, "estimator": case.name, "how": case.how, "classifies": case.classify, "names": case.names,
        "model": repr(case.model), "records": case.records,
    }  # fmt: skip
    with open(os.path.join(folder, "answers.json"), "w") as file:
        json.dump(case.answers(), file)
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(said, file)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in sys.argv[2:]:
        number, _, wanted = name.partition("-")
        write(int(number), os.path.join(sys.argv[1], name), wanted)
        print(name, flush=True)
