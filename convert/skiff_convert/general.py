"""The route of any pipeline, by the intermediate form: lifted, folded, lowered, proved."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import FORMAT, NO_AVX512, __version__, bundle, fast, goldens, grid, limits, ops, plan, sketch, tables
from .columns import fingerprint
from .fold import fold
from .goldens import Scored
from .grid import Table
from .lifted import Lifted, lift_model
from .lower_form import lower, model_of
from .lower_table import lower_table
from .manifest import check_scored, golden, manifest_of, size_of
from .opaque import NEEDS, Accepted
from .outputs import head_for, output_of
from .probe import probe
from .proof import Proof
from .prove import open_session
from .records import Encoder
from .report import Report
from .rules import warnings
from .sample import beside, inspect, sample_of, spread
from .sweep import Sweep, thresholds
from .task import Task
from .world import Session, World

SHOWN = 20  # columns


def convert(task: Task, world: Callable[..., World]) -> Path:
    """Converts the model that was found; the bundle's folder. ConvertError when it cannot be done rightly.

    world makes its environment, which is only done when all of it is supported; with names of distributions,
    another one that has those beside it.
    """
    if not task.accept_bound:
        return _convert(task, world, None)
    with Accepted(task.looked.root, lambda: world(*NEEDS), task.say) as accepted:
        return _convert(task, world, accepted)


def _convert(task: Task, world: Callable[..., World], accepted: Accepted | None) -> Path:
    task.say("lifting the pipeline")
    lifted = lift_model(task, {}, opaque=accepted)
    task.warn_of_spec(lifted.spec, lifted.spec_name)
    if lifted.nameless:
        task.warn_of_names(lifted.lifting.names)
    head_for(lifted.head, lifted.spec, lifted.estimator)
    made = world()
    task.say("loading it in its own environment, to ask it")
    with made.open({"NPY_DISABLE_CPU_FEATURES": NO_AVX512}) as session:
        accepts = probe(lifted, session)
        lifted = lift_model(task, accepts, opaque=accepted)
        for warning in warnings(lifted.columns):
            task.say(warning)
        names = ", ".join(map(size_of, lifted.columns[:SHOWN]))
        names += f", and {len(lifted.columns) - SHOWN} more" if len(lifted.columns) > SHOWN else ""
        task.say(f"{lifted.estimator}; spec {lifted.spec_name}: {names}")
        head = head_for(lifted.head, lifted.spec, lifted.estimator)
        return _prove(task, replace(lifted, head=head), session, accepted)


def _prove(task: Task, lifted: Lifted, session: Session, accepted: Accepted | None) -> Path:
    found, head, made, spec, say = task.found, lifted.head, lifted.columns, lifted.spec, task.say
    output = output_of(head, spec)
    encoder = Encoder(made, spec.id, lifted.refuses_empty)
    sample = sample_of(task, spec, lifted.lifting.names)
    sampled = sample.judge(encoder) if sample else []
    if sample:
        inspect(sample, made, spec.id, sampled)
    least = [c.least for c in made]
    folded = [fold(forest, len(made), least=least) for forest in plan.forests(head)]
    metadata = {"run_id": found.run_id, "format": str(FORMAT), "columns": fingerprint(made)}

    def write(own: bool = False, table: Table | None = None) -> bytes:
        if table:
            nodes, constants = lower_table(table, made)
        else:
            nodes, constants = lower(head, len(made), [1 + len(c.vocabulary) for c in made], least, fast=own)
        limits.check(made, len(nodes))
        return model_of(nodes, constants, len(made), len(head.y), metadata, __version__, own)

    tabled = tables.lowered(
        head, made, lifted.estimator, task.wish, ops.library() is not None,
        lambda table: write(table=table), say,
    )  # fmt: skip
    table, model = tabled or (None, write())
    quick = fast.lowered(lambda: write(own=True), say) if folded and not table else None
    kind = "table" if table else "trees" if folded else "linear"
    say(f"lowered to {kind}, {len(model):,} bytes; choosing records")
    nullable = frozenset(i for i, c in enumerate(made) if c.null == "nan")
    rows = Sweep(made, nullable, goldens.SWEPT // 2).rows(folded)
    binned = [fold(forest, len(made), True, least) for forest in plan.forests(head) if forest.single]
    records = goldens.Records(made, spec.id, thresholds([*folded, *binned], made), rows.tolist())
    kept = [goldens.judge(encoder, text) for text in records.goldens()]
    swept = [goldens.judge(encoder, text) for text in records.sweep()]
    check_scored(swept, [record for record in swept if isinstance(record, Scored)])
    own = spread(sampled)
    kept, swept = kept + own, swept + sampled
    scored = [record for record in kept + swept if isinstance(record, Scored)]
    say(f"asking the original pipeline about {len(scored):,} records")
    opened = [open_session(model)] + ([quick.open()] if quick else [])
    proof = Proof(lifted, session, opened, scored)
    measured = accepted.measure(head, session, proof.X) if accepted else ""
    parity = proof.run(measured)
    say(parity)
    if quick:
        say(quick.prove(opened[0], np.vstack([proof.X, Sweep(made, nullable, fast.ROWS).rows(folded)])))
    if sample:
        beside(sample, proof.pairs, sampled)
    lines = [line for record in kept if (line := golden(record, proof.outputs, proof.within))]
    limits.check_bounds(lines)
    own = [record for record in own if golden(record, proof.outputs, proof.within)]
    versions = [("python", found.mlmodel.python), found.mlmodel.wrote]
    libraries = {name: version for name, version in versions if version}
    drift = sketch.files(sampled, made, [output], proof.pairs, say)
    manifest = manifest_of(
        found, lifted.estimator, libraries, spec, [output], made, kind,
        {"bound": proof.bound, "goldens": len(lines), "generated": len(scored) - len(lines)},
        lifted.refuses_empty,
    )  # fmt: skip
    files = {"model.onnx": model, "golden.jsonl": "".join(lines).encode("utf-8")} | fast.files(quick) | drift
    folder = bundle.write(task.out, found.run_id, manifest, files, task.sign)
    say(f"wrote {folder}")
    questions = sum(int((f.yes >= 0).sum()) for f in folded)
    size = f"{questions:,} nodes" if folded else f"{sum(len(n.inputs()) for n in plan.nodes(head)):,} terms"
    size = f"{grid.size(table.axes):,} cells" if table else size
    names = task.names_given(lifted.lifting.names) if lifted.nameless else ""
    Report(manifest, made, size, parity, len(own), opened[-1], proof.X, names).show(found, folder)
    return folder
