"""Traced arrays held to NumPy: the same values from the same lines, or a refusal that names the line; never
other values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices, mutually_broadcastable_shapes

from harness.compiling.arrays import trace, values
from harness.compiling.behind import CannotCompile
from harness.compiling.calling import NARROW
from harness.compiling.loops import TracedRand
from harness.compiling.program import Program
from harness.core.loops import repeat
from harness.core.tree import leaves, tree_map
from harness.cost.arrays import Tracked
from harness.cost.ledger import Ledger

few = settings(deadline=None, derandomize=True, max_examples=8)
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
Function = Callable[..., Any]


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_kept() -> Iterator[None]:
    """Hundreds of one-line programs are not worth a place in anybody's cache."""
    jax.config.update("jax_enable_compilation_cache", False)
    yield
    jax.config.update("jax_enable_compilation_cache", True)


@pytest.fixture(autouse=True, params=["first", "beside"])
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where replicas are: on the first axis, as the source has them, or beside one another on a last one."""
    monkeypatch.setattr(Program, "beside", request.param == "beside")
    return str(request.param)


def reading(lanes: int = 0) -> Any:
    """As a whole program is read: in double precision, with compiled loops, errors with their lines."""
    program = object.__new__(Program)
    program.device = "cpu"
    return program._reading(lanes)


def traced(f: Function, lanes: int = 0) -> Function:
    return lambda *arrays: values(f(*trace(arrays, lanes > 0)), lanes)


def compiled(f: Function, *arrays: Any) -> Any:
    """What the compiled source makes of the arrays; with other arrays beside them, if that is the layout."""
    if not Program.beside:
        with reading():
            return tree_map(np.asarray, jax.jit(traced(f))(*arrays))
    others = [np.roll(a.ravel(), 1).reshape(a.shape) for a in map(np.asarray, arrays)]
    lanes = [np.stack([a, b] * 8, axis=-1) for a, b in zip(arrays, others, strict=True)]  # whole vectors
    with reading(16):
        got = tree_map(np.asarray, jax.jit(traced(f, 16))(*lanes))
    for name, a in leaves(got):
        np.testing.assert_array_equal(a[..., ::2], np.broadcast_to(a[..., :1], a[..., ::2].shape), name)
    assert_same(tree_map(lambda a: a[..., 1], got), plain(f, *others), TOLERANCE[str(arrays[0].dtype)])
    return tree_map(lambda a: a[..., 0], got)


def plain(f: Function, *arrays: Any) -> Any:
    return tree_map(np.asarray, f(*(a.copy() for a in arrays)))


def assert_same(got: Any, expected: Any, tolerance: float = 1e-12) -> None:
    got, expected = dict(leaves(got)), dict(leaves(expected))
    assert list(got) == list(expected)
    for name, a in expected.items():
        assert (got[name].shape, got[name].dtype) == (a.shape, a.dtype)
        np.testing.assert_allclose(got[name], a, rtol=tolerance, atol=tolerance)


def assert_agrees(f: Function, *arrays: Any) -> None:
    assert_same(compiled(f, *arrays), plain(f, *arrays), TOLERANCE[str(arrays[0].dtype)])


def assert_agrees_or_is_refused(f: Function, *arrays: Any) -> None:
    expected = plain(f, *arrays)
    try:
        got = compiled(f, *arrays)
    except CannotCompile:
        return
    assert_same(got, expected)


def numbers(*shape: int, seed: int = 0, dtype: str = "float64") -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


ROWS, COLUMNS = np.array([2, 0, 2]), np.array([3, 1, 0])
MASK = np.array([True, False, True])
FORMS: dict[str, Function] = {  # of x and y (2, 3, 4)
    "arithmetic": lambda x, y: (
        x + y,
        x - 2.0,
        3.0 * y,
        x / (2.0 + y * y),
        -x,
        +y,
        abs(x),
        x // 0.7,
        x % 0.7,
        x**2,
        x**-1,
    ),
    "comparison": lambda x, y: (x > y, x >= 0.0, x < y, x <= y, x == x, x != y),
    "logic": lambda x, y: (
        (x > 0) & (y > 0),
        (x > 0) | (y > 0),
        (x > 0) ^ (y > 0),
        ~(x > 0),
        np.logical_not(x > 0),
    ),
    "a Boolean as a number": lambda x, y: ((x > 0) * y, 1 - (x > 0), (x > 0).sum(axis=-1)),
    "ufuncs": lambda x, y: (
        np.exp(x),
        np.tanh(x),
        np.log1p(x * x),
        np.sqrt(abs(x)),
        np.sign(x),
        np.maximum(x, y),
        np.hypot(x, y),
    ),
    "mixed with constants": lambda x, y: (
        np.ones(4, x.dtype) * x,
        np.eye(3, dtype=x.dtype) @ y,
        np.float32(2) * x,
    ),
    "matmul": lambda x, y: (x @ y.mT, np.matmul(x, y.mT), x[0] @ y[0, 0], x @ np.ones((4, 2), x.dtype)),
    "einsum": lambda x, y: (
        np.einsum("rnk,rnk->rn", x, y),
        np.einsum("...k,...k->...", x, y),
        np.einsum("rni,rnj->ij", x, y),
    ),
    "other products": lambda x, y: (
        np.dot(x[0], y[0].T),
        np.outer(x[0, 0], y[0, 0]),
        np.tensordot(x, y, axes=3),
        np.vecdot(x, y),
    ),
    "solve": lambda x, y: np.linalg.solve(x @ x.mT + 3 * np.eye(3, dtype=x.dtype), y),
    "solve for vectors": lambda x, y: np.linalg.solve(x @ x.mT + 3 * np.eye(3, dtype=x.dtype), y[..., :1]),
    "norm": lambda x, y: (
        np.linalg.norm(x),
        np.linalg.norm(x, axis=-1),
        np.linalg.norm(y, axis=(-2, -1), keepdims=True),
    ),
    "inverse": lambda x, y: np.linalg.inv(x @ x.mT + 3 * np.eye(3, dtype=x.dtype)),
    "singular values": lambda x, y: np.linalg.svd(x, full_matrices=False)[1],
    "singular values by name": lambda x, y: np.linalg.svd(x, full_matrices=False).S,
    "slices": lambda x, y: (x[0], x[..., 1:3], x[:, ::-2], x[-1, -1], x[:, None, 1], x[...], x[1, 2, 3]),
    "fancy": lambda x, y: (
        x[:, ROWS],
        x[1, ROWS, COLUMNS],
        x[:, ROWS[:, None], COLUMNS],
        x[0, np.ix_([0, 2], [1, 3])[0]],
    ),
    "fancy with lists": lambda x, y: (x[[1, 0]], x[:, [0, 2]], x[0, [0, 1], [2, 3]]),
    "fancy with what was computed": lambda x, y: x[0][np.argsort(y[0, :, 0])],
    "a mask that is a constant": lambda x, y: x[:, MASK],
    "where": lambda x, y: (
        np.where(x > 0, x, y),
        np.where(x > y, x, 0.0),
        np.where(x > 0, 1.0, 0.0).astype(x.dtype),
    ),
    "clip": lambda x, y: (np.clip(x, -0.5, 0.5), x.clip(-0.5, 0.5), np.clip(x, None, y)),
    "joining": lambda x, y: (
        np.concatenate([x, y], axis=-1),
        np.stack([x, y]),
        np.concatenate([x, np.ones((2, 1, 4), x.dtype)], axis=1),
    ),
    "cutting": lambda x, y: (*np.split(x, 2, axis=-1), *np.split(y, [1], axis=1)),
    "moving": lambda x, y: (
        np.moveaxis(x, 0, -1),
        np.swapaxes(x, 0, 1),
        x.swapaxes(1, 2),
        x.T,
        x.mT,
        x.transpose(1, 0, 2),
        np.roll(x, 1, 1),
    ),
    "shaping": lambda x, y: (
        x.reshape(2, -1),
        x.reshape((6, 4)),
        np.reshape(x, (3, 8)),
        x.ravel(),
        np.squeeze(x[:1]),
        x[..., None],
    ),
    "broadcasting": lambda x, y: (
        np.broadcast_to(x[0], (2, 3, 4)),
        np.expand_dims(x, (0, 2)),
        np.tile(x, 2),
        np.repeat(x, 2, axis=1),
    ),
    "take along": lambda x, y: (
        np.take_along_axis(x, np.argsort(y, axis=-1), axis=-1),
        np.take(x, ROWS, axis=1),
    ),
    "sorting": lambda x, y: (
        np.argsort(x, axis=-1),
        x.argsort(axis=0),
        np.sort(x, axis=1),
        np.argmax(x, axis=-1),
        x.argmin(axis=1),
    ),
    "sums": lambda x, y: (
        x.sum(),
        x.sum(axis=0),
        np.sum(x, axis=(-1, -2)),
        x.sum(axis=-2, keepdims=True),
        np.add.reduce(x),
    ),
    "other reductions": lambda x, y: (
        x.mean(axis=(0, 1)),
        x.max(axis=-1),
        np.min(x),
        x.prod(axis=1),
        x.var(axis=0, ddof=1),
        x.std(),
    ),
    "reductions of logic": lambda x, y: (
        (x > 0).all(axis=-1),
        np.any(x > 1, axis=(1, 2)),
        np.logical_or.reduce(x > 1, axis=-1),
    ),
    "running sums": lambda x, y: (np.cumsum(x, axis=1), x.cumsum(axis=-1), np.diff(x, axis=-1)),
    "like another": lambda x, y: (
        np.zeros_like(x),
        np.ones_like(x),
        np.full_like(x, 2.5),
        np.zeros_like(x, shape=(5, 2)),
        np.zeros_like(x, dtype=bool),
    ),
    "made like=": lambda x, y: (
        np.zeros((3, 2), x.dtype, like=x),
        np.arange(4, like=x),
        np.array([1.0, 2.0], x.dtype, like=x),
    ),
    "another type": lambda x, y: (
        (x > 0).astype(x.dtype),
        (x * 10).astype(int),
        x.astype(bool),
        (x > 0).astype(int) // 2,
    ),
    "what is known of it": lambda x, y: (
        x
        * (
            x.shape[0]
            + x.ndim
            + x.size
            + x.nbytes
            + len(x)
            + np.ndim(x)
            + np.shape(x)[-1]
            + np.finfo(x.dtype).bits
        )
    ),
    "Python's sum": lambda x, y: sum([x, y, 1.0]),
}


def x_and_y(dtype: str) -> tuple[Any, Any]:
    return numbers(2, 3, 4, seed=1, dtype=dtype), numbers(2, 3, 4, seed=2, dtype=dtype)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_has_numpys_values_shape_and_type(form: str) -> None:
    assert_agrees(FORMS[form], *x_and_y("float64"))


@pytest.mark.parametrize("form", FORMS)
def test_a_form_has_numpys_shape_and_type_in_float32(form: str) -> None:
    with reading():
        got = jax.eval_shape(traced(FORMS[form]), *x_and_y("float32"))
    expected = plain(FORMS[form], *x_and_y("float32"))
    assert [(a.shape, a.dtype) for _, a in leaves(got)] == [(a.shape, a.dtype) for _, a in leaves(expected)]


def test_float32_has_the_values_of_float32() -> None:
    for form in ("arithmetic", "matmul", "einsum", "other reductions"):
        assert_agrees(FORMS[form], *x_and_y("float32"))


def test_shares_of_truths_have_the_precision_of_numpy() -> None:
    """A third is not the float32 third."""
    assert_agrees(lambda x: ((x > 0).mean(axis=0), np.mean(x > 0), np.std(x > 0)), numbers(3, 5))


def test_what_is_known_of_an_array_is_what_numpy_says() -> None:
    known = ("shape", "ndim", "size", "dtype", "nbytes")

    def look(x: Any, n: Any) -> Any:
        for a in (x, n, x > 0, x.mT, x[0, 0, 0]):
            seen.append([getattr(a, name) for name in known])
        return x

    arrays, seen = (numbers(2, 3, 4), np.arange(3)), []
    compiled(look, *arrays)
    as_compiled, seen = seen[:5], []  # those beside it are looked at after it
    plain(look, *arrays)
    assert as_compiled == seen


@few
@given(shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4), seed=st.integers(0, 99))
def test_operators_broadcast_as_numpys(shapes: Any, seed: int) -> None:
    a, b = (numbers(*shape, seed=seed + k) for k, shape in enumerate(shapes.input_shapes))
    assert_agrees(
        lambda a, b: (
            a + b,
            a * b - a,
            a / (1.0 + b * b),
            np.maximum(a, b),
            (a > b) & (b < 1),
            np.where(a > b, a, b),
        ),
        a,
        b,
    )


@few
@given(
    lead=st.sampled_from([(), (1,), (3,), (2, 3)]),
    shared=st.sampled_from(["none", "left", "right"]),
    n=st.integers(1, 5),
    m=st.integers(1, 5),
    seed=st.integers(0, 99),
)
@pytest.mark.parametrize("k", range(1, 7))
def test_products_narrow_and_wide(
    k: int, lead: tuple[int, ...], shared: str, n: int, m: int, seed: int
) -> None:
    """Up to NARROW a product is written out as a sum of products: any order of summing errs by at most k ε
    Σ|a b|."""
    assert 1 <= NARROW < 6
    a = numbers(*(() if shared == "left" else lead), n, k, seed=seed)
    b = numbers(*(() if shared == "right" else lead), k, m, seed=seed + 1)
    assert_same(compiled(lambda a, b: a @ b, a, b), a @ b)


@pytest.mark.parametrize("k", range(1, 7))
def test_a_product_of_a_vector(k: int) -> None:
    """`@` treats a vector unlike a matrix of one row or column: from the left, from the right, with
    itself."""
    assert_agrees(lambda a, v: (a @ v, v @ v, v @ a.mT), numbers(3, k), numbers(k, seed=1))


@few
@given(axes=st.sets(st.integers(-3, -1), max_size=3), keepdims=st.booleans(), seed=st.integers(0, 99))
def test_reductions_over_any_axes(axes: set[int], keepdims: bool, seed: int) -> None:
    over = {"axis": tuple(sorted(axes)) or None, "keepdims": keepdims}
    assert_agrees(
        lambda x: (x.sum(**over), np.mean(x, **over), x.max(**over), np.prod(x, **over), (x > 0).all(**over)),
        numbers(2, 3, 4, seed=seed),
    )


@few
@given(index=basic_indices((3, 4, 2), allow_newaxis=True), seed=st.integers(0, 99))
def test_any_basic_index_reads_and_writes(index: Any, seed: int) -> None:
    def form(x: Any) -> Any:
        own = x * 2.0
        own[index] = 1.5 - x[index]
        return own, x[index], x

    assert_agrees(form, numbers(3, 4, 2, seed=seed))


def written(write: Function) -> Function:
    """What `write` does to an array of one's own made of x; x itself must stay."""

    def form(x: Any) -> Any:
        own = x + 1.0
        result = write(own, x)
        return own if result is None else result, x

    return form


