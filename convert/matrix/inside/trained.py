"""A pipeline at random, trained: what it is asked and what it answers."""

import os
import random
import warnings

import numpy as np
import pandas as pd
from estimators import CATEGORIES, CLASSIFIERS, MISSING, REGRESSORS, labels_of
from libraries import requirements, sk, version
from rides import WORDS, Data, plain, records_of
from steps import after, preprocess, scaler


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
        kept = not name.startswith("XGB") or version("xgboost") >= (3, 1)  # it kept no categories before
        if name in CATEGORIES and rng.random() < 0.4 and kept:
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
