# %% [markdown]
# # Shift
#
# Flat minima are said to generalise (Hochreiter & Schmidhuber 1997, Neural Computation 9:1-42). Rules that
# learn otherwise come to other minima. Do networks at flat ones lose less accuracy when the traffic changes
# after training: its seasons, its level, or who is whose neighbour?

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import shift
from harness.answers.conclusions.shift import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

read = shift.of(results.records("shift"))
found = shift.associations(read.kept)
say(about("shift"))

# %% conclusions tags=["conclusions"]
say(conclusions(read.kept, found))

# %% [markdown]
# ## Who keeps
#
# Sharpness is of the Hessian of E a pattern on the training weeks, where training ended: solved, or out of
# budget. What is lost is the rise of the NRMSE on the held-out weeks, made anew with one change each. Within
# rules, ranks are taken among networks of one rule. Across rules whole rules are the units, and the NRMSE
# before is given.

# %% said tags=["results"]
say(shift.said(read, found))

# %% networks tags=["results", "shown"]
plots.shift_figure(shift.drawn(read.kept))

# %% rules tags=["results"]
say("Medians over the networks of a rule, the flattest first:", table(shift.texts(read.kept)))
