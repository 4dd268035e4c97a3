"""Strange documents: cases of a bundle's features, and records of them, most not as they should be."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from helpers import mixed_records

ROOT = Path(__file__).parents[2]
FOREST = ROOT / "models" / json.loads((ROOT / "models/taxi/runs.json").read_text())["forest"]

# JSON values, and what is none, for places where a zone, a distance or an id belongs.
ATOMS = (
    *("130", "-0", "0", "1", "1.0", "130.0", "1e2", "1E400", "-1e400", "1e-400", "5e-324", "0.1", "1E-3"),
    *("3.4028235677973366e+38", "3.4028235677973362e+38", "-3.5e38", "9007199254740993", "1" * 4300),
    *("1e16", "12345678901234567.0", "0.0001", "0.00001234", "123456789012345678901234567890", "null"),
    *('"130"', '"3.66"', '""', '"é"', '"\\u0031"', '"\\ud83d\\ude00"', '"\\ud83d"', "true", "false"),
    *("[]", "{}", "[1]", '{"a": [1, {"b": null}]}'),
    *("NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", '"a\\qb"', "tru", "1" * 4301, '"\n"', "'1'"),
)

# Features by path: an absent one is a reason to reject.
BY_PATH = """
model = "m"
id = "trip.key"
prediction = "p"
[features]
zone = "trip.zone"
distance = "trip.distance"
code = "code"
flag = "trip.more.flag"
"""

# What a spec says of features: each is missing, null, read or clipped in a way of its own.
BY_OPTIONS = """
model = "m"
id = "trip.key"
prediction = "p"
[features]
zone = { from = "trip.zone", default = "a", null = "null" }
route = { from = "{trip.zone}-{trip.to}", default = "none", null = "reject" }
distance = { from = "trip.distance", text = "number", min = 0.5 }
riders = { from = "riders", max = 6, default = 1, missing = "absent", text = "number" }
hour = { from = "trip.at", time = "hour", missing = "absent", null = "absent" }
weekday = { from = "trip.at", time = "weekday", zone = "utc", default = 7 }
minute = { from = "then", time = "minute", epoch = "s", text = "number", default = 30 }
vendor = { value = "acme" }
"""
LISTED = BY_OPTIONS + 'tags = { from = "tags", list = true, missing = "absent", null = "absent" }\n'
OPTIONS = {
    "zone": "trip.zone",
    "to": "trip.to",
    "distance": "trip.distance",
    "riders": "riders",
    "at": "trip.at",
}
OPTIONS |= {"then": "then", "id": "trip.key"}
READ = (
    *(
        '" 3.66 "',
        '"1_0"',
        '"nan"',
        '"-inf"',
        '"1e400"',
        '"0x1"',
        '"1__0"',
        '"1 2"',
        '""',
        '"NaT"',
        "1614834367.5",
    ),
    *(
        '"2021-03-04T05:06:07Z"',
        '"2020-02-29 23:59:59.9+14:00"',
        '"2021-03-04"',
        '"2021-03-04T05-0130"',
        "-0.5",
    ),
    *(
        '"2021-02-29"',
        '"2021-03-04T24"',
        '"2021-03-04T05:06:07.1234567890"',
        '"2021-03-04 "',
        '"1677-12-31"',
        "1e10",
    ),
    *(
        '"2262-01-01"',
        '"now"',
        '"1614834367"',
        "0.9999999999",
        "4294967295",
        "-4294967296",
        '["a", "b"]',
        '["a", "a"]',
    ),
    *("[]", '["z"]', '["a", 1]', '["\\u0061"]', '"a"', '[["a"]]', "[null]"),
)


def prepared(n: int = 400) -> list[dict]:
    """Features as those specs make them."""
    rng, tags = random.Random(6), ("a", "b", "c", "é")
    return [
        {
            "zone": (zone := rng.choice("abc")), "route": rng.choice((f"{zone}-{rng.randrange(3)}", "none")),
            "distance": rng.uniform(0.5, 40), "riders": rng.randrange(1, 7), "hour": str(rng.randrange(24)),
            "weekday": rng.randrange(8), "minute": rng.randrange(60), "vendor": "acme",
            "tags": rng.sample(tags, rng.randrange(4)),
        }
        for _ in range(n)
    ]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A bundle to ask about, and how its usual records are made; estimator "": the shipped forest."""

    paths: dict[str, str]  # of the features and the id, with dots
    estimator: str = ""
    sparse: bool = True
    spec: str = "none"
    documents: int = 8_000
    atoms: tuple[str, ...] = ATOMS
    reasons: tuple[str, ...] = ("not_json", "wrong_type", "not_finite")


def many(case: Case, documents: int) -> Case:
    """The case with another number of documents."""
    return replace(case, documents=documents)


