"""The stages in a row: find, look, rebuild, then the route that the pipeline takes."""

from collections.abc import Callable
from pathlib import Path

from . import general, vectorized
from . import spec as specs
from .choose import Wish
from .find import find
from .lifted import by_entries, has_lists
from .look import look
from .onto_run import check_log, log
from .sample import read
from .task import Task
from .world import build


def prepare(
    model: str, spec: str | None, run_id: str | None, say: Callable[[str], None], *,
    out: Path = Path("models"), wish: Wish | None = None, sample: Path | None = None,
) -> Task:  # fmt: skip
    """Finds a model and looks at it; nothing of it is run. ConvertError when there is none.

    The spec and the sample are read first: what is wrong with them is said before anything takes long.
    """
    if spec not in (None, "none"):
        specs.load(spec)
    if sample:
        read(sample)
    say(f"finding {model}")
    found = find(model, run_id)
    say(f"looking at {found.mlmodel.file}, without running it")
    return Task(found, look(found.file), spec, sample, out, wish or Wish(), say)


def convert(
    model: str, spec_path: str | None, out: Path, run_id: str | None, wish: Wish, say: Callable[[str], None],
    isolate: bool = True, sample: Path | None = None, onto_run: bool = False,
) -> Path:  # fmt: skip
    """Converts the model; the bundle's folder. ConvertError when it cannot be done rightly.

    onto_run: the bundle is put on the run as well, by MLflow's client.
    """
    task = prepare(model, spec_path, run_id, say, out=out, wish=wish, sample=sample)
    if onto_run:
        check_log(task.found)
    tabled = (
        vectorized.fits(task.looked.root)
        and not by_entries(task, task.looked.root.steps[0][1])
        and not has_lists(task)
    )
    route = vectorized if tabled else general
    folder = route.convert(task, lambda: build(task.found, say, isolate))
    if onto_run:
        say(f"putting it on run {task.found.run_id}")
        say(f"it is at {log(task.found, folder)}")
    return folder