def in_place(own: Any, x: Any) -> Any:
    before = own
    own += x
    own -= 0.5
    own *= x
    own /= 2.0 + x * x
    own **= 2
    assert own is before
    return own


def in_turn(own: Any, x: Any) -> Any:
    for k in range(3):
        own[k] = own[k - 1] * 0.5 + x[k]
    again = own[0]  # a view that was taken after the last write
    return own * again


def put(index: Any) -> Function:
    return lambda own, x: own.__setitem__(index, 0.5 * x[index])


def into_zeros(own: Any, x: Any) -> Any:
    table, other = np.zeros_like(x, shape=(2, 3)), np.zeros((2, 3), like=x)
    table[1], other[:, 0] = x[:, 0], x[0, :2]
    return table, other


WRITES: dict[str, Function] = {  # to own, x (3, 3)
    "in place": in_place,
    "one after another": in_turn,
    "a row": put(1),
    "a column": put((..., 1)),
    "a slice": put((slice(1, None), slice(None, None, 2))),
    "fancy": put((np.array([2, 0]), np.array([1, 1]))),
    "fancy with a list": put([2, 0]),
    "by a mask that is a constant": put(MASK),
    "a number": lambda own, x: own.__setitem__((0, 1), 7),
    "one row for all": lambda own, x: own.__setitem__(..., x[1]),
    "where another array says": lambda own, x: own.__setitem__(np.argsort(x[0]), x),
    "a number of another type": lambda own, x: (lambda n: (n.__setitem__(0, x[0] * 10), n)[1])(
        (own * 10).astype(int)
    ),
    "out of a ufunc": lambda own, x: np.add(x, x, out=own),
    "out of a reduction": lambda own, x: np.maximum.reduce(x, axis=1, out=np.zeros_like(x, shape=(3,))),
    "into zeros like another": into_zeros,
    "a copy": lambda own, x: (lambda c: (c.__setitem__(0, 0.0), c)[1])(x.copy()),
}


