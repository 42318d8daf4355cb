# %% [markdown]
# # Replication
#
# What was published about these algorithms, beside what we measure in the same setting. Verdicts are computed
# by a criterion that was fixed for each kind of figure: *not reproduced* where what we measured contradicts
# it at a false-alarm rate of 1 % (5 % for the figure of a single run), *reproduced* where it does not
# although it could have, *not testable* otherwise.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots
from harness.answers import replication
from harness.answers.conclusions.replication import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

rows = replication.rows()
say(about("replication", command=replication.COMMAND))

# %% conclusions tags=["conclusions"]
say(conclusions(rows))

# %% counts tags=["results"]
say(replication.counts(rows))

# %% verdicts tags=["results", "shown"]
plots.verdict_figure(rows)

# %% [markdown]
# ## Where ours differ
#
# With what is known of why. Of m true figures the criteria would contradict 1 in 100, of single runs 1 in 20.

# %% differ tags=["results"]
say(replication.differ(rows))

# %% [markdown]
# ## Never printed
#
# Popular write-ups attribute figures to papers that do not have them.

# %% absent tags=["results"]
say(replication.absent(rows))

# %% [markdown]
# ## Every claim
#
# n: replicas, failures and all. In brackets: 95 % intervals, 99 % of ratios, differences and where the
# verdict is about it.

# %% table tags=["results"]
say(table(replication.texts(rows)))
