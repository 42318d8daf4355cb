"""Findings on pruning held to made-up cuts whose answer is planted, and to untrained networks cut."""

from __future__ import annotations

import numpy as np
import pytest

from harness import plots
from harness.answers import pruning
from harness.answers.conclusions import LONGEST
from harness.answers.conclusions.pruning import conclusions
from harness.answers.pruning import AFTER, BEFORE, Cuts
from harness.core.errors import InputError
from harness.core.rand import NOISE, Rand
from harness.inspection.pruning import WAYS, worth
from harness.results.trained_networks import Networks
from harness.tasks.xor import Xor
from helpers.pages import check_page, title

N = 12


def planted(name="encoder", better="saliency", n=N):
    """Half of the weights may go by one way, none by others; retraining mends all cuts."""
    left = np.array([1.0, 0.5, 0.1])
    wrong = {}
    for way in WAYS:
        cut = [0.0, 0.02 if way == better else 0.6, 0.9]
        wrong[way, BEFORE] = np.repeat(np.array(cut)[:, None], n, axis=1)
        wrong[way, AFTER] = np.zeros((3, n))
    first = {way: np.full(n, 1.0 if way == better else 2.0) for way in WAYS}
    return Cuts(name, n, n + 1, 100, "patterns trained on", left, wrong if n else {}, first)


def test_the_least_share_is_the_last_harmless_one_from_all_weights_on():
    cut = planted()
    assert pruning.fewest(cut, "saliency", BEFORE) == 0.5
    assert pruning.fewest(cut, "magnitude", BEFORE) == 1.0
    assert pruning.fewest(cut, "magnitude", AFTER) == 0.1
    gap = cut._replace(wrong=cut.wrong | {("saliency", BEFORE): cut.wrong["saliency", BEFORE][[0, 2, 1]]})
    assert pruning.fewest(gap, "saliency", BEFORE) == 1.0, "what is harmless again later does not count"


def test_pruning_in_words():
    said = "\n".join(pruning.said([planted(), planted("xor", "magnitude")]))
    assert "by saliency: 50.0 % cut and 10.0 % cut and retrained" in said
    assert "encoder, cut: −58.0 % [" in said
    assert "xor: 100.0 % [75.8–100.0] of 12" in said
    first, second, third = conclusions([planted(), planted("xor", "magnitude")])
    assert "Of 4 cuts without retraining" in first
    assert "in 1 (most −58.0 % [" in first
    assert "and more in 1, by whole 95 % intervals, paired (n = 12 networks)" in first
    assert "50.0 % and 10.0 % on encoder and 100.0 % and 10.0 % on xor" in second
    assert third.endswith("0.0 % [0.0–24.2] of 12 on encoder and 100.0 % [75.8–100.0] of 12 on xor.")


def test_what_was_never_trained_has_one_sentence_and_long_names_have_room():
    (said,) = pruning.said([planted(n=0)])
    assert said.startswith("There is nothing to prune where nothing was trained: encoder (none of 1 ")
    assert pruning.said([])[0].endswith("no cell.")
    assert conclusions([planted(n=0)])[0].startswith("Nothing is concluded: ")
    many = [planted(f"family_tree, a long setting {i}") for i in range(9)]
    assert max(map(len, conclusions(many))) <= LONGEST


def test_the_figure_and_the_table_show_every_cut():
    cuts = [planted(), planted("xor", "magnitude")]
    figure = plots.pruning_figure(pruning.drawn(cuts))
    check_page(figure)
    assert title(figure).endswith("in 1 of 4 cuts")
    assert len(figure.axes[0].lines) == 2 * len(WAYS)
    table = pruning.texts(cuts)
    assert len(table) == 2 * 2 * len(WAYS)
    assert list(table)[3:] == ["100.0 % left", "50.0 % left", "10.0 % left"]
    with pytest.raises(InputError, match="nothing to draw"):
        pruning.drawn([])


def test_networks_are_cut_in_all_ways_and_whole_ones_stay_as_they_were():
    task, rand = Xor(hidden=3), Rand(0, [0, 1, 2, 3, 4], NOISE)
    net = task.network()
    params = {key: rand.uniform(*shape) - 0.5 for key, shape in net.shapes.items()}
    nets = Networks(task, net, params, {"replica": np.arange(5)}, 0)
    cut = pruning.cuts("xor", nets, 6, left=(1.0, 0.5), steps=3)
    assert (cut.n, cut.of, cut.weights) == (5, 6, 9)
    assert set(cut.wrong) == {(way, when) for way in WAYS for when in (BEFORE, AFTER)}
    whole = 1 - task.right(net.respond(params, nets.data.x), nets.data).mean(axis=-1)
    for way in WAYS:
        assert cut.wrong[way, BEFORE][0] == pytest.approx(whole)
        assert cut.first[way].shape == (5,)
    none = nets.chosen(np.zeros(5, bool))
    assert pruning.cuts("xor", none, 6).n == 0
    for way in WAYS:
        with pytest.raises(InputError, match="nothing to prune where nothing was trained"):
            worth(none.net, none.params, none.batch(), way)
