"""Stage 6: the columns of X, from the spec and what the vectorizer learned.

X is float64 [rows, columns], one column per raw feature: a category is its code (0: unknown, else 1 + its
index in the vocabulary), a number is itself. A feature learned both as text and as number has two columns:
to the category a number is nothing unknown, and to the number a text is 0.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from . import spec as specs
from .errors import ConvertError
from .neutral import Pipeline, Trees, Vectorizer
from .spec import Keys, Spec, Template

# 2**128 - 2**103, the least double that rounds to float32 infinity (a tie with 2**128, which is even).
FLOAT32_LIMIT = 3.4028235677973366e38


@dataclass(frozen=True)
class Column:
    """One column of X; the fields are the manifest's, but indices. inference/bundle/SPEC.md has the rules."""

    name: str
    source: Template | Keys
    kind: str  # "category", "number" or "entry"
    missing: str  # an absent value: "reject"; a category's "none" or "null"; a number's "zero" or "nan"
    indices: tuple[
        int, ...
    ] = ()  # columns of the vectorizer: one per word of the vocabulary, or the number's
    vocabulary: tuple = ()  # text, numbers, booleans, None
    unknown: str = ""  # of a category, a value that is no word: "accept" or "reject"
    other: str = ""  # of a category by path, a value of a type that no word has: "unknown", "none", "reject"
    null: str = ""  # of a number: "reject", "nan"; without the word: "unknown", "none", "reject"
    text: str = ""  # of a number: "reject" or "zero"
    limit: float | None = None  # of numbers: magnitudes from here on are rejected; of a category without any
    least: float | None = None  # of numbers: those below are rejected; None: from minus the limit on
    words: tuple[tuple[Keys, str], ...] = ()  # of an entry: where which text, or a list with it, makes it 1

    def manifest(self) -> dict:
        """The column as the manifest has it."""
        entry: dict = {"name": self.name, "kind": self.kind}
        if isinstance(self.source, Template):
            parts = self.source.parts
            entry["template"] = [{"text": p} if isinstance(p, str) else {"path": list(p)} for p in parts]
        else:
            entry["path"] = list(self.source)
        entry["missing"] = self.missing
        if self.kind == "category":
            for rule in ("null", "other", "unknown"):
                if getattr(self, rule):
                    entry[rule] = getattr(self, rule)
            entry |= {} if self.limit is None else {"limit": self.limit}
            return entry | {"vocabulary": list(self.vocabulary)}
        entry |= {"null": self.null}
        if self.kind == "entry":
            entry["words"] = [{"path": list(path), "text": word} for path, word in self.words]
        else:
            entry["text"] = self.text
        entry |= {} if self.limit is None else {"limit": self.limit}
        return entry if self.least is None else entry | {"least": self.least}


