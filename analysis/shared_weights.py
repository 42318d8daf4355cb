# %% [markdown]
# # Shared weights
#
# One kernel for all places of an image: what it becomes on the T-C task of 1986, what sharing is worth on
# digits at equal numbers of weights, and what the loss has to do with it.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import losses as loss
from harness.answers import shared_weights as digits
from harness.answers import t_c as letters
from harness.answers.conclusions.shared_weights import conclusions
from harness.answers.provenance import about, frames, sources
from harness.answers.words import say, table

t_c = results.records("t_c")
kernels, read = letters.kernels(t_c), digits.reported(results.records("shared_weights"))
say(about("shared_weights"), *sources("t_c", "losses"))

# %% conclusions tags=["conclusions"]
cells, replicas = frames("losses")
say(conclusions(read, kernels, cells, replicas))

# %% [markdown]
# ## T or C: four kinds of detector
#
# PDP (vol. 1 ch. 8, pp. 350-352) shows four kernels that the shared weights of a T-C network became. Here a
# kernel is of a kind from a cosine of .9 with its template, over turns and signs, else it is *other*: of
# random kernels at most .23 % would be given a kind. Networks are looked at as they solve the task, with
# every output on its side of .5, and *to within .2* where they were trained on until every output was that
# near.

# %% kinds tags=["results"]
say(letters.said(kernels), table(letters.counted(kernels)))

# %% kernels tags=["results"]
plots.kernel_figure({cell.name: cell.learnt for cell in kernels})

# %% [markdown]
# ## T or C: which rules find one, and what is known elsewhere
#
# All rules at the same rates of Adam, of which none is chosen. Then a retina with nine positions: where a
# kernel is shared, the letters of the middle position teach all others; where every place has its own, they
# teach nothing.

# %% rules tags=["results"]
say(table(letters.rules(frames("t_c")[0])))

# %% positions tags=["results"]
say(letters.sharing(t_c))

# %% [markdown]
# ## Digits: shared beats full at equal parameters?
#
# LeCun et al. 1989 report, as second-hand sources have it, 5.0 % of the test images wrong by a net of shared
# kernels with 9,760 weights and 8.1 % by a fully connected one with 10,690. Here both are scaled down to 8 ×
# 8 pixels, with as many weights as each other within 1 %.

# %% digits tags=["results"]
say(digits.summary(read), digits.verdicts(read), table(digits.errors(read)))

# %% layouts tags=["results", "shown"]
plots.layout_figure(digits.wrong(read))

# %% [markdown]
# ## Squared error or cross-entropy
#
# On XOR, the encoder and digits, all else the same. The slope of a sigmoid is at most a quarter, and
# cross-entropy's blame does without it: is it squared error at four times the rate?

# %% losses tags=["results"]
say(loss.said(cells, replicas), loss.at_four_times(cells, replicas), table(loss.table(cells)))
