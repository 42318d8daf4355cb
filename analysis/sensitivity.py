# %% [markdown]
# # Sensitivity
#
# How exactly must a rule's rate be set? A rule that is cheap at one rate and learns nothing at three times
# that costs somebody a search. Every rule with a rate, at ten of them, two a decade: over how many decades
# does a success cost at most twice the least, with restarts at the best cutoff?

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import sensitivity
from harness.answers.conclusions.sensitivity import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

courses = sensitivity.courses(results.cells("sensitivity"), results.replicas("sensitivity"))
say(about("sensitivity"))

# %% conclusions tags=["conclusions"]
say(conclusions(courses))

# %% [markdown]
# ## How wide the valley is
#
# Between two rates the cost is taken as a straight line in logarithms. Next to a rate that never solves the
# task in its budget nothing counts, but the upper end of the interval knows that none of a few networks is
# not never: where it is ∞, the grid ends, or may end, within the limit. With m rules on a task the intervals
# are at 1 − .05/m.

# %% valley tags=["results"]
say(sensitivity.said(courses))

# %% rates tags=["results", "shown"]
plots.rate_figure(sensitivity.points(courses))

# %% decades tags=["results"]
say(table(sensitivity.texts(courses)))
