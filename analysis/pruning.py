# %% [markdown]
# # Pruning
#
# Weights of trained networks are deleted: those of least saliency ½ h w² (Optimal Brain Damage, LeCun, Denker
# & Solla 1990; h the diagonal of the Hessian, by their pass back), those of least magnitude, or any. How few
# are enough, who chooses better, and what does training on mend?

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import pruning
from harness.answers.conclusions.pruning import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

cuts = pruning.all_of(results.records("pruning"))
say(about("pruning"))

# %% conclusions tags=["conclusions"]
say(conclusions(cuts))

# %% [markdown]
# ## How few weights are enough
#
# All weights together, in one cut, biases left alone. Retrained: 100 full-batch steps of Adam at .03, deleted
# weights held at 0. Networks that solved their task alone; the others have nothing to lose.

# %% said tags=["results"]
say(pruning.said(cuts))

# %% wrong tags=["results", "shown"]
plots.pruning_figure(pruning.drawn(cuts))

# %% wrong_table tags=["results"]
say(table(pruning.texts(cuts)))
