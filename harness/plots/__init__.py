"""Figures: one style, one file a figure;
each takes frames of `harness.results` (or plain arrays) and returns a matplotlib one.

    from harness import plots, results
    plots.survival_figure(results.replicas("first_light"))

Made without pyplot: nothing global, no display needed (a notebook shows what a cell ends with), and nothing
is written but by `save`. Colours are told apart by the colour-blind; line styles and markers do the same on a
black and white print. Every figure says its n and its interval, and no replica is left out of one; its title
is a computed sentence, what came of it (`harness.plots.titles`).

    survival_figure    who is still unsolved after how many epochs, by task and family of rules
    learning_figure    loss during training, and beside it who is still unsolved
    curve_figure       loss, or share of right patterns, during training
    ert_bars           what a success costs, in epochs, updates, FLOPs, dependent operations or seconds
    front_figure       the same with restarts, a row a rule and a column a task, coloured by family
    profile_figure     on what share of the tasks an algorithm is nearly the cheapest
    runtime_figure     what share of several targets is reached by then, with restarts
    pareto_figure      two costs at once, and what is beaten by none in both
    failure_map        where replicas fail, over two settings
    setting_figure     what one setting does to how often, and how fast, a task is solved
    sweep_figure       the same of all numeric settings that a study varied, one by one or two over a grid
    credit_figure      the angle of credit to the gradient over training, edge by edge
    growth_figure      how the cost of an update grows with the network
    ends_figure        where networks that are stuck on XOR end, kind by kind
    ratio_figure       how the pairs of weights of symmetry's hidden units compare in size
    hinton_figure      the weights of a network
    people_figure, family_tree_figure     activities of the family tree's code by person
    verdict_figure     which published figures come out again
    kernel_figure      what shared kernels of the T-C network became, kind by kind
    layout_figure      test images wrong by shared kernels and by full connections, rule by rule
    similarity_figure  which algorithms arrive at like representations
    association_figure, alignment_figure  what of a credit goes with cost, and the rules behind it
    rate_figure        what a success costs against the rate, rule by rule
    optimiser_figure   what a success costs each rule with each optimiser at its best rate
    error_figure, steps_figure            how far credit is from the gradient, how many steps a phase takes
    lag_figure         how many steps back each rule learns, by kind of unit
    blame_figure, history_figure          what a step back leaves of blame, what history is worth
    scaling_figure     how memory and work of an update grow with steps and units, beside theory
    pruning_figure     what networks err with fewer and fewer of their weights
    shift_figure       whether sharp minima lose more accuracy when data change
    agreement_figure, ranks_figure        whether tasks rank rules alike, and where each stands
"""

from harness.drawing.learning import learning_figure
from harness.drawing.style import COLOURS, DASHES, MARKERS, STYLE, logarithmic, look, save, styled
from harness.plots.alignment import alignment_figure, association_figure
from harness.plots.credit import credit_figure
from harness.plots.curves import curve_figure
from harness.plots.ends import ends_figure
from harness.plots.ert import CURRENCIES, ert_bars
from harness.plots.failure_map import failure_map
from harness.plots.front import front_figure
from harness.plots.growth import growth_figure
from harness.plots.hinton import hinton_figure
from harness.plots.kernels import kernel_figure
from harness.plots.layouts import layout_figure
from harness.plots.optimisers import optimiser_figure
from harness.plots.pareto import pareto_figure
from harness.plots.people import family_tree_figure, people_figure
from harness.plots.profile import profile_figure
from harness.plots.pruning import pruning_figure
from harness.plots.rates import rate_figure
from harness.plots.ratios import ratio_figure
from harness.plots.runtime import runtime_figure
from harness.plots.scaling import scaling_figure
from harness.plots.setting import setting_figure
from harness.plots.settling import error_figure, steps_figure
from harness.plots.shift import shift_figure
from harness.plots.similarity import similarity_figure
from harness.plots.study import write_figures
from harness.plots.survival import survival_figure
from harness.plots.sweep import sweep_figure
from harness.plots.time import blame_figure, history_figure, lag_figure
from harness.plots.transfer import agreement_figure, ranks_figure
from harness.plots.verdicts import verdict_figure

__all__ = [
    "COLOURS",
    "CURRENCIES",
    "DASHES",
    "MARKERS",
    "STYLE",
    "agreement_figure",
    "alignment_figure",
    "association_figure",
    "blame_figure",
    "credit_figure",
    "curve_figure",
    "ends_figure",
    "error_figure",
    "ert_bars",
    "failure_map",
    "family_tree_figure",
    "front_figure",
    "growth_figure",
    "hinton_figure",
    "history_figure",
    "kernel_figure",
    "lag_figure",
    "layout_figure",
    "learning_figure",
    "logarithmic",
    "look",
    "optimiser_figure",
    "pareto_figure",
    "people_figure",
    "profile_figure",
    "pruning_figure",
    "ranks_figure",
    "rate_figure",
    "ratio_figure",
    "runtime_figure",
    "save",
    "scaling_figure",
    "setting_figure",
    "shift_figure",
    "similarity_figure",
    "steps_figure",
    "styled",
    "survival_figure",
    "sweep_figure",
    "verdict_figure",
    "write_figures",
]
