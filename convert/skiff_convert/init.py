"""--init: a first spec, to be looked through: a line for each feature that the pipeline reads."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from .columns import Column
from .errors import ConvertError
from .form import Head
from .guess import Values, nearest, part
from .guess import options as options_of
from .lift.members import decision
from .lifted import Lifted, lift_model
from .sample import read, written
from .spec import Keys
from .task import Task

LOOKED = 100  # records of the sample that are looked at for keys
WORDS = 3  # that are named
BARE = re.compile(r"[A-Za-z0-9_-]+")  # a TOML key without quotes


def first_spec(task: Task) -> str:
    """The TOML text."""
    lifted = lift_model(task, {}, entries=False)
    values = _values(task)
    name = task.found.name.rpartition("/")[2] or "model"
    features: dict[str, list[Column]] = {}
    for column in lifted.columns:
        features.setdefault(column.name, []).append(column)
    rows = [_feature(name, columns, task, values) for name, columns in features.items()]
    width = max(len(line) for line, _ in rows)
    lines = [
        f"# How a record becomes features; a first draft, for {_of(lifted)}. Look it through.",
        f"model = {_text(name)}  # its name in every output record",
        _id(list(values.at), set(features)),
        'prediction = "prediction"  # what the output calls it',
        *_outputs(lifted.head),
        "",
        "# A path, with dots between its keys, is the value there. A template makes a text of several:",
        '# a_b = "{trip.a}_{trip.b}"',
        "[features]",
        *(f"{line.ljust(width)}  # {comment}" for line, comment in rows),
        *_times(values, [line for line, _ in rows]),
    ]
    return "\n".join(lines) + "\n"


def _of(lifted: Lifted) -> str:
    return f"a {lifted.estimator}"


def _values(task: Task) -> Values:
    """What the sample has; nothing where there is no sample."""
    if not task.sample:
        return Values()
    values = Values.of(read(task.sample).texts[:LOOKED])
    if not values.at:
        raise ConvertError(f"no record of sample {task.sample} is a JSON object", "one record a line")
    return values


def _id(paths: Sequence[Keys], features: set[str]) -> str:
    ids = [
        path for path in paths if path[-1] not in features and re.fullmatch(r"(?i)(.*_)?(uu)?id", path[-1])
    ]
    if ids:
        return f"id = {_path(ids[0])}  # copied to the output; leave it out where there is none"
    return '# id = "id"  # where the record\'s id is, which is copied to the output'


def _outputs(head: Head) -> Iterator[str]:
    if head.labels is None:
        yield '# unit = "minutes"  # of the prediction, for people'
    if head.labels is not None and all(part.probabilities for part in (head, *head.parts)):
        yield '# probabilities = "probabilities"  # adds an object: class, probability'
    if head.raw or (decision(head) or head.parts and head.decision is None):
        yield '# margin = "margin"  # adds the decision values, as decision_function has them'


def _times(values: Values, lines: Sequence[str]) -> Iterator[str]:
    """A line for each time of the sample that no feature is a part of."""
    for path, how in values.times().items():
        said = f" = {_path(path)}"
        if not any(f"{said}, time" in line or line.endswith(said) for line in lines):
            yield f"# {_path(path)} is a time: hour = {_table(path, {'time': 'hour', **how})}"


def _feature(name: str, columns: Sequence[Column], task: Task, values: Values) -> tuple[str, str]:
    """The line, and the comment behind it."""
    path: Keys = (name,)
    comment = " or ".join(map(_kind, columns))
    signed = task.signature.get(name)
    if signed:
        comment += f"; {signed.get('type', '')} in the signature".replace(";  in", "; in")
        comment += "" if signed.get("required", True) else ", optional"
    key, options, paths = name if BARE.fullmatch(name) else _text(name), {}, list(values.at)
    if paths:
        near = [p for p in paths if p[-1] == name] or [p for p in paths if p[-1].lower() == name.lower()]
        path = path if path in paths else (near[0] if near else path)
        times = values.times() if not near and part(name) else {}
        if near:
            options, notes = options_of(columns, values.at[path], values.records)
            comment += notes
        elif times:
            path = nearest(name, times)
            options = {"time": part(name), **times[path]}
            comment += "; OF A TIME IN THE SAMPLE, by its name"
        else:
            comment += "; NOT IN THE SAMPLE"
    return f"{key} = {_table(path, options) if options else _path(path)}", comment


def _table(path: Keys, options: Mapping[str, object]) -> str:
    """A feature of more than a path."""
    said = ", ".join(f"{key} = {_text(value)}" for key, value in options.items())
    return f"{{ from = {_path(path)}, {said} }}"


def _kind(column: Column) -> str:
    if column.kind == "number":
        return "number"
    words = [word for word in column.vocabulary if word is not None]
    some = ", ".join(_text(word) for word in words[:WORDS])
    kind = "text" if any(isinstance(word, str) for word in words) else "value"
    return f"{kind}, {len(words):,} words: {some}{' …' if len(words) > WORDS else ''}"


def _path(path: Keys) -> str:
    """A path as a spec has it: with dots, or as a list where keys have such characters themselves."""
    text = written(path)
    plain = (
        all(key and key == key.strip() and not re.search(r"[.{}]", key) for key in path) and path[0] != "$"
    )
    return _text(text) if plain else "[" + ", ".join(map(_text, path)) + "]"


def _text(value: object) -> str:
    """A TOML string, or a word for a comment, on one line: JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
