# %% [markdown]
# # Local minima
#
# Where 10,000 starts on XOR end, 2-2-1, backpropagation at momentum .9 in full batches as PDP (pp. 331-332)
# has it at η = .25. A replica that has spent its budget unsolved is *stuck*. Mirror images under XOR's
# symmetries are one kind of end.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import escapes, local_minima
from harness.answers.conclusions.local_minima import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table
from harness.inspection import ends as minima

records, replicas = results.records("local_minima"), results.replicas("local_minima")
ends = local_minima.all_of(records)
say(about("local_minima"))

# %% conclusions tags=["conclusions"]
pairs = escapes.of(ends, replicas)
say(conclusions(ends, pairs))

# %% [markdown]
# ## How many are stuck, and where
#
# *PDP's Fig. 5*: all four outputs within .15 of those printed, or of a mirror image. *Still*: another budget
# of epochs down the slope would lower E by less than 1 %, and no direction of negative curvature would grow
# e-fold in it; otherwise it is *sliding* on, or at a *saddle*.

# %% verdict tags=["results"]
say(local_minima.verdict(ends))

# %% overview tags=["results"]
say(table(local_minima.overview(ends)))

# %% [markdown]
# ## The kinds of end

# %% kinds tags=["results"]
usual = local_minima.first_printed(ends, 1.0)
say(table(local_minima.kinds(usual)))

# %% ends tags=["results", "shown"]
plots.ends_figure(
    usual.outputs, usual.kinds, usual.replicas, f"{usual.name}, weights within ±1", minima.FIG_5
)

# %% [markdown]
# ## What gets them out
#
# The same initial weights with another rate, or with noise: patterns one at a time in random order, or credit
# from random perturbations. Paired replica by replica; one solved before may be stuck now, so the rate of all
# counts.

# %% escapes tags=["results"]
say(escapes.verdict(pairs))

# %% escape_table tags=["results"]
say(table(escapes.texts(pairs)))

# %% [markdown]
# One more hidden unit makes another network, from other weights: not paired.

# %% wider tags=["results"]
say(local_minima.wider(ends))
