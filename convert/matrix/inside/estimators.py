"""The estimators, with options at random, and what they take."""

import numpy as np
from libraries import make, sk


def small(rng):
    return {"n_estimators": rng.randint(3, 12), "random_state": 0}


CATBOOST = {
    "iterations": 8,
    "depth": 3,
    "verbose": 0,
    "thread_count": 1,
    "allow_writing_files": False,
    "random_seed": 0,
}

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
    "CatBoostRegressor": lambda r: make("catboost.CatBoostRegressor", **CATBOOST),
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
    "CatBoostClassifier": lambda r: make("catboost.CatBoostClassifier", **CATBOOST),
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