@pytest.mark.parametrize("case", WRITES)
def test_what_one_made_may_be_written_to(case: str) -> None:
    assert_agrees(written(WRITES[case]), numbers(3, 3))


VIEWS: dict[str, Function] = {  # of a (3, 3)
    "a row": lambda a: a[0],
    "a slice": lambda a: a[1:, ::2],
    "with a new axis": lambda a: a[None],
    "all of it": lambda a: a[...],
    "a view of a view": lambda a: a[1:].mT[0],
    ".mT": lambda a: a.mT,
    ".T": lambda a: a.T,
    ".reshape": lambda a: a.reshape(-1),
    ".ravel": lambda a: a.ravel(),
    ".transpose": lambda a: a.transpose(),
    ".swapaxes": lambda a: a.swapaxes(0, 1),
    ".squeeze": lambda a: a[None].squeeze(),
    ".real": lambda a: a.real,
    ".astype without a copy": lambda a: a.astype(a.dtype, copy=False),
    "np.reshape": lambda a: np.reshape(a, -1),
    "np.ravel": lambda a: np.ravel(a),
    "np.transpose": lambda a: np.transpose(a),
    "np.permute_dims": lambda a: np.permute_dims(a, (1, 0)),
    "np.matrix_transpose": lambda a: np.matrix_transpose(a),
    "np.linalg.matrix_transpose": lambda a: np.linalg.matrix_transpose(a),
    "np.swapaxes": lambda a: np.swapaxes(a, 0, 1),
    "np.moveaxis": lambda a: np.moveaxis(a, 0, 1),
    "np.rollaxis": lambda a: np.rollaxis(a, 1),
    "np.expand_dims": lambda a: np.expand_dims(a, 0),
    "np.squeeze": lambda a: np.squeeze(a[None]),
    "np.atleast_3d": lambda a: np.atleast_3d(a),
    "np.real": lambda a: np.real(a),
    "np.flip": lambda a: np.flip(a, 0),
    "np.fliplr": lambda a: np.fliplr(a),
    "np.flipud": lambda a: np.flipud(a),
    "np.rot90": lambda a: np.rot90(a),
    "np.split": lambda a: np.split(a, 3)[1],
    "np.array_split": lambda a: np.array_split(a, 2)[1],
    "np.hsplit": lambda a: np.hsplit(a, 3)[1],
    "np.vsplit": lambda a: np.vsplit(a, 3)[1],
    "np.dsplit": lambda a: np.dsplit(a[None], 3)[1],
    "np.unstack": lambda a: np.unstack(a)[1],
    "np.broadcast_arrays": lambda a: np.broadcast_arrays(a * 1.0, a)[1],
    "np.einsum of one": lambda a: np.einsum("ij->ji", a),
    "np.astype without a copy": lambda a: np.astype(a, a.dtype, copy=False),
    "np.nan_to_num without a copy": lambda a: np.nan_to_num(a, copy=False),
}
READ_ONLY: dict[str, Function] = {
    "np.broadcast_to": lambda a: np.broadcast_to(a, (2, 3, 3)),
    "np.diagonal": lambda a: np.diagonal(a),
    "np.diag": lambda a: np.diag(a),
    "np.linalg.diagonal": lambda a: np.linalg.diagonal(a),
}


