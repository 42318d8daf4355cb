"""The same batch, compiled: the algorithms' own NumPy source read by JAX."""
