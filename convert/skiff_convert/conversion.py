"""The stages in a row: find, look, rebuild, then the route that the pipeline takes."""

from collections.abc import Callable
from pathlib import Path

from . import general, vectorized
from . import spec as specs
from .choose import Wish
from .find import find
from .lifted import by_entries, has_lists
from .look import look
from .onto_run import check_log, log, told
from .sample import read
from .sign import signer
from .task import Task
from .world import build


def prepare(
    model: str, spec: str | None, run_id: str | None, say: Callable[[str], None], *,
    out: Path = Path("models"), wish: Wish | None = None, sample: Path | None = None, key: Path | None = None,
    accept_bound: bool = False,
) -> Task:  # fmt: skip
    """Finds a model and looks at it; nothing of it is run. ConvertError when there is none.

    The spec and the sample are read first: what is wrong with them is said before anything takes long.
    """
    if spec not in (None, "none"):
        specs.load(spec)
    if sample:
        read(sample)
    sign = signer(key) if key else None
    say(f"finding {model}")
    found = find(model, run_id)
    say(f"looking at {found.mlmodel.file}, without running it")
    return Task(found, look(found.file), spec, sample, out, wish or Wish(), say, sign, accept_bound)


def convert(
    model: str, spec_path: str | None, out: Path, run_id: str | None, wish: Wish, say: Callable[[str], None],
    isolate: bool = True, sample: Path | None = None, onto_run: bool = False, key: Path | None = None,
    accept_bound: bool = False,
) -> Path:  # fmt: skip
    """Converts the model; the bundle's folder. ConvertError when it cannot be done rightly.

    onto_run: the bundle is put on the run as well, by MLflow's client. key: the bundle is signed with it.
    accept_bound: steps without a lifter are converted by sklearn-onnx, within the error that is measured.
    """
    task = prepare(
        model, spec_path, run_id, say, out=out, wish=wish, sample=sample, key=key, accept_bound=accept_bound
    )
    place = check_log(task.found) if onto_run else ""
    plain = task.found.mlmodel.predict_fn == "predict" and vectorized.fits(task.looked.root)
    tabled = plain and not by_entries(task, task.looked.root.steps[0][1]) and not has_lists(task)
    if tabled:
        folder = vectorized.convert(task, lambda: build(task.found, say, isolate))
    else:
        folder = general.convert(task, lambda *beside: build(task.found, say, isolate, beside))
    if onto_run:
        say(f"putting it on run {task.found.run_id}")
        say(told(task.found, place, log(task.found, folder, place)))
    return folder
