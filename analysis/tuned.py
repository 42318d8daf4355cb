# %% [markdown]
# # Tuned
#
# Every rule at its own best: settings found for the same budget of settings, networks and work, on replicas
# that nothing below looks at (`python -m harness.tune`). All may spend the same work, and a try that takes
# too long is given up and begun afresh, so that neither a rate nor a budget that somebody chose decides.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import tuned
from harness.answers.conclusions.tuned import beside_backprop, conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

cells, replicas = results.cells("tuned"), results.replicas("tuned")
say(about("tuned"))

# %% conclusions tags=["conclusions"]
say(conclusions(cells, beside_backprop(cells, replicas)))

# %% [markdown]
# ## What a success costs
#
# Work in FLOPs, counted from the code, with restarts at the best cutoff, which is chosen on other replicas
# than it is applied to; beside backprop's, over the replicas that both have.

# %% said tags=["results"]
say(tuned.said(cells))

# %% front tags=["results", "shown"]
plots.front_figure(replicas, cells)

# %% costs tags=["results"]
say(table(tuned.texts(cells)))

# %% [markdown]
# ## Without restarts
#
# Who is still unsolved after how many epochs, if nobody gives up.

# %% survival
plots.survival_figure(replicas)
