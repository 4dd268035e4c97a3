"""What is before the estimator in a pipeline, at random."""

import importlib

import numpy as np
from libraries import sk, version


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
