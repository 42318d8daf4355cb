"""What everybody stands on: networks of edges and units, losses, algorithms, tasks, random numbers.

Imports NumPy alone.
"""
