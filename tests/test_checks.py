"""Arguments that NumPy would misread or a rule forbids are refused; all others are read as NumPy reads them."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import deltarule as dr
from deltarule.checks import as_numbers, require_choice, require_count, require_number
from deltarule.errors import ConfigurationError, DataError, DeltaruleError, ModelFileError, ShapeError, pluralized
from engines import on


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), np.asarray(2)])
def test_a_number_comes_back_as_a_float(value):
    found = require_number("eta", value, above=0)
    assert type(found) is float
    assert found == 2


@pytest.mark.parametrize("value", ["2", None, True, float("nan"), float("inf"), -float("inf"), 2j, [2], np.ones(2)])
def test_a_value_that_is_not_a_number(value):
    with pytest.raises(ConfigurationError, match=r"eta must .* is "):
        require_number("eta", value)


@pytest.mark.parametrize(
    ("value", "limits", "rule"),
    [
        (0, {"above": 0}, "a finite number above 0, and is 0"),
        (-1e-9, {"least": 0}, "at least 0, and is -1e-09"),
        (1, {"least": 0, "below": 1}, "at least 0 and below 1, and is 1"),
    ],
)
def test_outside_the_range(value, limits, rule):
    with pytest.raises(ConfigurationError, match=f"mu must .*{rule}"):
        require_number("mu", value, **limits)


def test_the_ends_of_the_range():
    assert require_number("mu", 0, least=0, below=1) == 0
    assert require_number("mu", np.nextafter(1, 0), least=0, below=1) < 1
    assert require_number("eta", 5e-324, above=0) > 0


def test_a_number_of_jax():
    jnp = pytest.importorskip("jax.numpy")
    found = require_number("eta", jnp.asarray(2.0), above=0)
    assert type(found) is float
    assert found == 2
    with pytest.raises(ConfigurationError, match="eta must be a finite number"):
        require_number("eta", jnp.ones(2))


def test_a_traced_value_passes():
    jax = pytest.importorskip("jax")
    assert jax.jit(lambda eta: require_number("eta", eta, above=0))(-1.0) == -1


@pytest.mark.parametrize("value", [3, np.int32(3), np.uint8(3)])
def test_a_count_comes_back_as_an_int(value):
    found = require_count("epochs", value)
    assert type(found) is int
    assert found == 3


@pytest.mark.parametrize("value", [0, -1, 1.0, 1.5, "1", None, True])
def test_a_value_that_is_not_a_count(value):
    with pytest.raises(ConfigurationError, match=r"epochs .*at least 1, and is "):
        require_count("epochs", value)


def test_a_choice():
    assert require_choice("monitor", "cost", ("cost", "accuracy")) == "cost"
    with pytest.raises(ConfigurationError, match=r"monitor .*is 'loss'"):
        require_choice("monitor", "loss", ("cost", "accuracy"))


@pytest.mark.parametrize("kind", [ConfigurationError, ShapeError, DataError, ModelFileError])
def test_every_error_is_a_value_error_too(kind):
    assert issubclass(kind, DeltaruleError)
    assert issubclass(kind, ValueError)


X = np.random.default_rng(0).uniform(-1, 1, (12, 3)).astype("float32")
Y = (X[:, :1] > 0).astype(float)
NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])
PARAMS = NET.init(0, (3,))
SGD = dr.GradientDescent(eta=0.1, batch_size=5)
F32 = np.dtype("float32")


def read_only(a):
    a = a.copy()
    a.setflags(write=False)
    return a


def on_jax(a):
    return pytest.importorskip("jax.numpy").asarray(a)


def strided(a):
    wide = np.zeros((2 * len(a), 2 * a.shape[1]), a.dtype)
    wide[::2, ::2] = a
    return wide[::2, ::2]


KINDS = {
    "Fortran order": np.asfortranarray,
    "read-only": read_only,
    "not contiguous": strided,
    "reversed": lambda a: a[::-1].copy()[::-1],
    "float64": lambda a: a.astype(float),
    "longdouble": lambda a: a.astype(np.longdouble),
    "big-endian": lambda a: a.astype(">f4"),
    "object": lambda a: a.astype(object),
    "list": lambda a: a.tolist(),
    "jax": on_jax,
    "data frame": pd.DataFrame,
    "nullable columns": lambda a: pd.DataFrame(a).convert_dtypes(),
    "masked, nothing missing": np.ma.array,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_numbers_train_the_same_network(kind, engine):
    given, params = KINDS[kind], on(engine, PARAMS)
    whole = dr.train(NET, X, Y, trainer=SGD, epochs=2, engine=engine)
    result = dr.train(NET, given(X), given(Y.astype("float32")), trainer=SGD, epochs=2, engine=engine)
    np.testing.assert_array_equal(result.params[0]["W"], whole.params[0]["W"])
    np.testing.assert_array_equal(NET(params, given(X)), NET(params, X))


def test_complex_numbers_of_jax_are_refused():
    jnp = pytest.importorskip("jax.numpy")
    with pytest.raises(DataError, match="X holds complex numbers"):
        as_numbers("X", jnp.asarray(X) + 1j, F32)


@pytest.mark.parametrize("kind", ["float16", "int8", "uint64", "bool"])
def test_narrow_and_whole_types_are_read_by_value(kind):
    values = (np.abs(X) * 3).astype(kind)
    np.testing.assert_array_equal(as_numbers("X", values, F32), values.astype("float64").astype("float32"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (scipy.sparse.csr_matrix(X), r"X is .*\(12, 3\).*X.toarray\(\)"),
        (scipy.sparse.csr_array(X), "X is a sparse matrix"),
        (X + 1j, "X holds complex numbers"),
        ((X + 1j).astype(object), "complex numbers"),
        (np.zeros((12, 3), "M8[s]"), "X holds dates"),
        (np.zeros((12, 3), "m8[s]"), "X holds time spans"),
        (np.zeros(12, [("a", float), ("b", float)]), "X holds records of several fields"),
        ([["a"]], "X cannot be read as numbers"),
        ([[10**400]], "X cannot be read as numbers"),
        ([[1], [1, 2]], "X cannot be read as numbers"),
        ({"a": 1}, "X cannot be read as numbers"),
    ],
)
def test_arrays_that_are_refused(values, words):
    with pytest.raises(DataError, match=words):
        as_numbers("X", values, F32)
    with pytest.raises(DeltaruleError):
        NET(PARAMS, values)


@pytest.mark.parametrize(
    "gap",
    [
        lambda: pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [1.0, 2.0]}),
        lambda: [[1, None]],
        lambda: np.ma.array([[1.0, 2.0]], mask=[[False, True]]),
        lambda: np.array([[1, pd.NA]], object),
    ],
)
def test_a_missing_value_is_a_nan(gap):
    assert np.isnan(as_numbers("X", gap(), F32)).sum() == 1


def test_whole_numbers_of_nullable_columns_name_classes():
    classes = as_numbers("Y", pd.Series([0, 2, 1], dtype="Int64"))
    assert classes.dtype.kind == "i"
    assert as_numbers("Y", pd.Series([0, None, 1], dtype="Int64")).dtype.kind == "f"


VALIDATION = [(X,), (X, Y, None, None), X, 5, {"X": X}]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        *[({"validation_data": v}, r"validation_data is a .*: give \(Xv, Yv\)") for v in VALIDATION],
        ({"trainer": "sgd"}, "trainer is 'sgd'"),
        ({"trainer": dr.GradientDescent}, "which is not a trainer"),
        ({"stopping": None}, "stopping is None"),
        ({"callbacks": print}, "callbacks is "),
        ({"callbacks": [3]}, "give a list of functions"),
        ({"record": 5}, "record is 5"),
        ({"epochs": 2**31}, "epochs must be at most 2147483647"),
        ({"params": "abc"}, "parameters hold str"),
        ({"params": [{"W": [[1.0]], "b": [1.0]}]}, "parameters hold float"),
        ({"seed": np.array([3, 4, 5])}, "seed must be a whole number"),
        ({"seed": np.array(0.5)}, "seed must be a whole number"),
    ],
)
def test_arguments_of_another_kind(changed, words):
    with pytest.raises(ConfigurationError, match=words):
        dr.train(NET, X, Y, **({"trainer": SGD, "epochs": 1} | changed))


def test_a_network_of_another_kind():
    with pytest.raises(ConfigurationError, match="net is None"):
        dr.train(None, X, Y, trainer=SGD, epochs=1)  # pyright: ignore[reportArgumentType]


def test_shapes_of_another_kind():
    with pytest.raises(ShapeError, match=r"X has shape \(12,\)"):
        dr.train(NET, X[:, 0], Y, trainer=SGD, epochs=1)
    with pytest.raises(DataError, match="X has no columns"):
        dr.train(NET, X[:, :0], Y, trainer=SGD, epochs=1)
    for shape in (3, None, (-3,), (3.5,), "abc", (0,)):
        with pytest.raises(ShapeError, match="input_shape is"):
            NET.init(0, shape)


@pytest.mark.parametrize("x", ["abc", ["a", "b", "c"], scipy.sparse.csr_matrix(X[:1]), None])
def test_a_trace_of_something_else_than_an_example(x):
    with pytest.raises(DeltaruleError):
        NET.trace(PARAMS, x, [1.0])
    with pytest.raises(DeltaruleError):
        NET.trace(PARAMS, X[0], "abc")


def test_seeds_that_are_scalars_of_arrays_are_seeds():
    for seed in (np.asarray(7), np.uint8(7)):
        np.testing.assert_array_equal(NET.init(seed, (3,))[0]["W"], NET.init(7, (3,))[0]["W"])


def test_one_has_no_ending():
    assert [pluralized(n, "starting point") for n in (0, 1, 2, 1000)] == [
        "0 starting points",
        "1 starting point",
        "2 starting points",
        "1,000 starting points",
    ]
