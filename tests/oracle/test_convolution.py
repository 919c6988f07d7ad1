"""Convolution and pooling against automatic differentiation of XLA's own, in float64, over shapes of hypothesis.

Relative to the largest entry, everything agrees to 1e-12.
"""

from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import deltarule as dr
from deltarule import engine as engines_of
from deltarule import trees
from deltarule.curvature.linearization import gram, linearize
from deltarule.engine import numpy_convolution
from deltarule.network.layers.window import Window
from engines import BOTH, off, on
from oracle import images
from oracle.plain_network import cost_of_output, jax, jnp, mostly_slow

jax_convolution = pytest.importorskip("deltarule.engine.jax_convolution")

pytestmark = pytest.mark.usefixtures("float64")
POOLS = ("MaxPool", "MeanPool", "L2Pool")
PADDINGS = ("valid", "same")
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


def close(found, expected, tolerance=1e-12):
    for one, other in zip(trees.leaves(off(found)), trees.leaves(off(expected)), strict=True):
        assert one.shape == other.shape
        assert np.max(np.abs(one - other), initial=0) <= tolerance * max(1, np.max(np.abs(other), initial=0))


def normal(seed, *shapes):
    draw = np.random.default_rng(seed)
    return [jnp.asarray(draw.normal(size=shape)) for shape in shapes]


def like(seed, params):
    """Normal numbers in the shape of the parameters."""
    return trees.from_leaves(params, normal(seed, *(p.shape for p in trees.leaves(params))))


@st.composite
def geometries(draw):
    """Images, a window that fits them, a stride and a padding."""
    size, stride, padding = draw(pairs), draw(pairs), draw(st.sampled_from(PADDINGS))
    image = [draw(st.integers(n if padding == "valid" else 1, n + 4)) for n in size]
    return (draw(st.integers(1, 3)), *image, draw(st.integers(1, 3))), size, stride, padding


@partial(jax.jit, static_argnums=(0, 1, 2))
def every_form(window, H, width, W, a, delta):
    """z, dC/da and dW of JAX by the platform, by patches, and what else there is."""
    return (
        jax_convolution._correlate(W, a, window),
        jax_convolution._transposed(W, delta, window, H, width),
        jax_convolution._kernel_gradient(delta, a, window),
        jax_convolution.correlate_patches(W, a, window),
        jax_convolution.transposed_by_patches(W, delta, window, H, width),
        jax_convolution.kernel_gradient_patches(delta, a, window),
        jax_convolution.transposed_by_rows(W, delta, window, H, width),
        jax_convolution.correlate_bands(W, a, window),
        jax_convolution.kernel_gradient_bands(delta, a, window),
    )


@given(geometries(), st.integers(1, 3))
@example(((2, 9, 7, 2), (3, 2), (2, 3), "valid"), 3)
@example(((2, 5, 6, 3), (2, 3), (2, 2), "same"), 3)
@example(((2, 6, 11, 1), (3, 3), (1, 1), "same"), 2)  # three tiles, the last of three places
@settings(max_examples=3)
def test_the_three_products_of_a_convolution(geometry, f):
    shape, size, stride, padding = geometry
    window = Window(size, stride, padding)
    a, W, b = normal(0, shape, (f, *size, shape[-1]), (f,))
    z, back = jax.vjp(lambda W, a: images.convolution(W, b, a, stride, padding), W, a)
    (delta,) = normal(1, z.shape)
    dW, da = back(delta)
    z = z - b
    expected = [z, da, dW, z, da, dW, da, z, dW]
    found = every_form(window, shape[1], shape[2], W, a, delta)
    for one, other in zip(found, expected, strict=True):
        close(one, other)
    W, a, delta = map(np.asarray, (W, a, delta))
    close(numpy_convolution.correlate(W, a, window), z)
    close(numpy_convolution.correlate_transposed(W, delta, window, shape[1], shape[2]), da)
    close(numpy_convolution.kernel_gradient(delta, a, window), dW)


@given(geometries(), st.sampled_from(POOLS), st.booleans())
@example(((2, 4, 4, 2), (2, 2), (2, 2), "valid"), "MaxPool", True)
@example(((2, 7, 5, 1), (3, 2), (3, 2), "valid"), "MeanPool", False)
@settings(max_examples=3)
def test_pooling_ties_included(geometry, kind, tied):
    shape, size, stride, padding = geometry
    (a,) = normal(2, shape)
    # Of whole numbers from 1 to 3 most windows have a tie; the first of equals wins, here as in XLA.
    a = jnp.asarray(np.random.default_rng(3).integers(1, 4, shape), float) if tied else a
    layer = getattr(dr, kind)(size, stride, padding)
    (delta,) = normal(4, (shape[0], *layer.output_shape(shape[1:])))

    @jax.jit
    def pooled(a, delta):
        found, back = jax.vjp(lambda a: images.pool(kind, a, size, stride, padding), a)
        return found, back(delta)[0]

    def there_and_back(a, delta):
        values = layer.forward({}, a)
        return values.a, layer.propagate(values, delta)

    expected = pooled(a, delta)
    for engine in BOTH:
        close(engines_of.get(engine).call(there_and_back, *on(engine, (a, delta))), expected)


