"""What one conversion is: the model that was found, and what is asked for."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .choose import Wish
from .find import Found
from .look import Look
from .spec import Spec

SHOWN = 20  # names


@dataclass(frozen=True)
class Task:
    """A conversion to do."""

    found: Found
    looked: Look
    spec: str | None  # a file, "taxi", "none"; None: nobody said
    sample: Path | None  # JSON lines
    out: Path
    wish: Wish
    say: Callable[[str], None]  # tells a person what is being done
    sign: Callable[[bytes], bytes] | None = None  # of the manifest
    accept_bound: bool = False  # steps without a lifter: by sklearn-onnx, within a measured bound

    @property
    def signature(self) -> dict[str, dict]:
        """The inputs that MLflow's signature names, by name; empty where it names none."""
        inputs = (self.found.mlmodel.signature or {}).get("inputs") or []
        named = [one for one in inputs if isinstance(one, dict) and isinstance(one.get("name"), str)]
        return {one["name"]: one for one in named} if len(named) == len(inputs) else {}

    @property
    def required(self) -> frozenset[str]:
        """What the signature requires a record to have."""
        return frozenset(name for name, one in self.signature.items() if one.get("required", True))

    def warn_of_spec(self, spec: Spec, name: str) -> None:
        """Says loudly which spec was taken where nobody named one."""
        if self.spec is not None:
            return
        if name == "none":
            where = "MLflow's signature" if set(spec.features) <= set(self.signature) else "the pipeline"
            self.say(
                f"WARNING: no spec is given: each feature is the record's key of that name, from {where} "
                "(--init writes a spec to start from; --spec none says that this is meant)"
            )
        else:
            self.say(
                f"WARNING: no spec is given: the spec {name} is taken by itself, as it has the features that "
                f"the pipeline wants (--spec {name} says that this is meant, --spec none that it is not)"
            )

    def names_given(self, names: Sequence[str]) -> str:
        """Whose names the columns of a model have that learned none."""
        shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
        return f"{'numbers' if self.spec in (None, 'none') else 'of the spec, in its order'}: {shown}"

    def warn_of_names(self, names: Sequence[str]) -> None:
        """Says loudly whose those names are."""
        self.say(
            f"WARNING: the model learned {len(names)} columns without names; theirs are "
            f"{self.names_given(names)} (trained in that order? a spec has to have it)"
        )


def show(lines: Iterable[str]) -> None:
    """Lines for a person, on stderr."""
    for line in lines:
        print(line.rstrip(), file=sys.stderr, flush=True)


def table(rows: Iterable[Iterable[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows with their columns aligned, those at right to the right."""
    rows = [list(row) for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
