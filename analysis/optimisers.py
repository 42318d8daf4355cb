# %% [markdown]
# # Optimisers
#
# Whether a rule is cheap may lie with what makes steps of its credit. Every rule whose credit an optimiser
# takes is run with plain steps, with momentum and with Adam, each at nine rates, two a decade: does one of
# them help, and would the rules stand in another order?

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import optimisers
from harness.answers.conclusions.optimisers import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

tried = optimisers.tried(results.cells("optimisers"), results.replicas("optimisers"))
pairs, orders = optimisers.besides(tried), optimisers.orders(tried)
say(about("optimisers"))

# %% conclusions tags=["conclusions"]
say(conclusions(tried, pairs, orders))

# %% [markdown]
# ## Each at its own best rate
#
# The least of nine costs flatters whoever has it. So rate and cutoff are chosen on one half of the networks
# and what they cost is read from the other, both ways; every optimiser has as many rates, networks and
# epochs. Work is counted, so that what an optimiser adds to an update is paid for. With m comparisons on a
# task the intervals are at 1 − .05/m, and none excludes 1 where swapping the two within pairs of networks,
# all chosen anew, makes as large a difference in more cases than that. Left out are rules whose credit is
# another's on these networks, since they would count twice: those with backprop's, and direct feedback
# alignment, which is feedback alignment where there is one hidden layer.

# %% at its best tags=["results"]
say(optimisers.said(tried, pairs, orders))

# %% optimisers tags=["results", "shown"]
plots.optimiser_figure(optimisers.points(tried))

# %% costs tags=["results"]
say(table(optimisers.texts(tried, pairs)))
