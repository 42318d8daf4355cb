# %% [markdown]
# # Representations
#
# What hidden units come to stand for, counted over all replicas that solved their task: the ratios of
# symmetry, the codes of the encoder, the units of the family tree; and what was learnt of pairs that were
# held out.

# %% provenance tags=["results"]
# %matplotlib inline
from harness import plots, results
from harness.answers import learners, likeness
from harness.answers import representations as found
from harness.answers.conclusions.representations import conclusions
from harness.answers.provenance import about
from harness.answers.words import say, table

records = results.records("representations")
symmetry, encoder, tree = (
    learners.learners(records, task) for task in ("symmetry", "encoder", "family_tree")
)
say(about("representations"))

# %% conclusions tags=["conclusions"]
features = found.separating(tree)
say(conclusions(symmetry, encoder, tree, features))

# %% [markdown]
# ## Symmetry: 1 : 2 : 4, and opposite signs
#
# In 1986 the weights of either hidden unit were equal and opposite about the middle of the six bits, and as 1
# : 2 : 4 in size; the two units were each other's opposite. Networks are looked at as they solve the task,
# with every output on its side of .5, and *to within .2* where they were trained on until every output was
# that near. Antisymmetric here: no pair's sum above a tenth of its size; opposite: a cosine below −.9.

# %% symmetry tags=["results"]
say(found.symmetry(symmetry))

# %% ratios tags=["results", "shown"]
plots.ratio_figure(found.ratios(symmetry))

# %% [markdown]
# ## Encoder: binary codes or values in between
#
# Three hidden units have just room for eight binary codes. Four of the eight codes in Table 5 of PDP have a
# .5.

# %% encoder tags=["results"]
say(found.encoder(encoder), table(found.codes(encoder)))

# %% [markdown]
# ## Family tree: nationality, generation, branch
#
# Defined beforehand: the statistic of a replica is the largest correlation ratio η² of any of the six units
# of the person code with the feature; it separates the feature if at most 1 % of 999 random orders of the
# people, and the real one, give as large a one. Branch is not known of the common grandchildren, who are left
# out.

# %% features tags=["results"]
say(found.separation_verdict(features))

# %% feature_table tags=["results"]
say(table(found.separation_texts(features)))

# %% people tags=["results"]
plots.family_tree_figure(learners.picture(records, "family_tree"))

# %% [markdown]
# ## What was held out
#
# Four of the 104 pairs, others in every replica, the same for all algorithms. In 1986 all four were right,
# once.

# %% generalisation tags=["results"]
say(found.generalisation(tree), table(found.held_out(tree)))

# %% [markdown]
# ## Who represents alike
#
# Linear CKA of the twelve hidden units over the 104 pairs, between replicas of different numbers.

# %% likeness tags=["results"]
alike = likeness.of(tree)
say(likeness.verdict(alike))

# %% similarity tags=["results"]
plots.similarity_figure(alike, "Family tree: likeness of hidden activities", "12 hidden units, 104 pairs.")
