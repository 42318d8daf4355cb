"""What came of a study, as tidy frames.

    from harness import results
    results.cells("first_light")[["task", "algorithm", "replicas", "rate", "ert_epochs"]]

Every function takes a study and where it is kept: a store, a study's file, or an MLflow tracker.
"""

from harness.results.frames import cells, cost, credit, curves, records, replicas
from harness.results.gathering import KEYS
from harness.results.targets import targets

__all__ = ["KEYS", "cells", "cost", "credit", "curves", "records", "replicas", "targets"]