def fingerprint(columns: Sequence[Column]) -> str:
    """The SHA-256 of columns as the manifest has them, without spaces, in hexadecimal digits.

    It goes into the graph, whose codes mean the words of these columns and of no others.
    """
    text = json.dumps([column.manifest() for column in columns], separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass
class _Learned:
    """What the vectorizer learned of one feature."""

    words: dict[str, int] = field(default_factory=dict)  # word: column of the vectorizer
    number: int | None = None  # column of the vectorizer


def choose(
    pipeline: Pipeline, path: str | None, names: Sequence[str] = (), required: Collection[str] = ()
) -> tuple[Spec, str]:
    """The spec to use, and what to call it: a file, "taxi" or "none"; None: taxi where it fits, else none.

    names are the features that MLflow's signature has, where there is one, and required those of them that
    a record must have.
    """
    if path not in (None, "none"):
        return specs.load(path), path
    if path is None:
        taxi = specs.load("taxi")
        try:
            _learned(pipeline, list(taxi.features))
            return taxi, "taxi"
        except ConvertError:
            pass
    if names:
        try:
            return specs.by_name(list(_learned(pipeline, list(names))), required), "none"
        except ConvertError:
            pass  # the signature is of something else
    learned, separator = pipeline.vectorizer.names, pipeline.vectorizer.separator
    twice = next((name for name in learned if len(_splits(name, separator)) > 1), None)
    if twice and len(learned) > ENTRIES:
        raise _two_owners(twice, _splits(twice, separator))
    return specs.by_name(list(_learned(pipeline, None))), "none"


def build(pipeline: Pipeline, spec: Spec, *, optional: bool) -> list[Column]:
    """The columns of X, features in the spec's order.

    optional is whether an absent value is no category, or 0, which is the DictVectorizer's rule, instead of a
    reason to reject the record; but not of what the spec requires. ConvertError when the pipeline learned a
    feature that the spec does not give, or one whose names are ambiguous.
    """
    columns = []
    counted = _counted(pipeline)
    for name, learned in _learned(pipeline, list(spec.features)).items():
        source, absent = spec.features[name], optional and name not in spec.required
        both = bool(learned.words) and learned.number is not None
        if learned.words:
            words, indices = tuple(learned.words), tuple(learned.words.values())
            for word, index in learned.words.items():
                if index in counted:
                    raise _no_word(pipeline.vectorizer.names[index], name, word)
            rules = {"missing": "reject", "unknown": "accept"}
            if not isinstance(source, Template):
                elsewhere = "none" if both else "unknown"
                rules |= {"missing": "none" if absent else "reject", "null": elsewhere, "other": elsewhere}
            columns.append(Column(name, source, "category", indices=indices, vocabulary=words, **rules))
        elif isinstance(source, Template):
            raise ConvertError(
                f"the pipeline learned {name} as a number, and the spec makes a text of it",
                f'give its path: {name} = "key.key"',
            )
        if learned.number is not None and not isinstance(source, Template):
            columns.append(
                Column(
                    name,
                    source,
                    "number",
                    "zero" if absent else "reject",
                    (learned.number,),
                    null="nan" if pipeline.accepts_nan else "reject",
                    text="zero" if both else "reject",
                    limit=None if pipeline.accepts_beyond_float32 else FLOAT32_LIMIT,
                )
            )
    return columns


ENTRIES = 256  # of a vectorizer, at most, where each has a column of its own


def fits_taxi(names: Sequence[str], separator: str) -> bool:
    """Whether the taxi spec gives all features of a vectorizer."""
    features = list(specs.load("taxi").features)
    return bool(names) and all(len(_owners(name, features, separator)) == 1 for name in names)


def entries(vectorizer: Vectorizer) -> list[Column]:
    """A column of X for each of the vectorizer's, whichever keys of a record it may come from.

    The names do not tell "country=DE", a number, from the word DE of country, nor a list of words from a
    text: the records do.
    """
    return [
        Column(
            name, (name,), "entry", "zero", (index,), null="reject",
            words=tuple(((key,), word) for key, word in _splits(name, vectorizer.separator)),
        )
        for index, name in enumerate(vectorizer.names)
    ]  # fmt: skip


def _splits(name: str, separator: str) -> list[tuple[str, str]]:
    """The features and words that the vectorizer makes the name of."""
    places = [at for at in range(len(name)) if separator and name.startswith(separator, at)]
    return [(name[:at], name[at + len(separator) :]) for at in places]


def _learned(pipeline: Pipeline, features: list[str] | None) -> dict[str, _Learned]:
    """The features the vectorizer learned, in the order of features; None: split at the first separator.

    A feature nothing was learned of is left out: the pipeline does not use it.
    """
    separator = pipeline.vectorizer.separator
    learned: dict[str, _Learned] = {name: _Learned() for name in features or ()}
    for index, column in enumerate(pipeline.vectorizer.names):
        if features is None:
            name, found, word = column.partition(separator)
            owners = [(name, word if found else None)]
        else:
            owners = _owners(column, features, separator)
        if len(owners) != 1:
            raise _no_owner(column, separator) if not owners else _two_owners(column, owners)
        name, word = owners[0]
        if word is None:
            learned.setdefault(name, _Learned()).number = index
        else:
            learned.setdefault(name, _Learned()).words[word] = index
    return {name: one for name, one in learned.items() if one.words or one.number is not None}


def _counted(pipeline: Pipeline) -> set[int]:
    """Columns of the vectorizer that trees know to hold more than the 0 and 1 of a word."""
    trees = pipeline.estimator
    if not isinstance(trees, Trees):
        return set()
    beyond = (trees.left >= 0) & ((trees.threshold < 0) | (trees.threshold >= 1))
    return set(trees.feature[beyond].tolist())


def _no_word(column: str, name: str, word: str) -> ConvertError:
    return ConvertError(
        f"{column!r} is not the word {word!r} of {name}: the pipeline has seen more of it than 0 and 1",
        f'lists are not converted; a number of that name needs a spec with "{column}" = "{column}"',
    )


def _owners(column: str, features: list[str], separator: str) -> list[tuple[str, str | None]]:
    """Which features may have made the vectorizer's column, with the word, or None when as a number."""
    prefixes = [(name, name + separator) for name in features]
    owners = [(name, column[len(prefix) :]) for name, prefix in prefixes if column.startswith(prefix)]
    return owners + [(column, None)] * (column in features)


def _no_owner(column: str, separator: str) -> ConvertError:
    name = column.partition(separator)[0]
    return ConvertError(
        f"the pipeline wants feature {name}, which the spec does not give",
        f'add it under [features], {name} = "key.key", or use --spec none',
    )


def _two_owners(column: str, owners: list[tuple[str, str | None]]) -> ConvertError:
    names = " or ".join(name for name, _ in owners)
    return ConvertError(
        f"the pipeline's column {column!r} may come from feature {names}",
        "say in a spec which features there are, or rename one and fit again",
    )
