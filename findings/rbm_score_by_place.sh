#!/usr/bin/env bash
# scikit-learn's BernoulliRBM.score_samples estimates each pattern's pseudo-likelihood from one random bit, flipped. With an integer
# random_state the bits are drawn anew from that seed at every call, one for each row in turn. So the score repeats, and looks exact,
# but is that of a place: the same pattern ten times over has several scores, 37 of 40 patterns have another score alone than among the
# others, and the mean score of one set of patterns moves when they are put in another order (from -8.39 to between -7.02 and
# -8.09 in five orders; all bits flipped in turn give -7.84). The mean of any number of calls is no better than one.
# Seen with scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1, CPython 3.11, Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
cat > seen.py <<'P'
import numpy as np
from sklearn.neural_network import BernoulliRBM

rng = np.random.default_rng(0)
patterns = (rng.random((40, 12)) < 0.4).astype(float)
machine = BernoulliRBM(n_components=6, n_iter=5, random_state=0).fit(patterns)


def exact(x):
    """The pseudo-likelihood itself: from every bit, each flipped in turn."""
    w, b, c = machine.components_, machine.intercept_visible_, machine.intercept_hidden_

    def energy(v):
        return -v @ b - np.logaddexp(0, v @ w.T + c).sum(1)

    flipped = [np.where(np.arange(x.shape[1]) == i, 1 - x, x) for i in range(x.shape[1])]
    return sum(-np.logaddexp(0, energy(x) - energy(other)) for other in flipped)


scores = machine.score_samples(patterns)
calls = [machine.score_samples(patterns).mean() for _ in range(50)]
orders = [machine.score_samples(patterns[rng.permutation(40)]).mean() for _ in range(5)]
alone = sum(machine.score_samples(pattern[None])[0] != score for pattern, score in zip(patterns, scores, strict=True))
copies = len(set(machine.score_samples(np.repeat(patterns[:1], 10, axis=0))))
print(f"mean score {calls[0]:.2f} in each of {len(calls)} calls; in other orders", *(f"{mean:.2f}" for mean in orders),
      f"- from all bits {exact(patterns).mean():.2f}")
print(f"{alone} of 40 patterns have another score alone; ten copies of one have {copies} scores")
assert len(set(calls)) == 1, "calls differ now"
assert max(orders) - min(orders) > 0.5, "the order no longer matters"
assert alone > 20 and copies > 3
P
"$folder/venv/bin/python" -W error seen.py
echo "as described: a score that repeats, and belongs to a row's place"
