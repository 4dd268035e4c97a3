"""skiff's converter: the scikit-learn pipeline of an MLflow run becomes a bundle models/<RUN_ID>/.

The stages, each a file, in the order the data takes:

 1. cli       the command: arguments, progress, errors
 2. source    finds the MLflow model and reads its MLmodel
 3. spec      reads the feature spec: how a record becomes features
 4. read      loads the pickle, and only read does; dumps what the pipeline learned, and predicts
    reader    runs read in a process of its own
 5. neutral   what was dumped, checked: one vectorizer, one estimator
 6. columns   the columns of X, from the spec and what the vectorizer learned
 7. choose    which lowering: of trees, the cheaper of trees and table
    grid      the values of X at which trees answer differently: a table's axes
    lower     the ONNX graph over X (lower_linear, lower_trees, lower_table)
    search    of a table: the bin that a number is in
    graph     nodes and constants, as they are written down
 8. goldens   records to prove it with: edges, every split, every category
    witnesses rows on both sides of every split
    records   a record becomes features for the original and a row of X, or is rejected with a reason
 9. prove     replays them in onnxruntime; nothing is written unless every prediction agrees
10. bundle    writes model.onnx, golden.jsonl and manifest.json, whole or not at all
"""

import os

__version__ = "0.1.0"
FORMAT = 2  # of the bundle; inference/bundle/SPEC.md

# Before onnxruntime is imported anywhere: on Linux it otherwise sends telemetry from 1.29 on, and leaves a
# device id and a database in the user's cache. What this process starts inherits it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# And before MLflow is, which from 3.2 on tells its makers what it is used for.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
