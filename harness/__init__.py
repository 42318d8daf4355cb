"""A comparison harness for credit assignment: many learning algorithms, one house.

The three-line use from Python::

    from harness import run
    from algorithms.backprop import Backprop
    from harness.tasks.xor import Xor
    print(run(Backprop(), Xor(), replicas=1000, seed=0))
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`run` on demand: `import harness.catalog` should not pay for the engine."""
    if name == "run":
        from harness.experiment.run import run

        return run
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