STACKS = {
    "lenet": (
        ("Convolution", "relu", (1, 1), "valid"), ("MaxPool", (2, 2), (2, 2), "valid"),
        ("Convolution", "tanh", (2, 1), "same"), ("MeanPool", (2, 2), (1, 1), "same"), ("Dense", "softmax"),
    ),
    "norms": (
        ("Convolution", "sigmoid", (1, 2), "same"), ("L2Pool", (2, 2), (1, 2), "valid"),
        ("Convolution", "softplus", (1, 1), "valid"), ("Dense", "tanh"), ("Dense", "linear"),
    ),
}  # fmt: skip
OWN = {
    "lenet": [
        dr.Convolution(2, 3, "relu"), dr.MaxPool(2), dr.Convolution(3, 2, "tanh", (2, 1), "same"),
        dr.MeanPool(2, 1, "same"), dr.Flatten(), dr.Dense(3, "softmax"),
    ],
    "norms": [
        dr.Reshape((6, 7, 2)), dr.Convolution(2, 3, "sigmoid", (1, 2), "same"), dr.L2Pool(2, (1, 2)),
        dr.Convolution(2, 2, "softplus"), dr.Flatten(), dr.Dense(4, "tanh"), dr.Dense(3, "linear"),
    ],
}  # fmt: skip


@pytest.fixture(params=["lenet", "norms"], scope="module")
def problem(request):
    """A network with its parameters and examples, and its mean cost as a function stated by XLA's primitives."""
    with jax.enable_x64(True):
        name = request.param
        cost = "log-likelihood" if name == "lenet" else "quadratic"
        net = dr.Network(OWN[name], cost)
        x, y = normal(5, (3, 6, 7, 2), (3, 3))
        y = jax.nn.softmax(y)
        params = net.init(1, x.shape[1:], "float64")
        params = trees.add(params, on("numpy", like(6, params)), 0.1)

        def plain_outputs(params):
            kept = [p for p, layer in zip(params, net.layers, strict=True) if layer.label[:4] not in ("Flat", "Resh")]
            return images.outputs(STACKS[name], kept, x)

        def mean_cost(params):
            return jnp.mean(cost_of_output(jnp, cost, 0.5, plain_outputs(params), y))

        yield net, params, x, y, plain_outputs, mean_cost


def test_the_gradient_of_a_stack(problem):
    net, params, x, y, plain_outputs, mean_cost = problem
    outputs, expected = jax.jit(plain_outputs)(params), jax.jit(jax.value_and_grad(mean_cost))(params)
    for engine in BOTH:
        own = on(engine, params)
        close(net(own, x), outputs)
        close(net.cost_and_gradient(own, x, y), expected)


def test_the_hessian_of_a_stack_times_a_vector(problem):
    from deltarule.curvature.hessian import backward_pass

    net, params, x, y, _, mean_cost = problem
    v = like(7, params)

    def product(params, v, x, y, weight):
        return backward_pass(net, params, x, y, weight).hessian_product(v)

    expected = jax.jit(lambda params, v: jax.jvp(jax.grad(mean_cost), (params,), (v,))[1])(params, v)
    for engine in BOTH:
        given = on(engine, (params, v, x, y, np.full(len(x), 1 / len(x))))
        close(engines_of.get(engine).call(product, *given), expected, 1e-11)


def test_the_jacobian_of_a_stack_in_all_its_forms(problem):
    net, params, x, y, plain_outputs, _ = problem
    v = like(8, params)
    (u,) = normal(9, (3, 3))

    def forms(params, x, y, weight, v, u):
        lin = linearize(net, params, x, y, weight)
        return lin.S, (
            lin.jacobian_transpose(),
            gram(lin, lin)["all"],
            trees.ravel(lin.squared_jacobian()),
            lin.product(v).reshape(-1),
            lin.transpose_product(u),
        )

    @jax.jit
    def explicit(params, S):
        outer = jnp.einsum("mjo,mj...->mo...", S, jnp.eye(3)[None].repeat(3, 0))
        z_jacobian = jax.jacobian(lambda p: _output_z(net, p, plain_outputs))(params)
        rows = jax.tree.map(lambda J: jnp.einsum("moj,mj...->mo...", outer, J).reshape(9, -1), z_jacobian)
        J = jnp.concatenate(jax.tree.leaves(rows), axis=1)
        flat = jnp.concatenate([p.ravel() for p in jax.tree.leaves(v)])
        return J.T, J @ J.T, jnp.sum(J * J, axis=0), J @ flat, trees.unravel(J.T @ u.ravel(), params)

    for engine in BOTH:
        given = on(engine, (params, x, y, np.array([1.0, 0.5, 2.0]), v, u))
        S, found = engines_of.get(engine).call(forms, *given)
        for one, other in zip(found, explicit(params, S), strict=True):
            close(one, other, 1e-11)