BY_NAME = {name: name for name in ("zone", "distance", "code", "flag")}
CASES = {
    "taxi": Case(
        {
            "pu": "ride.PULocationID",
            "do": "ride.DOLocationID",
            "miles": "ride.trip_distance",
            "id": "ride_id",
        },
        documents=20_000,
        reasons=("not_json", "missing_field", "wrong_type", "not_finite"),
    ),
    "by name, trees": Case(BY_NAME, "DecisionTreeRegressor"),
    "by name, trees that take null": Case(BY_NAME, "RandomForestRegressor", sparse=False),
    "by name, linear": Case(BY_NAME, "Ridge"),
    "by path": Case(
        {"zone": "trip.zone", "distance": "trip.distance", "code": "code", "flag": "trip.more.flag"}
        | {"id": "trip.key"},
        "ExtraTreesRegressor",
        spec=BY_PATH,
        reasons=("not_json", "missing_field", "wrong_type", "not_finite"),
    ),
    "by options": Case(
        OPTIONS, "RandomForestRegressor", spec=BY_OPTIONS, atoms=ATOMS + READ, documents=20_000,
        reasons=("not_json", "missing_field", "wrong_type", "not_finite", "unreadable"),
    ),
    "by options, with lists": Case(
        OPTIONS | {"tags": "tags"}, "DecisionTreeRegressor", sparse=False, spec=LISTED, atoms=ATOMS + READ,
        documents=20_000, reasons=("not_json", "missing_field", "wrong_type", "not_finite", "unreadable"),
    ),
}  # fmt: skip


def rides(rng: random.Random) -> Callable[[], dict[str, str]]:
    """Makes usual taxi rides, JSON text by name."""
    pairs = [
        word.split("_")
        for word in json.loads((FOREST / "manifest.json").read_text())["columns"][0]["vocabulary"]
    ]

    def ride() -> dict[str, str]:
        pick_up, drop_off = rng.choice(pairs)
        miles = repr(round(rng.expovariate(0.3), 2))
        return {"pu": pick_up, "do": drop_off, "miles": miles, "id": str(rng.randrange(10**6))}

    return ride


def mixed(rng: random.Random) -> Callable[[], dict[str, str]]:
    """Makes records like those that the others learned from, or with a value of one in another's place."""
    records = mixed_records()

    def record() -> dict[str, str]:
        values = {name: rng.choice(records)[name] for name in BY_NAME}
        if rng.random() < 0.2:
            values[rng.choice(list(BY_NAME))] = rng.choice((*rng.choice(records).values(), None, "unknown"))
        texts = {name: json.dumps(value, ensure_ascii=rng.random() < 0.5) for name, value in values.items()}
        return texts | {"id": str(rng.randrange(10**6))}

    return record


# What a character may become: JSON's own, and what looks like it.
CHARACTERS = '{}[]:,"\\/ \t\n\r\x00\x1f\x7f\xa0\u2028\ufeffeE+-.019aunN_é\U0001f600'


def mutated(text: str, rng: random.Random) -> str:
    """The text with some characters replaced, left out, doubled or put in."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, length = rng.randrange(len(text) + 1), rng.choice((0, 1, 1, 3))
        put = rng.choice(("", rng.choice(CHARACTERS), text[at : at + length] * 2))
        text = text[:at] + put + text[at + length :]
    return text


def optional(rng: random.Random) -> Callable[[], dict[str, str]]:
    """Makes records of which the options make features that are known."""

    def record() -> dict[str, str]:
        at = datetime(1990, 1, 1) + timedelta(seconds=rng.randrange(10**9))
        miles = round(rng.expovariate(0.1), 2)
        texts = {
            "zone": rng.choice("abcd"), "to": rng.randrange(3), "distance": rng.choice((miles, str(miles))),
            "riders": rng.randrange(1, 7), "at": at.isoformat() + rng.choice(("", "Z", "+05:30")),
            "then": rng.choice((int, float, str))(rng.randrange(2**31)), "id": rng.randrange(10**6),
            "tags": rng.sample("abcxé", rng.randrange(5)),
        }  # fmt: skip
        return {name: json.dumps(value) for name, value in texts.items()}

    return record


def documents(case: Case, seed: int = 5) -> list[str]:
    """Records, most of them strange: values, keys, escapes, spaces, duplicates, cuts, characters."""
    rng = random.Random(seed)
    usual = mixed(rng) if case.estimator else rides(rng)
    if case.paths.items() >= OPTIONS.items():
        usual = optional(rng)

    def key(name: str) -> str:
        if rng.random() > 0.05:
            return f'"{name}"'
        return '"' + "".join(f"\\u{ord(c):04x}" if rng.random() < 0.3 else c for c in name) + '"'

    def space() -> str:
        return rng.choice(("", "", " ", "\n\t"))

    def write(value: str | dict) -> str:
        if isinstance(value, str):
            return value
        items = list(value.items())
        if rng.random() < 0.1:
            name = rng.choice(list(value) or ["y"])
            items.append(
                (
                    rng.choice((name, name, name.upper(), "x")),
                    rng.choice((*case.atoms, "{}", *value.values())),
                )
            )
        items = [
            (k, rng.choice(case.atoms) if isinstance(v, dict) and rng.random() < 0.05 else v)
            for k, v in items
        ]
        rng.shuffle(items)
        members = ",".join(space() + key(k) + space() + ":" + space() + write(v) for k, v in items)
        return "{" + members + space() + "}"

    def document() -> str:
        record: dict = {}
        for name, text in usual().items():
            chance = rng.random()
            if chance < 0.04 or name not in case.paths:
                continue
            *outer, last = case.paths[name].split(".")
            inner = record
            for step in outer:
                inner = inner.setdefault(step, {})
            inner[last] = rng.choice(case.atoms) if chance < 0.14 else text
        text = space() + write(record) + space()
        if rng.random() < 0.02:
            text = text[: rng.randrange(len(text) + 1)]
        if rng.random() < 0.05:
            text = mutated(text, rng)
        return text + rng.choice("x}],") if rng.random() < 0.01 else text

    return [document() for _ in range(case.documents)]
