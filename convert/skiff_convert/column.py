"""Stage 6, one column of X: where it is found, what there is when it is missing or null, how it is read."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from .feature import Keys, Scalar, Template, Time
from .look.cityhash import category

# 2**128 - 2**103, the least double that rounds to float32 infinity (a tie with 2**128, which is even).
FLOAT32_LIMIT = 3.4028235677973366e38

HASH = "city32"  # the lower half of CityHash64 1.0 of a text in UTF-8: CatBoost's of a category


@dataclass(frozen=True)
class Column:
    """One column of X; the fields are the manifest's, but indices. inference/bundle/SPEC.md has the rules."""

    name: str
    source: Template | Keys | None  # None: a constant, the default
    kind: str  # "category", "number", "word" or "entry"
    missing: str  # "reject", "default"; of a category "none", "null"; of a number "zero", "nan"
    indices: tuple[
        int, ...
    ] = ()  # columns of the vectorizer: one per word of the vocabulary, or the number's
    vocabulary: tuple = ()  # text, numbers, booleans, None
    unknown: str = ""  # of a category, a value that is no word: "accept" or "reject"
    other: str = ""  # of a category by path, a value of a type that no word has: "unknown", "none", "reject"
    null: str = ""  # "reject", "default"; of a number "nan", "zero"; without the word "unknown", "none"
    text: str = ""  # of a number: "reject" or "zero"; "number": it is read
    limit: float | None = None  # of numbers: magnitudes from here on are rejected; of a category without any
    least: float | None = None  # of numbers: those below are rejected; None: from minus the limit on
    words: tuple[tuple[Keys, str], ...] = ()  # of an entry or a word: where which text, or a list with it, is
    hash: str = ""  # of a category: its words stand for all texts, and whole numbers, of their hash: HASH
    default: Scalar | None = None  # of the feature, where missing or null is "default"
    low: float | None = None  # of a number: what is below is this
    high: float | None = None  # likewise, what is above
    time: Time | None = None  # the value is a time, and this part of it is meant
    repeat: str = ""  # of a word, more than once in a list: "reject" or "count"
    without: str = ""  # of a word that is not there: "zero" or "nan"
    owner: str = ""  # of a word: the feature, of which there are other words

    @property
    def feature(self) -> str:
        """The feature that it is of."""
        return self.owner or self.name

    @property
    def paths(self) -> tuple[Keys, ...]:
        """Where in a record it looks."""
        parts = self.source.parts if isinstance(self.source, Template) else (self.source,)
        paths = [part for part in parts if part is not None and not isinstance(part, str)]
        return tuple(dict.fromkeys((*paths, *(path for path, _ in self.words))))

    @property
    def code(self) -> float:
        """What X has where the feature is its default: the number, or the code."""
        if self.kind == "number":
            return float(self.default)
        if self.hash:
            wanted = hashed(self.default)
            return float(next((i for i, w in enumerate(self.vocabulary, 1) if hashed(w) == wanted), 0))
        known = (i for i, word in enumerate(self.vocabulary, 1) if same(word, self.default))
        return float(next(known, 0))

    def manifest(self) -> dict:
        """The column as the manifest has it."""
        entry: dict = {"name": self.name, "kind": self.kind}
        if self.source is None:
            return {"name": self.name, "kind": "constant", "value": self.code}
        if isinstance(self.source, Template):
            parts = self.source.parts
            entry["template"] = [{"text": p} if isinstance(p, str) else {"path": list(p)} for p in parts]
        else:
            entry["path"] = list(self.source)
        entry["missing"] = self.missing
        for rule in ("null", "other", "unknown", "text", "hash", "repeat", "without"):
            if getattr(self, rule):
                entry[rule] = getattr(self, rule)
        if self.kind == "entry":
            entry["words"] = [{"path": list(path), "text": word} for path, word in self.words]
        if self.kind == "word":
            entry["word"] = self.words[0][1]
        if self.default is not None:
            entry["default"] = self.code
        if self.time:
            made = {"part": self.time.part, "epoch": self.time.epoch, "zone": self.time.zone}
            entry["time"] = {key: value for key, value in made.items() if value}
        bounds = {"min": self.low, "max": self.high, "limit": self.limit, "least": self.least}
        entry |= {key: bound for key, bound in bounds.items() if bound is not None}
        return entry | ({"vocabulary": list(self.vocabulary)} if self.kind == "category" else {})


def hashed(value: object) -> int | None:
    """The hash of a text, or of a whole number's digits; None of another value, and of half a surrogate."""
    if isinstance(value, float) or value is None:
        return None
    text = value if isinstance(value, str) else str(int(value))
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return category(text)


def same(word: object, other: object) -> bool:
    """Whether two words are one: Python's equality, where true is 1; but text is never a number."""
    return isinstance(word, str) == isinstance(other, str) and word == other


def fingerprint(columns: Sequence[Column]) -> str:
    """The SHA-256 of columns as the manifest has them, without spaces, in hexadecimal digits.

    It goes into the graph, whose codes mean the words of these columns and of no others.
    """
    text = json.dumps([column.manifest() for column in columns], separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
