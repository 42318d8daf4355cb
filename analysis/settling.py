# %% [markdown]
# # Settling
#
# Rules that settle read the gradient from states of rest: a network alone, and the same network with its
# outputs nudged, held, or predicted. How near the gradient does that come, as the nudge, the way back or the
# loss is made weak, or steps are saved? What does a success cost beside backprop? And how many steps does a
# network take to come to rest as it grows?

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import credit_errors, near_gradient, settling, settling_steps
from harness.answers.conclusions.settling import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

records = results.records("settling")
errors, sizes = credit_errors.courses(records), settling_steps.courses(records)
cells = settling.learning(results.cells("settling"))
replicas = settling.of_learning(results.replicas("settling"), cells)
costs = settling.costs(cells, replicas)
say(about("settling"))

# %% conclusions tags=["conclusions"]
say(conclusions(errors, costs, sizes))

# %% [markdown]
# ## How near the gradient
#
# The credit g at the initial weights, beside ∇. Equilibrium propagation is held to what it estimates, the
# gradient of the loss at the free state of rest, with weights used both ways: β¹ from one side, β² centred,
# βᴺ from N points around the circle (Scellier & Bengio 2017; Laborieux & Zenke 2022). Contrastive Hebbian
# learning (γ¹, Xie & Seung 2003; it lowers the output error, as cross-entropy does, which is the loss here)
# and predictive coding (λ¹) are held to backprop's. Below an error of 1e-9 the gradient at rest, which takes
# differences, is itself no better.

# %% powers tags=["results"]
say(near_gradient.said(errors))

# %% errors tags=["results", "shown"]
plots.error_figure(near_gradient.points(errors))

# %% error_table tags=["results"]
say("Medians over networks, where the setting is a power of ten:", table(near_gradient.texts(errors)))

# %% [markdown]
# ## What a success costs
#
# Every rule at its own best settings, found for the same budget of settings, networks and work, and one
# budget for all. Work is that of the steps that phases took; budgets are charged for all the steps that they
# may take, those too that a network at rest no longer takes: nobody knows them before.

# %% said tags=["results"]
say(settling.said(costs))

# %% front tags=["results"]
plots.front_figure(replicas, cells)

# %% costs tags=["results"]
say(table(settling.texts(costs)))

# %% [markdown]
# ## How many steps
#
# Parity of 3 bits through chains of tanh units, before training (the one update of the first epoch) and over
# the first epochs of it. At rest is where no unit moves by more than .001 in a step. Networks that are
# trained do not all learn: units that saturate settle soon.

# %% steps tags=["results"]
say(settling_steps.said(sizes))

# %% sizes tags=["results"]
plots.steps_figure(settling_steps.points(sizes))

# %% step_tables tags=["results"]
say(*map(table, settling_steps.tables(sizes)))
