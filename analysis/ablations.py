# %% [markdown]
# # Ablations
#
# What each ingredient of the 1986 recipe is worth: η = .5, α = .9, initial weights within ±.5, targets 0 and
# 1, full batches, sums over patterns. One thing is changed at a time, from the same initial networks where
# their size allows.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import ablations
from harness.answers.conclusions.ablations import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

cells, replicas = results.cells("ablations"), results.replicas("ablations")
say(about("ablations"))

# %% conclusions tags=["conclusions"]
changed, on_map = ablations.worth(cells, replicas), ablations.map_cells(cells)
say(conclusions(changed, on_map))

# %% [markdown]
# ## One thing changed
#
# Expected running time in epochs as a multiple of the recipe's, with its paired 95 % interval, over
# the replicas that both have, within the longest budget that both had.

# %% verdict tags=["results"]
say(ablations.verdict(changed))

# %% table tags=["results"]
say(table(ablations.texts(changed)))

# %% [markdown]
# ## Momentum

# %% momentum
plots.setting_figure(ablations.momenta(cells, replicas), "momentum α")

# %% [markdown]
# ## Hidden units, and Chauvin's line
#
# PDP (p. 333) reports Chauvin's presentations to solve XOR as P = 280 − 33 log₂ H. How failures were counted
# is not said: beside ERT stands the mean over the solved only.

# %% chauvin tags=["results"]
points = ablations.units(cells, replicas)
say(ablations.chauvin(points))

# %% hidden_units tags=["results"]
plots.setting_figure(points, "hidden units H", "Chauvin: 280 − 33 log₂ H")

# %% [markdown]
# ## Rate and initial scale
#
# Where replicas fail within the budget, over rate η and the range ± of the initial weights.

# %% map tags=["results"]
say(ablations.on_the_map(on_map))

# %% failure_map tags=["results", "shown"]
plots.failure_map(on_map)
