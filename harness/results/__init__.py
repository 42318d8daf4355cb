"""What came of a study, as tidy frames.

from harness import results
results.cells("first_light")[["task", "algorithm", "replicas", "rate", "ert_epochs"]]
"""

from harness.results.frames import cells, cost, credit, curves, records, replicas

__all__ = ["cells", "cost", "credit", "curves", "records", "replicas"]
