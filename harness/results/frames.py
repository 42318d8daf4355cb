"""What came of a study as tidy pandas frames: of cells, replicas, curves, credit and cost.

    from harness import results
    results.cells("first_light")

Every function takes a study (None: everything) and a source: the folder of a store (None: HARNESS_STORE, or
else ./results), a `Store`, the file of a study (`python -m harness.studies export`), or an MLflow tracking
URI such as http://127.0.0.1:5000. All give the same frames, but a tracker knows no cells that failed or were
not run. All other arguments keep the rows in which a column has a value, or one of several:

    results.replicas("first_light", algorithm=["backprop", "shallow"], task="xor", outcome="solved")
    results.cells("sensitivity", where={"algorithm.optimiser.lr": 0.5})

Every frame has the columns `KEYS`: task and algorithm are labels that tell the cells of the study apart, so
`task` may read *xor (hidden=1)*; task_name and algorithm_name are plain. A filter by task or algorithm takes
either. Numbers are raw, and units are in the columns' names; a time that was never reached is inf.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import unknown
from harness.experiment.summary import Summary
from harness.results.gathering import KEYS, Source, chosen, found_in, kept, stacked
from harness.store.files import TIME_FORMAT
from harness.store.record import Record

if TYPE_CHECKING:
    import pandas as pd

Array = Any
Where = Mapping[str, Any] | None
NUMBERS = (*Summary.__dataclass_fields__, "work_over_backprop")
ASKED = ("learning_rate", "optimiser", "hidden_units", "network_units")
COUNTS = {  # of cost.json, and their names with units
    "work": "flops",
    "contraction": "contraction_flops",
    "element-wise": "elementwise_flops",
    "transcendental": "transcendental_flops",
    "comparison": "comparison_flops",
    "reduction": "reduction_flops",
    "multiply_adds": "multiply_adds",
    "effective_multiply_adds": "effective_multiply_adds",
    "span": "span_operations",
    "log_span": "log_span_operations",
    "random": "random_numbers",
    "uniform": "uniform_numbers",
    "normal": "normal_numbers",
    "bytes_read": "read_bytes",
    "bytes_written": "written_bytes",
}


def cells(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per cell of a study, with everything that is known of it.

    Args:
        study: its name; None for everything there is, of a study's file for the study in it.
        source: where it is kept: a store or its folder, a study's file, or an MLflow tracking URI; None for
            HARNESS_STORE, or else ./results.
        where: filters by column, as `equal`, for names with dots.
        equal: keep the rows in which a column has this value, or one of several.

    Returns:
        A frame with the columns `KEYS`, status, reason, learning_rate, optimiser, hidden_units and
        network_units (as in `harness.results.row.Row`), the numbers of
        `harness.experiment.summary.Summary` (rate is the share solved), all settings by dotted name
        (algorithm.optimiser.lr, run.seed), and when it was made by which versions. Cells that are not
        applicable, failed or have not been run are rows without numbers.

    Raises:
        InputError: for a study, source, column, task or algorithm that is not there, by its name.

    >>> cells("first_light", task="xor")[["algorithm", "status"]].iloc[0].tolist()
    ['backprop', 'finished']
    """
    import pandas as pd

    rows = []
    for cell in found_in(study, source):
        status = {"status": cell.row.status, "reason": cell.row.reason}
        numbers = vars(cell.row.summary) if cell.row.summary else dict.fromkeys(NUMBERS, np.nan)
        asked = {name: getattr(cell.row, name) for name in ASKED}
        numbers = numbers | {"work_over_backprop": cell.row.work_over_backprop}
        rows.append(cell.keys | status | asked | numbers | cell.settings)
    columns = [*KEYS, "status", "reason", *ASKED, *NUMBERS, "made"]
    frame = pd.DataFrame(rows, columns=None if rows else columns)
    frame["made"] = pd.to_datetime(frame["made"], format=TIME_FORMAT, utc=True)
    return kept(frame, {**(where or {}), **equal}, frame.columns).reset_index(drop=True)


