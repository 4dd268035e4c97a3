"""Stage 6: the columns of X, from the spec and what the vectorizer learned.

X is float64 [rows, columns], one column per raw feature: a category is its code (0: unknown, else 1 + its
index in the vocabulary), a number is itself. A feature learned both as text and as number has two columns:
to the category a number is nothing unknown, and to the number a text is 0.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from . import spec as specs
from .column import FLOAT32_LIMIT, Column
from .column import fingerprint as fingerprint
from .errors import ConvertError
from .feature import Feature, Template
from .neutral import Pipeline, Trees, Vectorizer
from .rules import ruled
from .spec import Spec


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


def build(
    pipeline: Pipeline,
    spec: Spec,
    *,
    optional: bool,
    takes_nan: Callable[[str, str], bool | None] | None = None,
) -> list[Column]:
    """The columns of X, features in the spec's order.

    takes_nan is whether the pipeline takes NaN in a column, by name and kind; None: it was not asked yet.

    optional is whether an absent value is no category, or 0, which is the DictVectorizer's rule, instead of a
    reason to reject the record; but not of what the spec requires. ConvertError when the pipeline learned a
    feature that the spec does not give, or one whose names are ambiguous.
    """
    columns: list[Column] = []
    takes = takes_nan or (lambda *_: pipeline.accepts_nan)
    counted = _counted(pipeline)
    for name, learned in _learned(pipeline, list(spec.features)).items():
        given, absent = spec.features[name], optional and name not in spec.required
        source, before = given.source, len(columns)
        both = bool(learned.words) and learned.number is not None
        if both and given.options:
            raise ConvertError(
                f"the pipeline learned {name} as text and as a number, which is beyond options",
                f'give its path alone: {name} = "key.key"',
            )
        if given.list:
            columns += _words(pipeline, name, learned, given)
            continue
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
                    null="nan" if takes(name, "number") else "reject",
                    text="zero" if both else "reject",
                    limit=None if pipeline.accepts_beyond_float32 else FLOAT32_LIMIT,
                )
            )
        columns[before:] = [
            ruled(column, given, takes(name, column.kind), table=False) for column in columns[before:]
        ]
    return columns


def _words(pipeline: Pipeline, name: str, learned: _Learned, given: Feature) -> list[Column]:
    """The columns of a list of words."""
    if learned.number is not None or not learned.words:
        raise ConvertError(
            f"the pipeline learned {name} as a number, and the spec makes a list of words of it",
            f'give its path alone: {name} = "key.key"',
        )
    if len(learned.words) > WORDS:
        raise ConvertError(
            f"{name} is a list of {len(learned.words):,} words, each a column, and {WORDS:,} are the most",
            "train with fewer, such as the frequent ones",
        )
    # A sparse matrix has a word twice that is twice in a list: what is behind adds them up, or does not.
    repeat = "reject" if pipeline.vectorizer.sparse else "count"
    return [
        Column(
            name + pipeline.vectorizer.separator + word, given.source, "word",
            "none" if given.missing == "absent" else "reject", (index,),
            null="none" if given.null == "absent" else "reject",
            words=((given.source, word),), repeat=repeat, without="zero", owner=name,
        )
        for word, index in learned.words.items()
    ]  # fmt: skip


ENTRIES = 256  # of a vectorizer, at most, where each has a column of its own
WORDS = 1_000  # of a list, at most


def may_be_empty(made: Sequence[Column]) -> bool:
    """Whether no feature has to be in a record, so that one without any has to be rejected as a whole."""
    return all(column.missing != "reject" for column in made) and any(column.paths for column in made)


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
        f'is it a list of words, {name} = {{ from = "key.key", list = true }}? a number of that name needs '
        f'a spec with "{column}" = "{column}"',
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
