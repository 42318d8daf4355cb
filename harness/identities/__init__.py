"""The identities: a lattice of all rules, in which each stands by its relation to others.

    exact        feedback alignment over B = Wᵀ is backprop                  to a bound, or to the bit
    limit        weight perturbation tends to the forward gradient as σ^1    a slope with its interval
    direction    node perturbation is the gradient in the mean               a statistic with its false alarms

A file of rows is a family; whatever file here has `ROWS` is one, and nothing is registered. `measure` says
what came of a row, `page` puts all of them into docs/identities.md. Rows use the rules' public calls, and
small code of their own as the other side.
"""
