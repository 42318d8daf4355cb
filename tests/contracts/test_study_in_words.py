"""What is said of any study, held to counts made by hand of the cells that were put into a store."""

from __future__ import annotations

from harness.answers.study import sentences
from harness.cells.cell import Cell
from harness.results import table
from harness.results.running_times import running_times
from harness.store.store import Store
from helpers.kept import STRICT, XOR, keep
from helpers.made_up import D, S, U


def told(store: Store, name: str = "made_up") -> list[str]:
    rows = table.build(store, name)
    ids = [i for row in rows if row.summary for i in row.id.split()]
    return sentences(rows, running_times(rows, {i: store.read(i) for i in ids}))


def test_sentences_count_what_is_in_the_store(store: Store) -> None:
    """By their whole intervals 20 of 20 are more than half, 1 of 20 fewer, and 6 of 10 neither."""
    sure = keep(store, "backprop", XOR, (S,) * 20, (10,) * 20)
    rare = keep(store, "shallow", XOR, (S,) + (U,) * 19, (5,) + (100,) * 19)
    even = keep(store, "sign_symmetry", XOR, (S,) * 6 + (D,) * 4, (30,) * 6 + (16,) * 4)
    never = keep(store, "feedback_alignment", XOR, (U,) * 4, (100,) * 4)
    store.write_study("made_up", "", [sure, rare, even, never])
    first, of_xor, diverged = told(store)
    assert first == "Of 4 cells all are finished: 54 replicas, 4 to 20 a cell."
    for part in (
        "xor is solved by more than half of the replicas of backprop (100.0 % [83.9–100.0] of 20); ",
        "; by perhaps more than half (not decided) of sign_symmetry (60.0 % [31.3–83.2] of 10); ",
        "; by fewer than half of shallow (5.0 % [0.9–23.6] of 20); ",
        "; by none of feedback_alignment (at most 49.0 % of 4); a success is cheapest by backprop, 10 [10–",
    ):
        assert part in of_xor
    assert diverged == "Replicas diverged in 1 of 4 cells: sign_symmetry on xor, 4 of 10."


def test_there_are_at_most_eight_sentences(store: Store) -> None:
    store.write(impossible := Cell.of({"name": "perceptron"}, STRICT, {}), None)
    broken = Cell.of({"name": "finite_differences"}, XOR, {})
    store.write_failure(broken, "ValueError: 1 < 2", "")
    ids = [keep(store, "backprop", XOR, (S, D), (10, 30)), keep(store, "backprop", STRICT)]
    ids += [impossible.id, broken.id, "xor-shallow-0123456789ab"]
    more = [
        keep(store, "backprop", {"name": t}, (U,), (100,))
        for t in ("encoder", "parity", "negation", "symmetry")
    ]
    store.write_study("made_up", "", [*ids, *more])
    said = told(store)
    assert len(said) == 8
    never = "encoder, parity, negation and symmetry"
    assert said[3] == f"Of 4 further tasks 0 are solved by some replicas, by none: {never}."
    assert said[-2].startswith("1 cell failed: finite_differences on xor, ValueError: 1 < 2")


def test_of_many_cells_the_best_is_named_and_the_others_are_counted(store: Store) -> None:
    ids = [
        keep(store, "backprop", XOR | {"scale": k / 100}, (S,) * 9 + (U,), (k,) * 9 + (100,))
        for k in range(1, 21)
    ]
    store.write_study("made_up", "", ids)
    _, of_xor = told(store)
    assert (
        "more than half of the replicas of 20 of 20 rows, most often backprop on xor (scale=0.01) (90.0 %"
        in of_xor
    )
    assert "cheapest by backprop on xor (scale=0.01), 12.1 [" in of_xor  # (9 × 1 + 100) / 9
