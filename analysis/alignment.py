# %% [markdown]
# # Alignment
#
# Does a credit that points along the gradient make a task cheap? The angle between the two is what is mostly
# shown of a rule; whether it says anything of the cost is another question. Rules × tasks, the credit of each
# held to the gradient along its run, beside what a success costs with restarts at the best cutoff, and the
# final loss.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import alignment, credit_measures, transfer
from harness.answers.conclusions.alignment import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

study = "alignment"
cells = results.cells(study)
found = credit_measures.points(cells, results.credit(study), results.cost(study))
pairs = alignment.associations(found)
say(about(study))

# %% conclusions tags=["conclusions"]
broken = alignment.exceptions(found, transfer.costs(cells, results.replicas(study)))
say(conclusions(found, pairs, broken))

# %% [markdown]
# ## What is compared
#
# A cost that is never reached is the last rank of its task, tied with its kind. A credit that is zero, or of
# weights that are not the task's, has no angle.

# %% compared tags=["results"]
say(alignment.undefined(found))

# %% [markdown]
# ## What goes with cost
#
# Ranks within each task, over rules: a rule is one piece of evidence, on however many tasks and with however
# many replicas. p is the share of ways to deal whole rules' costs anew that go as well with the credits,
# Holm's over all pairs. An angle that is measured while a rule learns, or fails to, may follow from what
# becomes of it: networks that are stuck lose the gradient's direction. The angle before training alone is
# known before the cost, and the last section asks of it, too.

# %% laws tags=["results"]
say(alignment.said(found, pairs, broken))

# %% associations tags=["results", "shown"]
plots.association_figure(alignment.drawn(pairs))

# %% table tags=["results"]
say(table(alignment.texts(pairs)))

# %% [markdown]
# ## Rule by rule
#
# The law and those who break it. The angle is that of all weights together, along the run: the weights into
# the outputs, which most rules train by the gradient itself, make most of it.

# %% rules tags=["results"]
plots.alignment_figure(alignment.rules(found), "angle of the credit to the gradient, along the run")
