"""The bundle's contract, inference/bundle: its schemas, its vectors, and the rules that no schema can say.

Columns and outputs of old formats are read as SPEC.md translates them into today's.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jsonschema import Draft202012Validator

from skiff_convert.column import hashed
from skiff_convert.columns import Column
from skiff_convert.feature import Time
from skiff_convert.form import Head
from skiff_convert.form.coupling import classes
from skiff_convert.spec import Template

CONTRACT = Path(__file__).parents[2] / "inference" / "bundle"
FORMATS = (1, 2, 3)
BINARY = ("expit", "expit32", "both")  # links that make two probabilities of one score
# Of columns.
RULES = ("missing", "null", "other", "unknown", "text", "limit", "least", "repeat", "without", "hash")


def vectors(name: str) -> list[dict]:
    return json.loads((CONTRACT / "vectors" / f"{name}.json").read_text(encoding="utf-8"))


def schema(name: str) -> Draft202012Validator:
    """The validator of a schema, such as manifest-2."""
    text = (CONTRACT / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def outputs(manifest: dict) -> list[dict]:
    """A manifest's outputs as format 2 has them, or format 3."""
    if manifest["format"] == 1:
        return [{"kind": "number", "width": 1, **manifest["prediction"]}]
    return manifest["outputs"]


def beyond_manifest_schema(manifest: dict) -> str:
    """Why a manifest that its schema lets pass is refused, or ""."""
    wanted = outputs(manifest)
    names = [name for output in wanted for name in fields(output)]
    if len(set(names)) < len(names):
        return "repeated output"
    if "id" in manifest and manifest["id"]["name"] in names:
        return "id is an output"
    for words in (column.get("vocabulary", ()) for column in manifest["columns"]):
        if len(set(words)) < len(words):  # Python's equality: 7 is 7.0, and true is 1
            return "repeated word"
        if not finite(words):
            return "not finite"
    for column in manifest["columns"]:
        if "hash" in column and len(set(map(hashed, column["vocabulary"]))) < len(column["vocabulary"]):
            return "repeated word"
    if any(column.get("least", -math.inf) >= column.get("limit", math.inf) for column in manifest["columns"]):
        return "bad limit"
    for why in map(_beyond_column, manifest["columns"]):
        if why:
            return why
    return next(filter(None, map(_beyond_output, wanted)), "")


def _beyond_column(column: dict) -> str:
    numbers = [column[key] for key in ("default", "min", "max", "value") if key in column]
    if not finite(numbers):
        return "not finite"
    if column.get("min", -math.inf) > column.get("max", math.inf):
        return "min above max"
    if "default" not in column:
        return ""
    default = column["default"]
    if column["kind"] == "number":
        return "" if abs(default) < column.get("limit", math.inf) else "beyond the limit"
    least = 1 if column["unknown"] == "reject" else 0
    return "" if least <= default <= len(column["vocabulary"]) else "no such code"


def fields(output: dict) -> list[str]:
    """The names of an output's fields."""
    return [output[key] for key in ("name", "probabilities", "margin") if key in output]


def finite(values: Iterable[object]) -> bool:
    return all(math.isfinite(value) for value in values if isinstance(value, int | float))


def choices(output: dict) -> list[dict]:
    """The labels of an output, each as if it stood alone."""
    if output["kind"] == "label":
        return [output]
    named = {key: output[key] for key in ("probabilities", "margin") if key in output}
    return [part | named for part in output.get("parts", ())]


def columns_of(output: dict) -> int:
    """How many columns of y an output has."""
    if output["kind"] == "number":
        return output["width"]
    return sum(one["width"] + one.get("values", 0) + one.get("margins", 0) for one in choices(output))


def _numbers(output: dict) -> int:
    """How many numbers an output of them has."""
    if output.get("link") == "coupled":
        return classes(output["width"])
    return 2 if output.get("link") in BINARY else output["width"]


