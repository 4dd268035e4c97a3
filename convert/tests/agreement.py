"""test_agreement with as many documents as one likes: `make agreement [DOCUMENTS=1000000] [SEED=1]`.

The last line of stdout is one JSON object. Where the two differ it ends with the worker's words, and the seed
that makes the documents again.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import strange
import test_agreement as agreement

ROUND = 25_000  # documents of a bundle's goldens at a time


def main() -> int:
    """The exit code: 1 where converter and worker differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start, kinds, seed = time.monotonic(), Counter(), options.seed
    with tempfile.TemporaryDirectory() as temp:
        bundles = {
            name: agreement.convert(case, Path(temp, str(i))) if case.estimator else strange.FOREST
            for i, (name, case) in enumerate(strange.CASES.items())
        }
        while kinds.total() < options.documents:
            for name, case in strange.CASES.items():
                with tempfile.TemporaryDirectory(dir=temp) as folder:
                    texts = strange.documents(strange.many(case, ROUND), seed)
                    lines, found = agreement.judge(bundles[name], texts)
                    copy = agreement.replaced(bundles[name], lines, Path(folder, "bundle"))
                    result = agreement.check(copy)
                if result.returncode:
                    print(f"{name}, seed {seed}: {result.stderr}", file=sys.stderr)
                    return 1
                kinds += found
                print(f"{kinds.total():,} documents agree: {name}, seed {seed}", file=sys.stderr, flush=True)
            seed += 1
    print(
        json.dumps(
            {"documents": kinds.total(), **kinds, "differ": 0, "seconds": round(time.monotonic() - start)}
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
