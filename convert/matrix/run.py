"""What make test-matrix does."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

BUILD = Path(__file__).parents[2] / ".build"
PATIENCE = 240  # seconds for one pipeline
# numpy's exp depends on the processor; without these it is the C library's, which is what is promised.
NO_AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
os.environ |= {"OMP_NUM_THREADS": "1", "NPY_DISABLE_CPU_FEATURES": NO_AVX512}  # before numpy

HELP = """\
usage: make test-matrix [PART=ci|pipelines|environments] [SEEDS=300] [PIPELINES=7,12,40-60]
                        [ENVIRONMENTS=word,word] [JOBS=n] [KEEP=1]

Makes pipelines at random, each from its seed: trained, saved with MLflow, converted, served by the worker
binary, compared with the original on 200 records that it was not trained on. Then the same, a few each, in
environments of other years. Progress is on stderr, with a line for each that is refused or wrong; the last
line of stdout is one JSON object.

  PART          ci: 40 pipelines and 2 environments; pipelines; environments; everything where it is left out
  SEEDS         how many pipelines, from seed 0 on
  PIPELINES     their seeds, instead
  ENVIRONMENTS  those whose name has one of the words, such as sklearn0.24 or xgboost1.7
  JOBS          at the same time; as many as there are processors
  KEEP          leaves .build/matrix/work/WHERE/SEED: the model, records.jsonl, answers.json, bundles

Outcomes: converted (the worker says what the original says: to the last bit, or within the bundle's bound,
labels equal where they are sure); refused (by an error that says why); wrong (a difference, a traceback, a
bundle that does not start). The exit code is 1 where one is wrong.
"""


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--part", default="", choices=["", "ci", "pipelines", "environments"])
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--pipelines", default="")
    parser.add_argument("--environments", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--help", "-h", action="store_true")
    options = parser.parse_args()
    if options.help:
        print(HELP, end="")
        return 0
    start = time.monotonic()
    seeds = list(range(options.seeds or (40 if options.part == "ci" else 300)))
    if options.pipelines:
        seeds = list(numbers(options.pipelines))
    outcomes, tried = [], 0
    folder = BUILD / "matrix" / "work"
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    if options.part != "environments":
        outcomes += list(pipelines(folder / "here", seeds, options))
    if options.part != "pipelines" and not options.pipelines:
        from .environments import some

        made, tried = some(
            BUILD / "matrix", folder, options.part == "ci", options.environments, options.jobs, say
        )
        outcomes += made
    kinds = Counter(outcome.kind for outcome in outcomes)
    table(outcomes)
    total = {
        "pipelines": len(outcomes), "converted": kinds["converted"], "refused": kinds["refused"],
        "wrong": kinds["wrong"], "environments": tried,
        "bits": sum(o.kind == "converted" and o.bound == "bits" for o in outcomes),
        "seconds": round(time.monotonic() - start),
    }  # fmt: skip
    (BUILD / "matrix").mkdir(parents=True, exist_ok=True)
    with open(BUILD / "matrix" / "outcomes.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(o)) + "\n" for o in outcomes)
    print(json.dumps(total))
    return 1 if kinds["wrong"] else 0


def say(text: str) -> None:
    """Progress."""
    print(f"matrix: {text}", file=sys.stderr, flush=True)


def numbers(text: str) -> Iterator[int]:
    """7, 12, 40 to 60 of 7,12,40-60."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def pipelines(folder: Path, seeds: list[int], options: argparse.Namespace) -> Iterator:
    """The outcomes of seeds, in this environment, as they come."""
    from .case import Outcome

    waiting = list(reversed(seeds))
    done = 0
    while waiting:
        with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
            going = {}
            try:
                while waiting or going:
                    while waiting and len(going) < options.jobs:
                        seed = waiting.pop()
                        going[pool.submit(one, folder, seed, options.keep)] = seed
                    for future in wait(going, return_when=FIRST_COMPLETED).done:
                        outcome = future.result()
                        del going[future]
                        done += 1
                        report(outcome, done, len(seeds))
                        yield outcome
            except BrokenProcessPool:
                for seed in going.values():
                    outcome = Outcome("here", seed, "wrong", "the process died (or one beside it)")
                    done += 1
                    report(outcome, done, len(seeds))
                    yield outcome


def report(outcome, done: int, of: int) -> None:  # noqa: ANN001
    """A line for what is not converted, and now and then one for the others."""
    if outcome.kind in ("refused", "wrong"):
        say(f"{done}/{of}  seed {outcome.seed} {outcome.kind}: {outcome.what[:700]}")
    elif done % 10 == 0:
        say(f"{done}/{of}")


def one(folder: Path, seed: int, keep: bool):  # noqa: ANN201
    """The outcome of one seed; in a process of its own."""
    import logging
    import warnings

    from .case import Outcome, run
    from .inside.make import write

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)

    def late(*_: object) -> None:
        raise TimeoutError(f"more than {PATIENCE} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE)
    try:
        shutil.rmtree(folder / str(seed), ignore_errors=True)
        write(seed, str(folder / str(seed)))
        return run(folder / str(seed), "here", isolate=False)
    except SystemExit as err:
        return Outcome("here", seed, "skipped", str(err))
    except (Exception, subprocess.TimeoutExpired) as err:
        return Outcome("here", seed, "wrong", f"{type(err).__name__}: {err}")
    finally:
        signal.alarm(0)
        if not keep:
            shutil.rmtree(folder / str(seed), ignore_errors=True)


def table(outcomes: list) -> None:
    """Refusals by reason, wrong ones each."""
    reasons = defaultdict(list)
    for outcome in outcomes:
        if outcome.kind in ("refused", "skipped"):
            reasons[outcome.what.split(": ", 1)[-1].split(" [")[0][:120]].append(outcome)
    for reason, some in sorted(reasons.items(), key=lambda item: -len(item[1])):
        seeds = ", ".join(f"{o.seed}" if o.where == "here" else f"{o.where}/{o.seed}" for o in some[:6])
        say(f"{some[0].kind} {len(some):4}  {reason}  (seeds {seeds})")
    for outcome in outcomes:
        if outcome.kind == "wrong":
            say(f"wrong: {outcome.where} seed {outcome.seed}: {outcome.what[:500]}")