def _output_z(net, params, plain_outputs):
    """z^L, from the plain outputs: the softmax is undone, up to a shift that S does not see."""
    a = plain_outputs(params)
    return jnp.log(a) if net.layers[-1].activation == "softmax" else a


def test_the_acceleration_of_the_residuals(problem):
    net, params, x, y, plain_outputs, _ = problem
    v = like(10, params)

    def z_along(t):
        return _output_z(net, jax.tree.map(lambda p, d: p + t * d, params, v), plain_outputs)

    def acceleration(params, x, y, weight, v):
        lin = linearize(net, params, x, y, weight)
        return lin.acceleration(v), lin.S

    bent = jax.jit(lambda: jax.jvp(lambda t: jax.jvp(z_along, (t,), (1.0,))[1], (0.0,), (1.0,))[1])()
    for engine in BOTH:
        found, S = engines_of.get(engine).call(acceleration, *on(engine, (params, x, y, np.ones(3), v)))
        close(found, jnp.einsum("mjo,mj->mo", S, bent), 1e-11)


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_levenberg_marquardt_trains_a_convolution(solver, engine):
    x, y = normal(11, (6, 5, 5, 1), (6, 2))
    net = dr.Network([dr.Convolution(2, 2, "tanh"), dr.MeanPool(2), dr.Flatten(), dr.Dense(2, "linear")])
    found = dr.train(net, x, y, trainer=dr.LevenbergMarquardt(solver=solver), epochs=12, seed=0, engine=engine)
    assert found.history["cost"][-1] < 1e-3 * found.history["cost"][0]


def test_the_rotation_of_the_kernel(engine):
    """dC/da is the full correlation of delta with the kernel turned by 180°, that is, its full convolution."""
    delta, kernel = np.random.default_rng(12).normal(size=(4, 4)), np.random.default_rng(13).normal(size=(2, 3))
    layer = dr.Convolution(1, (2, 3))
    params = on(engine, {"W": kernel[None, ..., None], "b": np.zeros(1)})
    image, error = on(engine, (np.zeros((1, 5, 6, 1)), delta[None, ..., None]))
    values = layer.forward(params, image)
    found = layer.propagate(values, error)[0, ..., 0]
    turned = np.rot90(kernel, 2)
    margin = np.pad(delta, ((1, 1), (2, 2)))
    expected = [[np.sum(margin[i : i + 2, j : j + 3] * turned) for j in range(6)] for i in range(5)]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


KEPT = (0, jax_convolution.PATCH_BYTES)  # patches of a batch that are kept
CHANNELS = (jax_convolution.BANDED, jax_convolution.BANDED + 1)
QUICK = {(PADDINGS[i], KEPT[j], CHANNELS[(i + j) % 2]) for i in (0, 1) for j in (0, 1)}  # each two of them meet


@pytest.mark.parametrize(
    ("padding", "largest", "channels"),  # "valid" takes the rows of the kernel one by one, "same" does not
    mostly_slow(product(PADDINGS, KEPT, CHANNELS), QUICK),
)
def test_in_single_precision_what_is_chosen_is_near(padding, largest, channels, monkeypatch):
    window = Window((5, 5), (1, 1), padding)
    a, W = normal(15, (2, 9, 9, channels), (3, 5, 5, channels))
    (delta,) = normal(16, (2, *window.stops("", (9, 9, channels)), 3))
    exact = every_form(window, 9, 9, W, a, delta)[:3]
    monkeypatch.setattr(jax_convolution, "PATCH_BYTES", largest)

    @jax.jit
    def chosen(W, a, delta):
        return (
            jax_convolution.correlate(W, a, window),
            jax_convolution.correlate_transposed(W, delta, window, 9, 9),
            jax_convolution.kernel_gradient(delta, a, window),
        )

    for one, other in zip(chosen(*(jnp.asarray(array, jnp.float32) for array in (W, a, delta))), exact, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


def test_large_batches_go_in_blocks(monkeypatch):
    """Seven examples as four blocks of two, the last with a row of zeros."""
    window = Window((3, 3), (1, 1), "valid")
    a, W, delta = normal(14, (7, 5, 5, 2), (4, 3, 3, 2), (7, 3, 3, 4))
    whole = every_form(window, 5, 5, W, a, delta)
    monkeypatch.setattr(jax_convolution, "PATCH_BYTES", 2 * 8 * 9 * 18)
    every_form.clear_cache()
    close(every_form(window, 5, 5, W, a, delta), whole)
    every_form.clear_cache()
    W, a, delta = map(np.asarray, (W, a, delta))
    monkeypatch.setattr(numpy_convolution, "PATCH_BYTES", 2 * 8 * 9 * 18)
    close(numpy_convolution.correlate(W, a, window), whole[0])
    close(numpy_convolution.correlate_transposed(W, delta, window, 5, 5), whole[1])
    close(numpy_convolution.kernel_gradient(delta, a, window), whole[2])
