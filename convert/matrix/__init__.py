"""make test-matrix: pipelines made at random, and environments of many years, from training to the worker."""
