"""A classifier's labels, as JSON has them."""

import numpy as np

from .table import Lifting


def labels_of(classes: object, lifting: Lifting) -> tuple:
    """Text, whole numbers, numbers or booleans."""
    if isinstance(classes, list) and classes and isinstance(classes[0], np.ndarray):
        raise lifting.refuse("a classifier of several labels")
    labels = []
    for label in np.asarray(classes).tolist():
        if not isinstance(label, (str, bool, int, float)):
            raise lifting.refuse(
                f"a class is a {type(label).__name__}", "JSON has text, numbers, true and false"
            )
        labels.append(label)
    return tuple(labels)
