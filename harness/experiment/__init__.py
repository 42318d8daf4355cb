"""Running a cell: its chunks of replicas, the back end, the result and what it says. Knows no files."""
