"""What skops writes, one of each of its nodes, and a pipeline."""

import os

import numpy as np
from train import FOLDER, NAME, keep, rows, target


def train_skops():
    import skops.io
    from scipy.sparse import csr_matrix
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LinearRegression, SGDClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

    records = rows()
    X = np.array([[r["zone"], r["distance"]] for r in records], dtype=object)
    y = target(records)
    encoder = OneHotEncoder(handle_unknown="ignore").fit(X[:, :1])
    trees = GradientBoostingClassifier(n_estimators=3, random_state=1)
    D = encoder.transform(X[:, :1]).toarray()
    trees.fit(D, np.where(y > np.median(y), "long", "short"))
    model = {
        "encoder": encoder,
        "trees": trees,
        "log": FunctionTransformer(np.log1p).fit(D),
        "linear": LinearRegression().fit(D, y),
        "sgd": SGDClassifier(random_state=1).fit(D, y > 9),
        "sparse": csr_matrix(D[:4]),
        "slice": slice(1, None, 2),
        "dtype": np.dtype("float32"),
        "type": np.float64,
        "tuple": (1, "a", None, 2.5, float("inf")),
        "numbers": {1: "one", 2: "two"},
        "bytes": b"\x00\x01",
        "set": {1, 2},
        "state": np.random.RandomState(1),
        "text": np.array(["a", "bc"], dtype=object),
    }
    with open(os.path.join(FOLDER, NAME + "-all.skops"), "wb") as file:
        skops.io.dump(model, file)
    keep(
        "all.skops",
        model,
        [
            "encoder/categories_",
            "trees/estimators_/2/0/tree_/nodes/threshold",
            "linear/coef_",
            "linear/intercept_",
        ]
        + ["trees/estimators_/2/0/tree_/values", "trees/classes_", "trees/init_/class_prior_", "text"],
        write=None,
    )
    simple = make_pipeline(FunctionTransformer(np.log1p), LinearRegression()).fit(D, y)
    with open(os.path.join(FOLDER, NAME + "-model.skops"), "wb") as file:
        skops.io.dump(simple, file)
    keep("model.skops", simple, ["steps/1/1/coef_", "steps/1/1/intercept_"], write=None)


if __name__ == "__main__":
    train_skops()
