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

# %% [markdown]
# ## More targets than one
#
# A verdict on one criterion hangs on that criterion. Here are three losses on the way to it, too, the same
# for all rules of a task: in what share of all targets is a rule there, after how much work, if a try that
# fails is paid for and begun afresh?

# %% runtime tags=["results"]
plots.runtime_figure(results.targets("tuned"), cells)
