# %% [markdown]
# # Credit and cost
#
# How far is each rule's credit, its estimate of the gradient, from the gradient itself while it learns; how
# noisy is it; what does an update cost in work, span and memory; what does depth leave of credit; and what
# does memory buy in accuracy? Three studies stand behind it. What the quantities are:
# [docs/credit.md](../docs/credit.md).

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import credit_and_cost as found
from harness.answers import memory_accuracy, update_costs
from harness.answers import vanishing as depth
from harness.answers.conclusions.credit_and_cost import conclusions
from harness.answers.provenance import frames, sources
from harness.answers.words import say, table
from harness.plots.vanishing import vanishing_figure

credit, cost = results.credit("credit_and_cost"), results.cost("credit_and_cost")
say(*sources("credit_and_cost", "vanishing", "memory_accuracy"))

# %% conclusions tags=["conclusions"]
cells, replicas = frames("vanishing")
left, chains = depth.before_training(), depth.points(cells, replicas)
points = memory_accuracy.points(*frames("memory_accuracy"))
say(conclusions(credit, left, chains, points))

# %% [markdown]
# ## Whose credit points along the gradient
#
# Within 90° it goes downhill; of noisy credits a single draw is taken. By intervals of the median over
# replicas, Bonferroni's over the algorithms of a task. *Late* is the last look at which at least half of the
# replicas were still in training.

# %% within tags=["results"]
say(found.within(credit))

# %% angles tags=["results"]
say(table(found.angle_texts(credit)))

# %% [markdown]
# ## Feedback that learns to point the right way
#
# Fixed or learnt feedback starts without any relation to the weights: at 90° for those of the first hidden
# group.

# %% turned tags=["results"]
say(found.turned(credit))

# %% turning tags=["results"]
plots.credit_figure(found.feedback(credit))

# %% [markdown]
# ## Noise and bias
#
# Signal-to-noise |E g|² ÷ E|g − E g|² of one draw; the forward gradient's is 1/(d + 1) for d weights. Bias is
# what no averaging removes; it is seen where its whole interval is above 0.

# %% noisy tags=["results"]
noise = found.noise(credit, cost)
say(found.noisy(noise))

# %% noise tags=["results"]
say(table(found.noise_texts(noise)))

# %% [markdown]
# ## Beside the Gauss–Newton step
#
# The gradient is not where a second-order method would go. Is any other credit nearer to that?

# %% newton tags=["results"]
say(found.newton(credit))

# %% [markdown]
# ## Work, span and memory of an update
#
# One update of one network, counted from the code, with no chance in it: n = 1. Span is the longest chain of
# dependent array operations. What is within 1 % of backprop's work, or 10 % of its peak, is called as much.

# %% cheaper tags=["results"]
say(update_costs.cheaper(cost))

# %% update_costs tags=["results"]
say(f"On {update_costs.tasks(cost)}:", table(update_costs.texts(cost)))

# %% [markdown]
# ## Vanishing credit
#
# 4 bits through layers of 50 logistic units, before training. The bound of ¼ a layer is that of backprop
# through a plain chain.

# %% left_over tags=["results"]
say(depth.left_over(left))

# %% vanishing tags=["results", "shown"]
vanishing_figure("deep_chain, sigmoid units, before training", left, bounded=True)

# %% [markdown]
# ## What training through depth takes
#
# Parity of 3 bits through layers of 10 units: who learns it, and the work of a success beside that of the
# shallowest chain that most learn. Tanh and normalised layers have another rate, .1 for .5.

# %% depth tags=["results"]
say(depth.said(chains, replicas))

# %% at_depth tags=["results"]
say(table(depth.at_depth(chains)))

# %% [markdown]
# ## Memory against accuracy
#
# At equal accuracy, does anything beat backprop's activation memory? The rate of each is chosen on validation
# patterns. * is on the front: nothing is better in both.

# %% memory tags=["results"]
say(memory_accuracy.answers(points))

# %% memory_table tags=["results"]
say(table(memory_accuracy.texts(points)))

# %% memory_digits tags=["results"]
memory_accuracy.figure(points, "digits")

# %% memory_traffic tags=["results"]
memory_accuracy.figure(points, "traffic")
