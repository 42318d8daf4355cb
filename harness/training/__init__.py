"""One batch of replicas, trained by NumPy: the loop, its curves, and who watches it."""
