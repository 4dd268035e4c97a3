"""The bundle's contract, inference/bundle: its schemas, its vectors, and the rules that no schema can say."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from jsonschema import Draft202012Validator

from skiff_convert.columns import Column
from skiff_convert.spec import Template

CONTRACT = Path(__file__).parents[2] / "inference" / "bundle"
FORMATS = (1, 2)


def vectors(name: str) -> list[dict]:
    return json.loads((CONTRACT / "vectors" / f"{name}.json").read_text(encoding="utf-8"))


def schema(name: str) -> Draft202012Validator:
    """The validator of a schema, such as manifest-2."""
    text = (CONTRACT / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def outputs(manifest: dict) -> list[dict]:
    """A manifest's outputs as format 2 has them."""
    if manifest["format"] == 1:
        return [{"kind": "number", "width": 1, **manifest["prediction"]}]
    return manifest["outputs"]


def beyond_manifest_schema(manifest: dict) -> str:
    """Why a manifest that its schema lets pass is refused, or ""."""
    names = [output["name"] for output in outputs(manifest)]
    if len(set(names)) < len(names):
        return "repeated output"
    if "id" in manifest and manifest["id"]["name"] in names:
        return "id is an output"
    return ""


def beyond_golden_schema(golden: dict, wanted: Sequence[dict]) -> str:
    """Why a line that its schema lets pass is refused, or ""; wanted: the manifest's outputs."""
    if "reject" in golden:
        return ""
    values = golden.get("outputs")
    if values is None:
        values = {wanted[0]["name"]: golden["prediction"]}
    if set(values) != {output["name"] for output in wanted}:
        return "other outputs"
    numbers = [golden.get("within", 1)]
    for output in wanted:
        value = values[output["name"]]
        if (len(value) if isinstance(value, list) else 1) != output["width"]:
            return "other width"
        numbers += value if isinstance(value, list) else [value]
    return "" if all(map(math.isfinite, numbers)) else "not finite"


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
    rules = {key: entry[key] for key in ("missing", "other", "null", "text", "limit") if key in entry}
    if of_format == 1 and entry["kind"] == "category" and "path" in entry:
        also_number = after and after[0]["name"] == entry["name"]
        rules["other"] = "none" if also_number else "unknown"
        rules["missing"] = {"zero": "none"}.get(rules["missing"], "reject")
    words = tuple(entry.get("vocabulary", ()))
    return Column(entry["name"], source, entry["kind"], indices=(), vocabulary=words, **rules)
