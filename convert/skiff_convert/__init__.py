"""skiff's converter: the scikit-learn pipeline of an MLflow run becomes a bundle models/<RUN_ID>/.

The stages, each a file or a folder, in the order the data takes:

 1. cli       the command: arguments, errors; conversion: the stages in a row; task: what is asked for
 2. find/     finds the MLflow model and reads what MLflow wrote beside it
    look/     what the model's file holds, without running it
    world/    the model's own environment, rebuilt to ask it
 3. spec      reads the feature spec: how a record becomes features; feature: a line of it
    init      writes a first one; guess: what a sample suggests
 4. general   the route of any pipeline
    lifted    what the file holds, in the intermediate form (form/) by the lifters (lift/), and its columns
    opaque    steps without a lifter, with consent, by sklearn-onnx; lower_opaque
    probe, plan, frame, fold, lower_form, sweep, outputs; explain shows the form
    tables    of few columns, a table where it is faster; axes: where a model's answers change
    vectorized  the route of a DictVectorizer with one regressor behind it
    read      loads the pickle, dumps what the pipeline learned, predicts; reader runs it in its own process
    neutral   what was dumped, checked: one vectorizer, one estimator
    choose    of trees, the cheaper of trees and table; grid: a table's axes; search: the bin of a number
    lower     the ONNX graph over X (lower_linear, lower_trees, lower_table; graph writes it down);
    fast      the same with skiff's operator (lower_blend; ops: where its library is)
 6. columns   the columns of X, from the spec and what the pipeline learned; column: one of them
    rules     what the spec says of a feature beside its place, or why that makes no sense
 8. goldens   records to prove it with: edges, every split, every category; witnesses: rows on both sides
    sample    the user's own records: what is found in them, and what becomes of them
    sketch    and what they are like, to see drift by
    records   a record becomes features for the original and a row of X, or is rejected with a reason
    reading   a number out of a value: in text, a part of a time
 9. prove     replays them in onnxruntime; proof does so for any pipeline. Nothing is written unless all agree
10. manifest  what a bundle says of itself; bundle writes its files, whole or not at all; sign signs it
    limits    what the worker does not serve
    report    what was made, how exact and fast, how to serve it; onto_run puts it on the run
"""

import os

__version__ = "0.1.0"
FORMAT = 3  # of the bundle; inference/bundle/SPEC.md

# Before onnxruntime is imported anywhere: on Linux it otherwise sends telemetry from 1.29 on, and leaves a
# device id and a database in the user's cache. What this process starts inherits it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# And before MLflow is, which from 3.2 on tells its makers what it is used for.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

# And before numpy is: on these processors its exp and cbrt have other last bits than the C library's,
# and what is converted would depend on the machine. A model is asked without them, too.
NO_AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", NO_AVX512)