@pytest.mark.parametrize("view", VIEWS | READ_ONLY)
def test_a_view_read_after_its_array_was_written_has_numpys_values_or_none(view: str) -> None:
    def form(x: Any) -> Any:
        own = x + 0.0
        seen = (VIEWS | READ_ONLY)[view](own)
        own[...] = 9.0
        return seen + 0.0

    assert np.all(plain(form, numbers(3, 3)) == 9.0), "not a view in NumPy"
    assert_agrees_or_is_refused(form, numbers(3, 3))


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_written_through_a_view_reaches_the_array_or_is_refused(view: str) -> None:
    def form(x: Any) -> Any:
        own = x + 0.0
        VIEWS[view](own)[...] = 9.0
        return own

    assert np.any(plain(form, numbers(3, 3)) == 9.0), "not a view in NumPy"
    assert_agrees_or_is_refused(form, numbers(3, 3))


def lines(f: Function) -> set[int]:
    """The lines of this file that a function, and those inside it, are made of."""
    waiting, found = [f.__code__], set()
    while waiting:
        code = waiting.pop()
        found |= {line for _, _, line in code.co_lines() if line}
        waiting += [c for c in code.co_consts if hasattr(c, "co_lines")]
    return found


def assert_refused(f: Function, what: str, *arrays: Any) -> None:
    with pytest.raises(CannotCompile) as caught:
        compiled(f, *arrays)
    message = str(caught.value)
    assert what in message
    assert any(message.endswith(f" at test_traced.py:{line}") for line in lines(f)), message


