r"""A table as a paper has it: LaTeX with `booktabs`, a `tabular` for each task, nothing but what is compared.

\usepackage{booktabs}
\input{results/studies/tuned/table.tex}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.experiment.digits import number, significant
from harness.results.columns import decades_text
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
HEAD = r"rule & rate & optimiser & units & $n$ & solved \% & epochs & restarts & cutoff & work"
DECADES = r" & decades"
NOTE = (
    r"Solved: per cent of $n$ networks with the 95\,\% Wilson interval. Epochs: median [quartiles] to the "
    r"criterion, failures censored. Restarts: epochs that a success costs where every try is given up at the "
    r"best cutoff, cross-fitted. Work: its FLOPs beside those of backprop. Units: hidden units that the rule "
    r"learns with. Decades: of its rate, in which a success costs at most twice the least."
)


def to_latex(tasks: Mapping[str, Sequence[Row]], title: str) -> str:
    """The rows of each task as LaTeX; rows without numbers say why not in their place.

    Args:
        tasks: rows by the name of their task.
        title: the study's name.
    """
    parts = [f"% {title}: written by the harness; needs \\usepackage{{booktabs}}"]
    for task, rows in tasks.items():
        varied = any(np.isfinite(row.decades) for row in rows)
        head = HEAD + (DECADES if varied else "")
        lines = [head, *(" & ".join(_cells(row, varied)) for row in rows)]
        first, *rest = [rf"{line} \\" for line in lines]
        body = "\n".join([r"\toprule", first, r"\midrule", *rest, r"\bottomrule"])
        columns = f"lrl{'r' * (head.count('&') - 2)}"
        parts.append(f"% {task}\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}")
    return "\n\n".join([*parts, f"% {NOTE}"]) + "\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    return "".join(SPECIAL.get(c, c) for c in text)


def _cells(row: Row, varied: bool) -> list[str]:
    s = row.summary
    settings = [
        escaped(row.algorithm),
        "" if np.isnan(row.learning_rate) else f"{row.learning_rate:.3g}",
        escaped(row.optimiser),
        _set(row.hidden_units),
    ]
    if s is None:
        return [*settings, "", rf"\multicolumn{{{5 + varied}}}{{l}}{{{escaped(row.status)}}}"]
    return [
        *settings,
        number(s.replicas).replace(",", "{,}"),
        f"{100 * s.rate:.1f} [{100 * s.rate_low:.1f}, {100 * s.rate_high:.1f}]",
        f"{_set(s.epochs_median)} [{_set(s.epochs_q1)}, {_set(s.epochs_q3)}]",
        _set(s.restart_epochs),
        _set(s.cutoff_epochs) if np.isfinite(s.cutoff_epochs) else "",
        "" if np.isnan(row.work_over_backprop) else escaped(significant(row.work_over_backprop)),
        *([escaped(decades_text(row))] if varied else []),
    ]


def _set(x: float) -> str:
    return "" if np.isnan(x) else escaped(number(x)).replace(",", "{,}")
