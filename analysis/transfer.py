# %% [markdown]
# # Transfer
#
# Is the rule that is cheap on one task cheap on another? Rules are compared on toy tasks because these are
# quick, in the hope that the order is one. The same rules on three tasks of 1986, on digits, on digits behind
# shared kernels, and on forecasts of traffic, each that it can do.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import transfer
from harness.answers.conclusions.transfer import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

costs = transfer.costs(results.cells("transfer"), results.replicas("transfer"))
pairs = transfer.pairs(costs)
say(about("transfer"))

# %% conclusions tags=["conclusions"]
say(conclusions(costs, pairs))

# %% [markdown]
# ## What is compared
#
# The work of a success with restarts at the best cutoff, counted from the code. What is never reached in the
# budget is the last rank; what cannot be done has none.

# %% compared tags=["results"]
say(transfer.about(costs))

# %% table tags=["results"]
say(table(transfer.table(costs)))

# %% [markdown]
# ## Whether tasks agree
#
# Kendall's τ of two tasks over the rules on both, his W of all tasks over the rules on all. Intervals are
# over replicas of every cell and over rules at once.

# %% agree tags=["results"]
say(transfer.said(costs, pairs))

# %% agreement tags=["results"]
plots.agreement_figure(transfer.matrix(costs, pairs))

# %% [markdown]
# ## Where rules stand

# %% ranks tags=["results", "shown"]
plots.ranks_figure(transfer.standings(costs))

# %% cheapest tags=["results"]
say(table(transfer.champions_table(costs)))
