# %% [markdown]
# # Comparison
#
# Every algorithm on every small task of 1986 that it can do. All start from the same initial weights where
# the network is the same; failures stay in every number. ERT is the expected running time: what all replicas
# spent ÷ number solved.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import comparison
from harness.answers.conclusions.comparison import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

cells, replicas = results.cells("comparison"), results.replicas("comparison")
usual = cells[cells["task"] == cells["task_name"]]
say(about("comparison"))

# %% conclusions tags=["conclusions"]
pairs, costs = comparison.beside_backprop(cells, replicas), comparison.cheapest(cells, replicas)
say(conclusions(cells, pairs, costs))

# %% [markdown]
# ## Who solves what
#
# On which side of one half is the share of replicas that solve a task, by its whole 95 % Wilson interval?

# %% solvers tags=["results"]
say(comparison.solvers(cells))

# %% survival
plots.survival_figure(replicas)

# %% [markdown]
# ## At what cost
#
# In epochs, which are what the papers count; in work and span, counted from the code (FLOPs, and dependent
# array operations: the time of an ideally parallel machine); in seconds of this implementation. In brackets
# 95 % intervals; who overlaps with the cheapest is not told apart from it.

# %% cheapest tags=["results"]
say(comparison.cheapest_said(costs))

# %% ert_epochs tags=["results"]
plots.ert_bars(replicas, cells, "epochs")

# %% ert_flops tags=["results"]
plots.ert_bars(replicas, cells, "flops")

# %% ert_span
plots.ert_bars(replicas, cells, "span_operations")

# %% ert_seconds
plots.ert_bars(replicas, cells, "seconds")

# %% [markdown]
# ## Beside backpropagation
#
# Work to a success as a multiple of backpropagation's on the same task, replica by replica. With m algorithms
# on a task the intervals are at 1 − .05/m, so that one of them misses in at most 5 % of studies.

# %% beside_backprop tags=["results"]
say(comparison.verdict(pairs))

# %% ratios tags=["results"]
say(table(comparison.beside_texts(pairs)))

# %% performance_profile tags=["results", "shown"]
plots.profile_figure(usual, "flops")

# %% [markdown]
# ## The four strategies of the popular account
#
# It lists perceptron, Boltzmann machine, random search and backpropagation with what a step costs and how
# fast they are. Measured: what an update costs in forward passes of the same network over the patterns it
# saw, how many epochs a success takes, and the work of a success beside backpropagation's.

# %% four_strategies tags=["results"]
say(table(comparison.four_strategies(cells, replicas)))

# %% orders tags=["results"]
say(comparison.orders(cells))
