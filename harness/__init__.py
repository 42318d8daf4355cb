"""A comparison harness for credit assignment:
many learning algorithms, the same tasks, weights, statistics and costs.

    from harness import run
    from algorithms.backprop import Backprop
    from harness.tasks.xor import Xor

    result = run(Backprop(), Xor(), replicas=1000, seed=0)
    print(result)

`run` trains one cell, whose result has `frame()`, `curves()`, `plot()` and `weights`; `compare` runs several
as a study. `results` reads what studies left as tidy frames, `plots` draws them. The rest of the names is
what a rule or a task of your own is written with: `Algorithm`, `CreditAlgorithm`, `Task`, `setting`,
`Network`, `Edge`, `Unit`, `Loss`, … (docs/extend.md); `add_plugins` loads what others wrote. A name is
imported when it is first asked for, so that `import harness` costs nothing.
"""

import lazy_loader

from harness.core import shipped

__version__ = "0.1.0"

shipped.package("algorithms")  # before anybody imports it, and finds another

# __init__.pyi beside this file is the one list of names: type checkers read it, too
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
