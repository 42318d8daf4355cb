r"""A table as a paper has it: LaTeX with `booktabs`, a `tabular` for each task, nothing but what is compared.

\usepackage{booktabs}
\input{results/studies/tuned/table.tex}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.experiment.digits import number, significant
from harness.results.row import Row

SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "∞": r"$\infty$",
    "–": "--",
    "÷": r"$\div$",
    "α": r"$\alpha$",
    "ε": r"$\varepsilon$",
    "<": "$<$",
    ">": "$>$",
}
HEAD = r"rule & rate & $n$ & solved \% & epochs & restarts & cutoff & work \\"
NOTE = (
    r"Solved: per cent of $n$ networks with the 95\,\% Wilson interval. Epochs: median [quartiles] to the "
    r"criterion, failures censored. Restarts: epochs that a success costs where every try is given up at the "
    r"best cutoff, cross-fitted. Work: its FLOPs beside those of backprop."
)


def to_latex(tasks: Mapping[str, Sequence[Row]], title: str) -> str:
    """The rows of each task as LaTeX; rows without numbers say why not in their place.

    Args:
        tasks: rows by the name of their task.
        title: the study's name.
    """
    parts = [f"% {title}: written by the harness; needs \\usepackage{{booktabs}}"]
    for task, rows in tasks.items():
        lines = [" & ".join(_cells(row)) + r" \\" for row in rows]
        body = "\n".join([r"\toprule", HEAD, r"\midrule", *lines, r"\bottomrule"])
        parts.append(f"% {task}\n\\begin{{tabular}}{{lrrrrrrr}}\n{body}\n\\end{{tabular}}")
    return "\n\n".join([*parts, f"% {NOTE}"]) + "\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    return "".join(SPECIAL.get(c, c) for c in text)


def _cells(row: Row) -> list[str]:
    rate = "" if np.isnan(row.rate) else f"{row.rate:.3g}"
    s = row.summary
    if s is None:
        return [escaped(row.algorithm), rate, "", rf"\multicolumn{{5}}{{l}}{{{escaped(row.status)}}}"]
    return [
        escaped(row.algorithm),
        rate,
        number(s.replicas).replace(",", "{,}"),
        f"{100 * s.rate:.1f} [{100 * s.rate_low:.1f}, {100 * s.rate_high:.1f}]",
        f"{_set(s.epochs_median)} [{_set(s.epochs_q1)}, {_set(s.epochs_q3)}]",
        _set(s.restart_epochs),
        _set(s.cutoff_epochs) if np.isfinite(s.cutoff_epochs) else "",
        "" if np.isnan(row.work_over_backprop) else escaped(significant(row.work_over_backprop)),
    ]


def _set(x: float) -> str:
    return "" if np.isnan(x) else escaped(number(x)).replace(",", "{,}")
