"""Where the numbers of a page come from: the study's question,
how much was run, when, by which versions, by which command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import results
from harness.answers.words import several
from harness.core.errors import InputError
from harness.core.outcomes import FINISHED
from harness.experiment.digits import number
from harness.results.gathering import Place, store_of

if TYPE_CHECKING:
    import pandas as pd


def about(study: str, source: Place = None, command: str = "") -> str:
    """A paragraph on a study in a store (usually HARNESS_STORE, else ./results).

    `command` is what makes it, unless it is `python -m harness -m study=…`. Raises `InputError` if the study
    is not there, or nothing of it is finished.
    """
    store = store_of(source)
    known = store.study(study)
    command = command or f"python -m harness -m study={study}"
    return said(
        results.cells(study, store),
        known["question"],
        command + (" small=true" if known.get("small") else ""),
    )


def sources(*studies: str, source: Place = None) -> list[str]:
    """Where the numbers come from, study by study;
    of one that is not in the store, the command that runs it.
    """
    paragraphs = []
    for study in studies:
        try:
            paragraphs.append(about(study, source))
        except InputError:
            paragraphs.append(not_run(study))
    return paragraphs


def frames(study: str, source: Place = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`results.cells` and `results.replicas`, both without rows if the store has no such study."""
    import pandas as pd

    try:
        return results.cells(study, source), results.replicas(study, source)
    except InputError:
        return pd.DataFrame(columns=["status", "replicas"]), pd.DataFrame(columns=["id"])


def not_run(study: str) -> str:
    """The sentence for a study that is not in the store."""
    return (
        f"The study {study} is not in this store, and nothing is said of it: "
        f"`python -m harness -m study={study}`."
    )


def said(cells: pd.DataFrame, question: str, command: str) -> str:
    """The paragraph from the frame of `results.cells`: machines by kind, not by name."""
    finished = cells[cells["status"] == FINISHED]
    if not len(finished):
        raise InputError(f"nothing is finished of what {command!r} makes")
    rest = len(cells) - len(finished)
    n = finished["replicas"].astype(int)
    parts = [
        f"{number(len(finished))} cells" + (f" ({rest} more not run or not applicable)" if rest else ""),
        f"{number(n.sum())} replicas, {' to '.join(map(number, sorted({n.min(), n.max()})))} a cell",
        f"newest record {finished['made'].max():%Y-%m-%d}",
        f"harness {_all(finished['versions.harness'])}, Python {_all(finished['versions.python'])}, "
        f"NumPy {_all(finished['versions.numpy'])} on {_all(finished['versions.machine'])}",
    ]
    return f"**{question}**\n\n{' · '.join(parts)} · `{command}`"


def _all(values: Any) -> str:
    return several(sorted(set(values)))
