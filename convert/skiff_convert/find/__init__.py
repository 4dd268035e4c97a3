"""Finds an MLflow model and what MLflow wrote beside it. Nothing is written but temporary copies.

The stages, in the order they are used:

 1. name       what a model can be called: a folder, runs:/…, models:/…, s3://…
 2. store      where runs, logged models and registered models are looked up
    server     a tracking server, by its REST API
    database   a tracking database: SQLite, opened to be read only
    files      a tracking store of files, mlruns
 3. place      where a model's files are, and how they get here
    s3         one of them
 4. locate     from the name to the place, by the store
 5. mlmodel    reads MLmodel, requirements.txt, python_env.yaml, conda.yaml

MLflow itself is never imported: a newer one migrates the database that it opens.
"""

from .found import Found, find

__all__ = ["Found", "find"]