def replicas(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per replica of every finished cell.

    Args:
        study: its name; None for everything there is, of a study's file for the study in it.
        source: where it is kept: a store or its folder, a study's file, or an MLflow tracking URI; None for
            HARNESS_STORE, or else ./results.
        where: filters by column, as `equal`, for names with dots.
        equal: keep the rows in which a column has this value, or one of several.

    Returns:
        A frame with the columns `KEYS`, budget_epochs (how many epochs it had), outcome, epochs and updates
        spent, seconds, reason, loss, and shares right.

    Raises:
        InputError: for a study, source, column, task or algorithm that is not there, by its name.

    >>> len(replicas("first_light", task="xor", algorithm="backprop"))
    4
    """
    return stacked(study, source, {**(where or {}), **equal}, lambda record: _budget(record, record.replicas))


def curves(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per curve epoch of every finished cell.

    Args:
        study: its name; None for everything there is, of a study's file for the study in it.
        source: where it is kept: a store or its folder, a study's file, or an MLflow tracking URI; None for
            HARNESS_STORE, or else ./results.
        where: filters by column, as `equal`, for names with dots.
        equal: keep the rows in which a column has this value, or one of several.

    Returns:
        A frame with the columns `KEYS`, budget_epochs, epoch, and quantiles over replicas: loss_q50,
        right_q25 and the like.

    Raises:
        InputError: for a study, source, column, task or algorithm that is not there, by its name.

    >>> int(curves("first_light", algorithm="backprop")["epoch"].min())
    0
    """
    return stacked(study, source, {**(where or {}), **equal}, lambda record: _budget(record, record.curves))


def credit(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per quantity, edge and epoch of every cell whose credit was probed; see docs/credit.md.

    Args:
        study: its name; None for everything there is, of a study's file for the study in it.
        source: where it is kept: a store or its folder, a study's file, or an MLflow tracking URI; None for
            HARNESS_STORE, or else ./results.
        where: filters by column, as `equal`, for names with dots.
        equal: keep the rows in which a column has this value, or one of several.

    Returns:
        A frame with the columns `KEYS`, quantity, edge, epoch, unit (degrees for angles, 1 for ratios and
        shares), and quantiles over the `defined` replicas that had something to compare.

    Raises:
        InputError: for a study, source, column, task or algorithm that is not there, by its name.

    >>> sorted(set(credit("first_light")["unit"]))
    ['1', 'degrees']
    """
    return stacked(study, source, {**(where or {}), **equal}, _credit)


def cost(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per finished cell: what an update, a prediction and a forward pass of one network cost.

    Args:
        study: its name; None for everything there is, of a study's file for the study in it.
        source: where it is kept: a store or its folder, a study's file, or an MLflow tracking URI; None for
            HARNESS_STORE, or else ./results.
        where: filters by column, as `equal`, for names with dots.
        equal: keep the rows in which a column has this value, or one of several.

    Returns:
        A frame with the columns `KEYS`, counts such as update_flops, update_contraction_flops,
        predict_span_operations, forward_read_bytes, and state_bytes, peak_bytes. Where the code could not be
        counted there are no numbers, and `not_counted` says why.

    Raises:
        InputError: for a study, source, column, task or algorithm that is not there, by its name.

    >>> bool((cost("first_light")["update_flops"] > 0).all())
    True
    """
    return stacked(study, source, {**(where or {}), **equal}, _cost)


def records(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> list[Record]:
    """The records of the finished cells, for what is in no frame: weights, for one.

    Args:
        study: its name; None for everything there is, of a study's file for the study in it.
        source: where it is kept: a store or its folder, a study's file, or an MLflow tracking URI; None for
            HARNESS_STORE, or else ./results.
        where: filters by column, as `equal`, for names with dots.
        equal: keep the rows in which a column has this value, or one of several.

    Returns:
        Records, in the order of the frames; `Record.weights` are arrays (R, rows, columns) by name.

    Raises:
        InputError: for a study, source, column, task or algorithm that is not there, by its name.

    >>> records("first_light", algorithm="backprop")[0].weights["input-hidden"].shape
    (4, 2, 2)
    """
    some, rest, names = chosen(study, source, {**(where or {}), **equal})
    if rest:
        raise unknown("column", next(iter(rest)), names)
    return [record for _, record in some]


def _budget(record: Record, columns: Mapping[str, Array]) -> dict[str, Array]:
    count = len(next(iter(columns.values())))
    return {"budget_epochs": np.full(count, record.meta["run"]["epochs"]), **columns}


def _credit(record: Record) -> Mapping[str, Array]:
    if not record.credit:
        return {}
    quantity = record.credit["quantity"]
    degrees = [name in ("newton", "backprop") or name.endswith("angle") for name in quantity]
    return {"quantity": quantity, "unit": np.where(degrees, "degrees", "1").astype(object), **record.credit}


def _cost(record: Record) -> dict[str, Array]:
    counts = record.cost
    why = "" if "update.work" in counts else counts.get("reason", "nothing was counted")
    numbers = {
        name: counts.get(name, np.nan)
        for name in ("patterns", "weights", "depth", "state_bytes", "peak_bytes")
    }
    none = np.nan if why else 0.0  # a kind of operation that did not occur is not in the sheet
    for phase in ("update", "predict", "forward"):
        numbers |= {f"{phase}_{name}": counts.get(f"{phase}.{kind}", none) for kind, name in COUNTS.items()}
        if f"{phase}.effective_multiply_adds" not in counts:  # a record of before they were counted
            numbers[f"{phase}_effective_multiply_adds"] = np.nan
    return {"not_counted": np.array([why], object)} | {
        name: np.array([value], float) for name, value in numbers.items()
    }
