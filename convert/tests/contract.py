"""The bundle's contract, inference/bundle: its schemas, its vectors, and the rules that no schema can say.

Columns and outputs of old formats are read as SPEC.md translates them into today's.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jsonschema import Draft202012Validator

from skiff_convert.columns import Column
from skiff_convert.feature import Time
from skiff_convert.form import Head
from skiff_convert.spec import Template

CONTRACT = Path(__file__).parents[2] / "inference" / "bundle"
FORMATS = (1, 2, 3)
RULES = ("missing", "null", "other", "unknown", "text", "limit", "repeat", "without")  # of columns


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


def _beyond_output(output: dict) -> str:
    labels = output.get("labels", ())
    if not finite((*labels, output.get("cut", 0))):
        return "not finite"
    if len({str(label) for label in labels}) < len(labels):
        return "repeated label"
    if output["width"] > 1 and labels and output["width"] != len(labels):
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
        lists = [output["name"]] if output["kind"] == "number" else []
        if output["kind"] == "label":
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
        for value in map(values.get, lists):
            if isinstance(value, str | bool | dict):
                return "wrong type"
            if (len(value) if isinstance(value, list) else 1) != output["width"]:
                return "other width"
            numbers += value if isinstance(value, list) else [value]
    return "" if finite(numbers) else "not finite"


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
        mine, scores = np.array([scores[: output["width"]]], np.float64), scores[output["width"] :]
        labels = output.get("labels")
        rules = {key: output[key] for key in ("decide", "cut") if key in output}
        head = Head((), output["link"], None if labels is None else tuple(labels), **rules)
        if output["link"] == "normalize" and _reckoned(output) and not mine.sum():
            return output["name"]  # the converter, which does not write that link, has the original's shares
        with np.errstate(all="ignore"):
            numbers = head.numbers(mine)[0].tolist() if _reckoned(output) else []
        if not finite(numbers + (mine[0].tolist() if labels else [])):
            return output["name"]
        if not labels:
            made[output["name"]] = numbers if output["width"] > 1 else numbers[0]
            continue
        made[output["name"]] = labels[head.label(mine)[0]]
        if "probabilities" in output:
            made[output["probabilities"]] = dict(zip(map(str, labels), numbers, strict=True))
        if "margin" in output:
            made[output["margin"]] = mine[0].tolist() if output["width"] > 1 else mine[0, 0].item()
    return made


def _reckoned(output: dict) -> bool:
    """Whether the numbers of an output are reckoned: a label may do without probabilities."""
    return output["kind"] == "number" or "probabilities" in output or output["decide"] == "probabilities"
