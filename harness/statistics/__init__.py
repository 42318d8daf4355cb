"""Statistics that survive failures: every replica counts, also those that never solved their task.

A replica that fails has no time to criterion. Leaving it out (a mean or a median over the solved only)
rewards an algorithm for giving up wherever a task is hard. Instead it is *right-censored*: all that is known
is that its time is longer than it was watched. Four answers follow, none of which forgets it:

    rate            solved ÷ all, with Wilson's interval
    running time    ERT = Σ what every replica spent ÷ number solved: the cost of a success, failures paid for
    best cutoff     the same for a rule that gives up in time and starts afresh: E[min(t, T)] ÷ P(t ≤ T)
    survival        the share still unsolved after each epoch; quantiles of the time are read from it

and from them what compares algorithms: the log-rank test, paired differences, profiles over targets and
tasks.

A failure that no replica showed may yet come: no interval is a point because nothing was seen to vary. What
each is, and how often it covers, stands in docs/statistics.md.

Pure functions of arrays; a time that is never reached is infinite, and what is random has a seed. Intervals
come as `Interval(value, low, high)`. scipy, slow to import, is imported by the few functions that need it.
"""

from harness.statistics.aggregate import interquartile_mean
from harness.statistics.agreement import Concordance, concordance, standing, tau_b, tau_interval
from harness.statistics.association import permutation_p, rank_correlation
from harness.statistics.best_setting import Best, best_ratio, best_setting, resampled_best
from harness.statistics.bootstrap import RESAMPLES, Interval
from harness.statistics.censored import Replicas, Survival, survival
from harness.statistics.cutoff import (
    Restarted,
    best_cutoff,
    cost_at,
    restart_ecdf,
    restarted_cost,
    restarted_time,
)
from harness.statistics.held_out import held_out
from harness.statistics.log_rank import logrank
from harness.statistics.many import holm
from harness.statistics.paired import PairedDifference, paired_difference
from harness.statistics.power import (
    claim_power,
    fisher_power,
    replicas_for_running_time,
    replicas_for_two_rates,
    replicas_for_width,
    running_time_power,
)
from harness.statistics.profiles import Steps, performance_profile, restarted, runtime_profile
from harness.statistics.proportion import clopper_pearson, solved_rate, tango, wilson
from harness.statistics.ratio import PairedRatio, paired_ratio
from harness.statistics.resampled import resampled_costs
from harness.statistics.running_time import expected_running_time, failure_costs, running_time
from harness.statistics.sensitivity import Sensitivity, decades_within, sensitivity
from harness.statistics.significance import Significance, mcnemar

__all__ = [
    "RESAMPLES",
    "Best",
    "Concordance",
    "Interval",
    "PairedDifference",
    "PairedRatio",
    "Replicas",
    "Restarted",
    "Sensitivity",
    "Significance",
    "Steps",
    "Survival",
    "best_cutoff",
    "best_ratio",
    "best_setting",
    "claim_power",
    "clopper_pearson",
    "concordance",
    "cost_at",
    "decades_within",
    "expected_running_time",
    "failure_costs",
    "fisher_power",
    "held_out",
    "holm",
    "interquartile_mean",
    "logrank",
    "mcnemar",
    "paired_difference",
    "paired_ratio",
    "performance_profile",
    "permutation_p",
    "rank_correlation",
    "replicas_for_running_time",
    "replicas_for_two_rates",
    "replicas_for_width",
    "resampled_best",
    "resampled_costs",
    "restart_ecdf",
    "restarted",
    "restarted_cost",
    "restarted_time",
    "running_time",
    "running_time_power",
    "runtime_profile",
    "sensitivity",
    "solved_rate",
    "standing",
    "survival",
    "tango",
    "tau_b",
    "tau_interval",
    "wilson",
]
