"""convert/README.md: every spec in it means what it says."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from skiff_convert import spec
from skiff_convert.column import Column
from skiff_convert.feature import OPTIONS, Feature, Template
from skiff_convert.records import Encoder
from skiff_convert.rules import ruled

CONVERT = Path(__file__).parents[1]
TEXT = (CONVERT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
RECORD = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)[1]
HEAD = 'model = "m"\nprediction = "n"\n'


def whole(block: str) -> str:
    """A block with what it leaves out."""
    head = "".join(
        line for line in HEAD.splitlines(True) if not re.search(f"^{line[:6]}", block, re.MULTILINE)
    )
    return head + block + ("" if "[features]" in block else '\n[features]\nvip = "vip"\n')


def column(name: str, given: Feature) -> Column:
    """A column of the feature: a number, a word where it is text."""
    if given.list:
        words = ((given.source, "night"),)
        return Column(f"{name}=night", given.source, "word", "none", null="reject", words=words, owner=name)
    words = {"vocabulary": ("x",), "unknown": "accept"}
    if isinstance(given.source, Template):
        made = Column(name, given.source, "category", "reject", **words)
    elif isinstance(given.default, str):
        made = Column(name, given.source, "category", "reject", null="unknown", other="unknown", **words)
    else:
        made = Column(name, given.source, "number", "reject", null="reject", text="reject")
    return ruled(made, given, True, table=False)


def test_there_are_examples():
    assert len(BLOCKS) == 14
    assert all(f"`{option}`" in TEXT for option in OPTIONS)
    assert all(f"`{key}`" in TEXT for key in spec.KEYS if key != "features")


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_read_the_record(block):
    parsed = spec.parse(whole(block))
    columns = [column(name, given) for name, given in parsed.features.items()]
    features = Encoder(columns, parsed.id).encode(RECORD).features
    wanted = {
        "miles": 18.0, "vip": True, "trip_distance": 18.0, "fare": 52.5, "fare.usd": 52.5,
        "PU_DO": "132_140", "riders": 1, "vendor": "acme", "tip": 3.5, "hour": 23, "weekday": 5, "minute": 10,
        "zone": "132" if "{trip.from}" in block else "unknown", "tags": ["night", "airport"],
    }  # fmt: skip
    if "max = 10" in block:
        wanted["miles"] = 10.0
    assert features == {name: wanted[name] for name in parsed.features}
    assert json.loads(RECORD)["id"] == 7


def test_make_passes_everything_on():
    words = {
        "SPEC": "s.toml",
        "SAMPLE": "r.jsonl",
        "OUT": "o",
        "LOG": "1",
        "INIT": "f.toml",
        "EXPLAIN": "x.svg",
    }
    result = subprocess.run(
        ["make", "-n", "convert", "MODEL=m", *(f"{name}={word}" for name, word in words.items())],
        cwd=CONVERT.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    command = " ".join(result.stdout.replace("\\\n", " ").split())
    assert (
        "skiff convert 'm' --spec 's.toml' --sample 'r.jsonl' --out 'o' "
        "--log --init 'f.toml' --explain 'x.svg'"
    ) in command