def _beyond_output(output: dict) -> str:
    if output.get("link") == "coupled":
        k = classes(output["width"])
        if k * (k - 1) // 2 != output["width"]:
            return "bad width"
    return next(filter(None, map(_beyond_label, choices(output))), "")


def _beyond_label(label: dict) -> str:
    labels = label["labels"]
    if not finite((*labels, label.get("cut", 0))):
        return "not finite"
    if len({str(one) for one in labels}) < len(labels):
        return "repeated label"
    wide = len(labels) * (len(labels) - 1) // 2 if label["link"] == "coupled" else len(labels)
    if label["width"] != wide and (label["width"] > 1 or label["link"] == "coupled"):
        return "bad width"
    if label.get("values", 1) not in (1, len(labels)):
        return "bad width"
    return ""


def beyond_golden_schema(golden: dict, wanted: Sequence[dict]) -> str:
    """Why a line that its schema lets pass is refused, or ""; wanted: the manifest's outputs."""
    if "reject" in golden:
        return ""
    values = golden.get("outputs")
    if values is None:
        values = {wanted[0]["name"]: golden["prediction"]}
    if set(values) != {name for output in wanted for name in fields(output)}:
        return "other outputs"
    numbers: list[object] = [golden.get("within", 1)]
    for output in wanted:
        each = [values]
        if output["kind"] == "labels":
            each = _each(values, output)
            if not each:
                return "other width"
        for one, of in zip(choices(output) or [output], each, strict=True):
            if why := _beyond_values(of, {**one, "name": output["name"]}, numbers):
                return why
    return "" if finite(numbers) else "not finite"


def _each(values: dict, output: dict) -> list[dict]:
    """The fields of several labels, each for itself; [] where there are not as many."""
    names = fields(output)
    lists = [values[name] for name in names]
    if any(not isinstance(of, list) or len(of) != len(output["parts"]) for of in lists):
        return []
    return [dict(zip(names, of, strict=True)) for of in zip(*lists, strict=True)]


def _beyond_values(values: dict, output: dict, numbers: list) -> str:
    """Why the fields of a number or of a label are refused, or ""; numbers gets those that they have."""
    lists, width = [output["name"]], _numbers(output)
    if "labels" in output:
        label, labels = values[output["name"]], output["labels"]
        if (type(label), str(label)) not in [(type(one), str(one)) for one in labels]:
            return "no such label"
        if "probabilities" in output:
            probabilities = values[output["probabilities"]]
            if not isinstance(probabilities, dict):
                return "wrong type"
            if set(probabilities) != set(map(str, labels)):
                return "other labels"
            numbers += probabilities.values()
        lists = [output["margin"]] if "margin" in output else []
        width = output.get("margins", output["width"])
    for value in map(values.get, lists):
        if isinstance(value, str | bool | dict):
            return "wrong type"
        inner = value if isinstance(value, list) else [value]
        if any(isinstance(one, str | bool | dict | list) for one in inner):
            return "wrong type"
        if len(inner) != width or isinstance(value, list) != (width > 1):
            return "other width"
        numbers += inner
    return ""


