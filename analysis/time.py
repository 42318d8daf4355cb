# %% [markdown]
# # Time
#
# How far back can blame travel, and what does that cost? A network in time is taught by sending blame back
# through the steps that it kept, by carrying the influence of each weight forwards, or by a trace of each
# unit alone, local and without a way back through time. How many steps back does each rule learn, with units
# of 1986 and with gates; what is left of blame there before any training; how do memory and work grow; and
# how much history does a forecast of traffic take?

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import add_ladder, blame_by_lag, growth_in_time, history, time
from harness.answers.conclusions.time import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

cells, replicas = results.cells("time"), results.replicas("time")
points, climbs = time.points(cells, replicas), add_ladder.climbs(cells, replicas)
reaches, courses = time.reaches(points), history.courses(cells, replicas)
left, sheets = blame_by_lag.before_training(), growth_in_time.all_sheets()
grown = growth_in_time.all_grown(sheets)
say(about("time"))

# %% conclusions tags=["conclusions"]
say(conclusions(reaches, left, grown, courses))

# %% [markdown]
# ## How many steps back
#
# Delayed exclusive or: is this bit another than the one so many steps before? All lags have sequences of one
# length and as many answers. The control is backprop whose blame goes no step back: what it learns needs no
# credit through time, but a state that happens to remember.

# %% lags tags=["results"]
say(time.said(reaches))

# %% solved_by_lag tags=["results", "shown"]
plots.lag_figure(points)

# %% lag_table tags=["results"]
say("Networks that solved it, and epochs of a success [95 %]:", table(time.texts(points)))

# %% [markdown]
# ## Which floor of the add task
#
# Its floors are exact, .6616 nats a step with nothing learnt, .5192 with the bit of 3 steps before, .4545
# with that of 8, too. A network is at a floor where its loss on new sequences is below the middle of that
# one and the next above it.

# %% ladder tags=["results"]
say(add_ladder.said(climbs))

# %% ladder_table tags=["results"]
say(table(add_ladder.texts(climbs)))

# %% [markdown]
# ## What is left of blame
#
# The loss of the last step, sent back k steps over the forward weights, before training: what is left of its
# length at the units that remember.

# %% blame tags=["results"]
say(blame_by_lag.said(left))

# %% blame_left tags=["results"]
plots.blame_figure(blame_by_lag.points(left))

# %% [markdown]
# ## How memory and work grow
#
# Measured on the code, of one sequence, against its steps T and against the units n that remember: of rules
# with a trace for each weight with more units, where those are the most of what is held. No chance is in it;
# an interval says how well a power fits.

# %% growth tags=["results"]
plots.scaling_figure(growth_in_time.points(sheets))

# %% growth_table tags=["results"]
say(table(growth_in_time.texts(grown)))

# %% [markdown]
# ## How much history
#
# The traffic of four stations in the next hour, from so many hours that come in one by one (tanh, lstm,
# state_space), or all at once (chain, attention), by backprop.

# %% history tags=["results"]
say(history.said(courses))

# %% errors tags=["results"]
plots.history_figure(history.points(courses))

# %% history_table tags=["results"]
say("Error on the validation weeks [95 % of all]:", table(history.texts(courses)))
