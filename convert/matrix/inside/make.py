"""Makes a pipeline at random, trains it, saves it with MLflow, and says what it predicts.

    python make.py FOLDER SEED[-ESTIMATOR] ...

writes for each FOLDER/SEED[-ESTIMATOR]: model (MLflow's), case.json (what it is), records.jsonl and answers.json (of what
was not trained on). It runs in environments of any year: Python 3.8 and later, scikit-learn 0.24 and later. A
class or an option that is not there is left out.

    libraries.py    what the libraries of this environment have
    rides.py        the data
    steps.py        what is before the estimator
    estimators.py   the estimators
    trained.py      a pipeline of those, trained, and what it answers
"""

import json
import os
import random
import sys
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# numpy's exp depends on the processor; without these it is the C library's, which is what is promised.
os.environ.setdefault(
    "NPY_DISABLE_CPU_FEATURES",
    "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4",
)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # python -I leaves it out

from trained import Case


def write(seed, folder, estimator=""):
    """All of a case."""
    case = Case(seed, estimator)
    os.makedirs(folder)
    how = random.Random(seed).choice(["pickle", "cloudpickle", "skops"])
    case.save(folder, how)
    with open(os.path.join(folder, "records.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in case.json())
    said = {
        "seed": seed, "estimator": case.name, "how": case.how, "classifies": case.classify, "names": case.names,
        "model": repr(case.model), "records": case.records,
    }  # fmt: skip
    with open(os.path.join(folder, "answers.json"), "w") as file:
        json.dump(case.answers(), file)
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(said, file)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in sys.argv[2:]:
        number, _, wanted = name.partition("-")
        write(int(number), os.path.join(sys.argv[1], name), wanted)
        print(name, flush=True)