def golden(line: str) -> object:
    """A line's JSON value. ValueError when it has none; NaN and Infinity are none."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(line, parse_constant=refuse)


def columns(entries: Sequence[dict], of_format: int) -> list[Column]:
    """The columns that a manifest of that format has."""
    return [_column(entry, entries[i + 1 :], of_format) for i, entry in enumerate(entries)]


def _column(entry: dict, after: Sequence[dict], of_format: int) -> Column:
    source = tuple(entry.get("path", ()))
    if "template" in entry:
        source = Template(tuple(part.get("text") or tuple(part["path"]) for part in entry["template"]))
    rules = {key: entry[key] for key in RULES if key in entry}
    category = entry["kind"] == "category"
    if of_format == 1 and category and "path" in entry:
        also_number = after and after[0]["name"] == entry["name"]
        rules["other"] = "none" if also_number else "unknown"
        rules["missing"] = {"zero": "none"}.get(rules["missing"], "reject")
    if of_format < 3 and category:
        rules["unknown"] = "accept"
        if "path" in entry:
            rules["null"] = rules["other"]
    words = tuple(entry.get("vocabulary", ()))
    if entry["kind"] == "entry":
        rules["words"] = tuple((tuple(word["path"]), word["text"]) for word in entry["words"])
    if entry["kind"] == "word":
        rules["words"] = ((source, entry["word"]),)
    if entry["kind"] == "constant":
        return Column(entry["name"], None, "number", "default", default=entry["value"])
    if "default" in entry:
        code = entry["default"]
        rules["default"] = code if not category else words[int(code) - 1] if code else "\0 no word"
    if "time" in entry:
        rules["time"] = Time(**entry["time"])
    rules |= {ours: entry[key] for ours, key in (("low", "min"), ("high", "max")) if key in entry}
    return Column(entry["name"], source, entry["kind"], indices=(), vocabulary=words, **rules)


def bits(value: object) -> object:
    """A value whose equality is that of type and bits, where it is a number."""
    if isinstance(value, float):
        return "float", "nan" if math.isnan(value) else value.hex()
    if isinstance(value, dict):
        return [(key, bits(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [bits(inner) for inner in value]
    return type(value), value


def prediction(outputs: Sequence[dict], scores: Sequence[float]) -> dict | str:
    """What the converter makes of scores: the prediction's fields, or which output is not finite."""
    made: dict = {}
    for output in outputs:
        count = columns_of(output)
        y, scores = np.array([scores[:count]], np.float64), scores[count:]
        with np.errstate(all="ignore"):
            if output["kind"] == "number":
                numbers = Head((), output["link"]).numbers(y)[0].tolist()
                known = finite(numbers) and not _zero(output, y)
                values: list | None = [numbers if len(numbers) > 1 else numbers[0]] if known else None
            else:
                values = _labels(output, y)
        if values is None:
            return output["name"]
        made |= dict(zip(fields(output), values, strict=True))
    return made


def _labels(output: dict, y: np.ndarray) -> list | None:
    """The fields of a label, or of several; None where they are not finite."""
    each, start = [], 0
    for one in choices(output):
        end = start + columns_of({**one, "kind": "label"})
        each.append(_label(one, y[:, start:end]))
        start = end
    if None in each:
        return None
    return each[0] if output["kind"] == "label" else [list(of) for of in zip(*each, strict=True)]


def _label(output: dict, y: np.ndarray) -> list | None:
    rules = {key: output[key] for key in ("decide", "cut") if key in output}
    labels = output["labels"]
    head = Head((), output["link"], tuple(labels), last=output.get("ties") == "last", **rules)
    width, values = output["width"], output.get("values", 0)
    scores = y[:, :width]
    if _reckoned(output) and _zero(output, scores):
        return None
    numbers = head.numbers(scores)[0].tolist() if _reckoned(output) else []
    if not finite(numbers + y[0].tolist()):
        return None
    made = [labels[head.label(scores, y[:, width : width + values] if values else None)[0]]]
    if "probabilities" in output:
        made.append(dict(zip(map(str, labels), numbers, strict=True)))
    if "margin" in output:
        margin = (y[:, width + values :] if "margins" in output else scores)[0].tolist()
        made.append(margin if len(margin) > 1 else margin[0])
    return made


def _zero(output: dict, scores: np.ndarray) -> bool:
    """Whether there is nothing to normalize: the converter, which does not write that link, has shares."""
    return output["link"] == "normalize" and not scores.sum()


def _reckoned(label: dict) -> bool:
    """Whether probabilities are reckoned: a label may do without."""
    return "probabilities" in label or label["decide"] == "probabilities"
