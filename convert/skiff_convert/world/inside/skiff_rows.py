"""What a model is asked about and what it answers, between its own world and skiff: files, nothing pickled.

It runs beside ask.py, for Python 3.6 and later and the model's own libraries.
"""

import importlib
import json


class Unreadable(Exception):
    """What cannot be written down."""


class Rows:
    """What a model is asked about, so that any of its rows can be asked alone."""

    def __init__(self, source):
        self.kind = source["kind"]
        if self.kind == "records":
            with open(source["path"], encoding="utf-8") as file:
                self.data = [json.loads(line) for line in file]
            self.count = len(self.data)
        elif self.kind == "frame":
            with open(source["path"], encoding="utf-8") as file:
                frame = json.load(file)
            self.data, self.count = frame["columns"], frame["rows"]
        else:
            import numpy as np

            with np.load(source["path"], allow_pickle=False) as npz:
                self.data = read_array(npz, "a0")
            self.count = self.data.shape[0]

    def take(self, start, end):
        """The rows from start to end, as the model takes them."""
        if self.kind != "frame":
            return self.data[start:end]
        import pandas as pd

        columns = [(i, series(column, start, end)) for i, column in enumerate(self.data)]
        frame = pd.DataFrame(dict(columns), index=range(end - start))
        frame.columns = [column["name"] for column in self.data]
        return frame


def series(column, start, end):
    """A column of a data frame, of the dtype that was asked for."""
    import numpy as np
    import pandas as pd

    given, dtype = column["values"][start:end], column["dtype"]
    if dtype == "category":
        return pd.Categorical(given, categories=column["categories"], ordered=column.get("ordered", False))
    if dtype == "str" and int(pd.__version__.split(".")[0]) >= 3:
        return pd.array(given, dtype="str")
    if dtype in ("object", "str"):
        array = np.empty(len(given), dtype=object)
        for i, value in enumerate(given):
            array[i] = value
        return array
    if dtype.startswith("datetime64"):
        return pd.Series(pd.to_datetime(given)).astype(dtype)
    try:
        return np.array(given, dtype=np.dtype(dtype))
    except TypeError:
        return pd.array(given, dtype=dtype)  # one of pandas' own


def read_array(npz, name):
    """An array, a CSR matrix, or an array of objects, out of an npz file."""
    import numpy as np

    if name in npz.files:
        return npz[name]
    shape = tuple(int(n) for n in npz[name + ".shape"])
    if name + ".json" in npz.files:
        flat = json.loads(npz[name + ".json"].tobytes().decode("utf-8"))
        array = np.empty(len(flat), dtype=object)
        for i, value in enumerate(flat):
            array[i] = value
        return array.reshape(shape)
    sparse = importlib.import_module("scipy.sparse")
    parts = tuple(npz[name + end] for end in (".data", ".indices", ".indptr"))
    return sparse.csr_matrix(parts, shape=shape)


def arrays_of(name, array):
    """What read_array reads, as a dict of arrays."""
    import numpy as np

    if hasattr(array, "tocsr"):
        csr = array.tocsr()
        parts = {".data": csr.data, ".indices": csr.indices, ".indptr": csr.indptr, ".shape": csr.shape}
        return dict((name + end, np.asarray(part)) for end, part in parts.items())
    if array.dtype == object:
        text = json.dumps([item_of(item) for item in array.ravel()]).encode("utf-8")
        return {name + ".json": np.frombuffer(text, np.uint8), name + ".shape": np.array(array.shape)}
    return {name: array}


def values(obj):
    """An array as {"dtype", "values"}, each in its own JSON type; a list of arrays as a list of those."""
    import numpy as np

    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, (list, tuple)) and any(isinstance(part, np.ndarray) for part in obj):
        return [values(part) for part in obj]
    array = np.asarray(obj)
    return {"dtype": str(array.dtype), "values": plain(array)}


def plain(array):
    """An array as lists of what JSON has."""
    if array.dtype != object:
        return array.tolist()
    return [item_of(item) for item in array]


def item_of(item):
    import numpy as np

    if isinstance(item, np.ndarray):
        return plain(item)
    if isinstance(item, (list, tuple)):
        return [item_of(part) for part in item]
    if isinstance(item, np.generic):
        return item.item()
    if item is None or isinstance(item, (bool, int, float, str)):
        return item
    if type(item).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(item, "isoformat"):
        return item.isoformat()
    raise Unreadable("a value of the type " + type(item).__name__ + " cannot be written as JSON")