def stale(view: Function) -> Function:
    def form(x: Any) -> Any:
        own = x + 0.0
        seen = view(own)
        own[0] = 1.0
        return seen + 1.0

    return form


def through(view: Function) -> Function:
    def form(x: Any) -> Any:
        own = x + 0.0
        view(own)[...] = 1.0
        return own

    return form


def add_to(x: Any) -> Any:
    x += 1.0
    return x


def zeros_filled(x: Any) -> Any:
    table = np.zeros((3, 3))
    table[...] = x
    return table


def zeros_filled_one_by_one(x: Any) -> Any:
    table = np.zeros(3)
    table[0] = x[0, 0]
    return table


def zeros_added_to(x: Any) -> Any:
    table = np.zeros((3, 3))
    table += x
    return table


REFUSED: dict[str, tuple[Function, str]] = {  # of x (3, 3)
    "if": (lambda x: x if x[0, 0] > 0 else -x, "branches"),
    "while": (lambda x: [x for _ in iter(lambda: bool((x > 0).any()), False)], "branches"),
    "and": (lambda x: (x > 0).all() and x, "branches"),
    "float": (lambda x: x * float(x[0, 0]), "float()"),
    "int": (lambda x: x * int(x[0, 0]), "int()"),
    "item": (lambda x: x * x[0, 0].item(), ".item()"),
    "tolist": (lambda x: x.tolist(), ".tolist()"),
    "a loop over it": (lambda x: sum(row for row in x), "a loop over it"),
    "unpacking": (lambda x: (lambda a, b, c: a)(*x), "a loop over it"),
    "as a number of times": (lambda x: [x for _ in range(x[0, 0].astype(int))], "int()"),
    "np.asarray": (lambda x: np.asarray(x) * 2, "np.asarray"),
    "np.array of several": (lambda x: np.array([x[0], x[1]]), "np.asarray"),
    "writing to what was handed in": (lambda x: x.__setitem__(0, 1.0), "handed in"),
    "adding to what was handed in": (add_to, "handed in"),
    "out into what was handed in": (lambda x: np.exp(x, out=x), "handed in"),
    "writing through a slice": (through(lambda a: a[1:]), "through a view"),
    "writing through reshape": (through(lambda a: a.reshape(-1)), "through a view"),
    "writing through mT": (through(lambda a: a.mT), "through a view"),
    "a slice after a write": (stale(lambda a: a[1:]), "a view is used after its array was written"),
    "a reshape after a write": (stale(lambda a: a.reshape(-1)), "a view is used after its array was written"),
    "mT after a write": (stale(lambda a: a.mT), "a view is used after its array was written"),
    "np.put": (lambda x: np.put(x + 0.0, [0], [1.0]), "put"),
    "np.fill_diagonal": (lambda x: np.fill_diagonal(x + 0.0, 1.0), "fill_diagonal"),
    "np.put_along_axis": (
        lambda x: np.put_along_axis(x + 0.0, np.zeros((3, 1), int), 1.0, axis=1),
        "put_along_axis",
    ),
    "np.copyto": (lambda x: np.copyto(x + 0.0, 1.0), "np.copyto"),
    "np.add.at": (lambda x: np.add.at(x + 0.0, 0, 1.0), "np.add.at"),
    "np.add.outer": (lambda x: np.add.outer(x, x), "np.add.outer"),
    "where= of a ufunc": (lambda x: np.add(x, 1.0, where=x > 0, out=x * 0.0), "np.add"),
    "out= of what is no ufunc": (
        lambda x: np.concatenate([x, x], out=np.zeros_like(x, shape=(6, 3))),
        "np.concatenate",
    ),
    ".flat": (lambda x: x.flat, ".flat"),
    ".sort": (lambda x: (x + 0.0).sort(), ".sort"),
    ".fill": (lambda x: (x + 0.0).fill(1.0), ".fill"),
    "out= into plain zeros": (lambda x: np.add(x, 1.0, out=np.zeros((3, 3))), "np.zeros"),
    "adding to plain zeros": (zeros_added_to, "np.zeros"),
    "plain zeros filled": (zeros_filled, "np.zeros"),
    "plain zeros filled one by one": (zeros_filled_one_by_one, "np.zeros"),
    "a mask that was computed": (lambda x: x[x > 0], "oolean"),
    "a mask that was computed, written by": (lambda x: (x + 0.0).__setitem__(x > 0, x[0]), "oolean"),
    "a size that was computed": (lambda x: np.nonzero(x > 0), "np.nonzero"),
    "an argument that NumPy alone knows": (lambda x: np.clip(x, a_min=0.0, a_max=1.0), "clip"),
    "a method with out=": (lambda x: x.sum(axis=0, out=np.zeros_like(x[0])), "np.sum"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compiled_is_refused_by_name_and_line(case: str) -> None:
    assert_refused(*REFUSED[case], numbers(3, 3))


def integers_added_to(x: Any) -> Any:
    own = (x * 10).astype(int)
    own += x
    return own


def last_row_written(x: Any) -> Any:
    own = x + 0.0
    own[3] = 1.0
    return own


WRONG: dict[str, Function] = {  # of x (3, 3)
    "a product of 1 and 3": lambda x: x[:, :1] @ x,
    "a product of 2 and 3": lambda x: x[:, :2] @ x,
    "a product of 3 and 2": lambda x: x @ x[:2],
    "a product of many": lambda x: np.tile(x, 2) @ np.tile(x.T, 3).T,
    "an einsum": lambda x: np.einsum("ij,jk->ik", x[:, :2], x),
    "a sum": lambda x: x + np.ones(2),
    "a shape": lambda x: x.reshape(2, 4),
    "an index": lambda x: x[3],
    "an index of columns": lambda x: x[..., -4],
    "indices": lambda x: x[np.array([0, 3])],
    "an index to write to": last_row_written,
    "integers from fractions": integers_added_to,
    "minus of a truth": lambda x: -(x > 0),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_in_numpy_is_not_quietly_right_compiled(case: str) -> None:
    with pytest.raises((ValueError, IndexError, TypeError)):
        plain(WRONG[case], numbers(3, 3))
    assert_refused(WRONG[case], "", numbers(3, 3))


def settling(n: int) -> Function:
    """Mean-field relaxation, a throw-away example: s ← s + r (tanh(s W) − s), towards a fixed point."""
    return lambda s, w: repeat(n, lambda i, s: s + 0.2 * (np.tanh(s @ w) - s), s)


def a_network() -> tuple[Any, Any]:
    """A state (4 patterns of 6 units) and symmetric weights with spectral norm 1.5."""
    w = numbers(6, 6, seed=3)
    w = w + w.T
    return numbers(4, 6, seed=4), 1.5 * w / np.linalg.norm(w, 2)


def test_a_thousand_steps_are_the_same_in_all_three_readings() -> None:
    s, w = a_network()
    expected = plain(settling(1000), s, w)
    np.testing.assert_allclose(expected, np.tanh(expected @ w), atol=1e-12)  # it settled
    assert np.abs(expected).max() > 0.1, "not at the trivial fixed point"
    assert_same(compiled(settling(1000), s, w), expected)
    np.testing.assert_array_equal(counted(settling(1000))[0], expected)


def counted(f: Function) -> tuple[Any, Ledger]:
    ledger = Ledger()
    return f(*(Tracked(a, ledger) for a in a_network())).values, ledger


@pytest.mark.parametrize("n", [2, 10, 1000])
def test_counted_a_loop_is_its_body_times_n(n: int) -> None:
    (_, one), (_, many) = counted(settling(1)), counted(settling(n))
    assert one.work > 0
    assert many.flops == {kind: n * flops for kind, flops in one.flops.items()}
    for name in ("work", "multiply_adds", "bytes_read", "bytes_written", "span", "log_span"):
        assert getattr(many, name) == n * getattr(one, name)


def test_a_thousand_steps_are_not_a_thousand_copies() -> None:
    def equations(n: int) -> int:
        with reading():
            return str(jax.make_jaxpr(traced(settling(n)))(*a_network())).count(" = ")

    assert equations(1000) == equations(10) > 3


@pytest.mark.parametrize("n", [0, 1, 2, 7])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_index_counts_from_zero_and_keeps_the_precision(n: int, dtype: str) -> None:
    def form(x: Any) -> Any:
        return repeat(n, lambda i, s: s * 0.9**i + i * x[i] + x[-1 - i] / (i + 1), x[0])

    assert_agrees(form, numbers(7, 3, dtype=dtype))


class Carried(NamedTuple):
    first: Any
    second: Any


def nested(x: Any) -> Any:
    def outer(i: Any, s: Any) -> Any:
        return repeat(3, lambda j, s: np.tanh(s @ x) + 0.1 * i * s + j, s)

    return repeat(4, outer, x)


def nested_with_writes(x: Any) -> Any:
    def outer(i: Any, s: Any) -> Any:
        def inner(j: Any, pair: Any) -> Any:
            scratch, s = pair
            scratch[j] = s[i]
            return scratch, s + 0.1 * scratch[j]

        return repeat(3, inner, (s * 2.0, s))[1]

    return repeat(3, outer, x)


def unit_by_unit(x: Any) -> Any:
    """Gauss-Seidel: every unit sees the new activity of those before it."""

    def unit(i: Any, s: Any) -> Any:
        s[..., i] = np.tanh((s @ x)[..., i])
        return s

    return repeat(5, lambda _, s: repeat(3, unit, s * 1.0), x)


def in_place_in_the_body(x: Any) -> Any:
    def body(i: Any, s: Any) -> Any:
        s *= 0.5
        s[0] = s[0] + i
        s += x
        return s

    return repeat(4, body, x + 0.0)


def written_after(x: Any) -> Any:
    last = repeat(3, lambda i, s: s + x, x)
    last[0] = 5.0
    last += 1.0
    return last


def of_constants(x: Any) -> Any:
    def body(i: Any, found: Any) -> Any:
        found[i] = x[i].sum()
        return found

    return repeat(3, body, np.zeros(3))


def driven(drive: Any, w: Any) -> Any:
    return repeat(5, lambda i, s: s + 0.2 * (np.tanh(s @ w + drive) - s), drive)


def recorded(drive: Any, w: Any) -> Any:
    def body(i: Any, now: Any) -> Any:
        seen, s = now
        seen[i] = s
        return seen, s + 0.2 * (np.tanh(s @ w + drive) - s)

    return repeat(5, body, (np.zeros_like(drive, shape=(5, 3, 3)), drive))


def backwards(i: Any, c: Any) -> Any:
    return {"b": c["b"] * 2.0, "a": c["a"] + c["b"]}


LOOPS: dict[str, Function] = {  # of x (3, 3)
    "nested": nested,
    "nested with writes": nested_with_writes,
    "units one by one, in place": unit_by_unit,
    "in place in the body": in_place_in_the_body,
    "what came out is one's own": written_after,
    "a tuple": lambda x: repeat(3, lambda i, c: (c[1] + i, c[0] @ x), (x, x * 2.0)),
    "a named tuple": lambda x: tuple(
        repeat(3, lambda i, c: Carried(c.second, c.first + c.second), Carried(x, x * 2.0))
    ),
    "a dict": lambda x: repeat(
        3, lambda i, c: {"a": c["a"] + c["b"], "b": c["b"] * 0.5}, {"a": x, "b": x * 2.0}
    ),
    "a dict in another order": lambda x: (lambda c: (c["a"], c["b"]))(
        repeat(3, backwards, {"a": x, "b": x * 3.0})
    ),
    "a dict in a tuple": lambda x: repeat(
        2, lambda i, c: ({"w": c[0]["w"] + c[1]}, c[1] * 2.0), ({"w": x}, x)
    ),
    "a 0-d array": lambda x: repeat(3, lambda i, t: t * 2.0 + x[0, 0], x[1, 1]),
    "truths": lambda x: repeat(3, lambda i, seen: seen | (x > i), x > 5),
    "integers": lambda x: repeat(3, lambda i, n: n + i + (x > 0), (x * 10).astype(int)),
    "constants for arrays": lambda x: repeat(3, lambda i, s: np.where(s > 0, 1.0, -1.0), x),
    "a plain array that is filled": of_constants,
    "random numbers drawn before": lambda x: repeat(3, lambda i, s: s + x[i], np.zeros_like(x)),
    "a start that is a drive": lambda x: driven(x * 2.0, x),
    "a start that is a drive, and what came of it": lambda x: recorded(x * 2.0, x),
    "the same array again": lambda x: repeat(3, lambda i, s: s, x),
    "a NumPy number of times": lambda x: repeat(np.int64(3), lambda i, s: s + i, x),
}


@pytest.mark.parametrize("case", LOOPS)
def test_a_compiled_loop_is_the_plain_loop(case: str) -> None:
    assert_agrees(LOOPS[case], numbers(3, 3))


def row_doubled(i: Any, a: Any) -> Any:
    a[0] = a[0] * 2.0
    return a


def its_view_after(x: Any) -> Any:
    own = x + 0.0
    seen = own[0]
    return repeat(3, row_doubled, own) + seen


def its_view_in_the_body(x: Any) -> Any:
    own = x + 0.0
    seen = own[0]

    def body(i: Any, a: Any) -> Any:
        a[0] = seen * 2.0
        return a

    return repeat(3, body, own)


def itself_in_the_body(x: Any) -> Any:
    own = x + 0.0

    def body(i: Any, a: Any) -> Any:
        a[0] = own[0] * 2.0
        return a

    return repeat(3, body, own)


def twice(x: Any) -> Any:
    own = x + 0.0

    def body(i: Any, pair: Any) -> Any:
        a, b = pair
        a[0] = b[0] * 2.0
        return a, b

    return repeat(3, body, (own, own))


def with_its_view(x: Any) -> Any:
    own = x + 0.0

    def body(i: Any, pair: Any) -> Any:
        a, b = pair
        a[0] = b * 2.0
        return a, b

    return repeat(3, body, (own, own[0]))


def from_further_out(x: Any) -> Any:
    own = x + 0.0
    return repeat(3, lambda i, s: s + repeat(2, row_doubled, own), x)


def start_used_twice(x: Any) -> Any:
    start = x * 0.5
    free, clamped = (repeat(3, lambda i, s, k=k: np.tanh(s @ x) + k, start) for k in (0.0, 1.0))
    return clamped - free


ALIASES = {
    "its view after the loop": its_view_after,
    "its view in the body": its_view_in_the_body,
    "itself in the body": itself_in_the_body,
    "twice": twice,
    "with its view": with_its_view,
    "from outside the loop around": from_further_out,
    "a start of two loops": start_used_twice,
    "under other names": lambda x: repeat(1, lambda i, c: {"p": c["a"] * 2.0, "q": c["b"]}, {"a": x, "b": x}),
}


@pytest.mark.parametrize("case", ALIASES)
def test_a_carried_array_under_another_name_has_numpys_values_or_none(case: str) -> None:
    """The body may write to what it carries: whoever else holds that array must see it, or be refused."""
    assert_agrees_or_is_refused(ALIASES[case], numbers(3, 3))


def after_the_loop(x: Any) -> Any:
    own = x + 0.0
    last = repeat(3, row_doubled, own)
    return last + own


def written_after_the_loop(x: Any) -> Any:
    own = x + 0.0
    last = repeat(3, row_doubled, own)
    own[0] = 1.0
    return last


def outer_written(x: Any) -> Any:
    own = x + 0.0

    def body(i: Any, s: Any) -> Any:
        own[0] = 1.0
        return s + 1.0

    return repeat(3, body, x)


def outer_added_to(x: Any) -> Any:
    own = x + 0.0

    def body(i: Any, s: Any) -> Any:
        nonlocal own
        own += s
        return s + 1.0

    return repeat(3, body, x)


def outer_of_the_inner(x: Any) -> Any:
    def body(i: Any, s: Any) -> Any:
        own = s * 2.0

        def inner(j: Any, t: Any) -> Any:
            own[0] = 1.0
            return t + own

        return repeat(2, inner, s)

    return repeat(3, body, x)


def handed_in_added_to(x: Any) -> Any:
    def body(i: Any, s: Any) -> Any:
        s += 1.0
        return s

    return repeat(3, body, x)


def drawn_inside(x: Any) -> Any:
    rand = TracedRand(np.zeros((3, 9)), np.zeros((3, 9)), "float64")
    return repeat(3, lambda i, s: s + rand.normal(3), x)


def view_in_the_body(x: Any) -> Any:
    def body(i: Any, s: Any) -> Any:
        seen = s[0]
        s[0] = 1.0
        return s + seen

    return repeat(3, body, x + 0.0)


NO_LOOPS: dict[str, tuple[Function, str]] = {
    "what was carried, after": (after_the_loop, "after a loop took it over"),
    "what was carried, written after": (written_after_the_loop, "after a loop took it over"),
    "an outer array written": (outer_written, "from outside is written in a loop"),
    "an outer array added to": (outer_added_to, "from outside is written in a loop"),
    "an outer loop's array written": (outer_of_the_inner, "from outside is written in a loop"),
    "what was handed in added to": (handed_in_added_to, "handed in"),
    "a view after a write": (view_in_the_body, "a view is used after its array was written"),
    "random numbers": (drawn_inside, "random numbers are drawn in a loop"),
    "another shape": (
        lambda x: repeat(3, lambda i, s: np.concatenate([s, s]), x),
        "float64(3, 3), but its body returned float64(6, 3)",
    ),
    "another type": (
        lambda x: repeat(3, lambda i, s: s > 0, x),
        "float64(3, 3), but its body returned bool(3, 3)",
    ),
    "fewer arrays": (lambda x: repeat(3, lambda i, c: (c[0],), (x, x)), "a loop carries 2 arrays"),
    "more arrays": (lambda x: repeat(3, lambda i, c: (c, c), x), "a loop carries 1 arrays"),
    "a branch on the index": (lambda x: repeat(3, lambda i, s: s if i == 0 else s + 1.0, x), "branches"),
    "the index as a number": (lambda x: repeat(3, lambda i, s: s + sum(range(i)), x), "int()"),
}


@pytest.mark.parametrize("case", NO_LOOPS)
def test_a_loop_that_cannot_be_compiled_is_refused_by_name_and_line(case: str) -> None:
    assert_refused(*NO_LOOPS[case], numbers(3, 3))


def test_a_plain_loop_after_a_refused_one_is_plain_again() -> None:
    """Whatever happened while somebody read the source, nothing of it stays behind."""
    for _, (f, _) in NO_LOOPS.items():
        with pytest.raises(CannotCompile):
            compiled(f, numbers(3, 3))
    assert type(repeat(2, lambda i, s: s + i, np.zeros(3))) is np.ndarray
    assert_agrees(LOOPS["nested with writes"], numbers(3, 3))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_random_numbers_are_handed_out_in_the_order_of_rand(dtype: str) -> None:
    from harness.core.rand import NOISE, NORMAL, UNIFORM, Rand

    def draw(rand: Any) -> Any:
        return (
            rand.uniform(2, 3),
            rand.normal(4),
            rand.permutation(5),
            rand.zeros(2),
            rand.normal(1, 2),
            rand.uniform(1),
        )

    ahead, rand = Rand(7, range(3), NOISE, dtype), Rand(7, range(3), NOISE, dtype)
    uniform, normal = ahead.block(UNIFORM, 12), ahead.block(NORMAL, 6)
    dry = TracedRand(np.zeros((3, 0)), np.zeros((3, 0)), dtype)
    with reading():
        got = tree_map(
            np.asarray, values(draw(TracedRand(*map(jax.numpy.asarray, (uniform, normal)), dtype)))
        )
        assert [a.shape for a in draw(dry)] == [a.shape for a in got]
    assert dry.taken == {"uniform": 12, "normal": 6}
    for a, b in zip(got, draw(rand), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
