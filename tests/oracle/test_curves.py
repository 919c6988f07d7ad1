"""sigma', sigma'' and the tangents of a layer against forward mode, once and twice; J and J J^T against jacrev."""

import numpy as np
import pytest

from deltarule import engine as engines_of
from deltarule.network.activations import ACTIVATIONS
from deltarule.network.layers import Dense, Pass
from engines import on
from oracle.plain_network import OUTPUTS, jax, jnp, outputs

pytestmark = pytest.mark.usefixtures("float64")


def normal(seed, *shapes):
    draw = np.random.default_rng(seed)
    return [jnp.asarray(draw.normal(size=shape)) for shape in shapes]


def first_and_second_derivative(curve):
    """curve'(0) and curve''(0), by jvp and by jvp of jvp."""

    def velocity(t):
        return jax.jvp(curve, (t,), (1.0,))[1]

    return jax.jvp(velocity, (0.0,), (1.0,))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", OUTPUTS)
def test_activations_along_a_curve(name, engine):
    z, dz, ddz = normal(1, (5, 4), (5, 4), (5, 4))
    activation = ACTIVATIONS[name]
    our_z, our_dz, our_ddz = on(engine, (z, dz, ddz))
    a = activation.sigma(our_z)
    close(a, outputs(name, z))
    da, dda = first_and_second_derivative(lambda t: outputs(name, z + t * dz + t * t / 2 * ddz))
    close(activation.times_slope(our_z, a, our_dz), da)
    close(activation.second_tangent(our_z, a, our_dz, our_ddz), dda)


@pytest.mark.parametrize("name", OUTPUTS)
def test_times_slope_is_the_transpose_too(name, engine):
    z, v = normal(2, (5, 4), (5, 4))
    activation = ACTIVATIONS[name]
    (backwards,) = jax.vjp(lambda z: outputs(name, z), z)[1](v)
    z, v = on(engine, (z, v))
    close(activation.times_slope(z, activation.sigma(z), v), backwards)


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_tangents_of_dense(name, engine):
    W, b, dW, db = normal(3, (4, 3), (4,), (4, 3), (4,))
    a_prev, da_prev, dda_prev = normal(4, (5, 3), (5, 3), (5, 3))
    layer = Dense(4, name)
    arguments = on(engine, ({"W": W, "b": b}, {"W": dW, "b": db}))
    below = on(engine, a_prev)
    values = layer.forward(arguments[0], below)

    for moving in ({"da": None, "dda": None}, {"da": da_prev, "dda": None}, {"da": da_prev, "dda": dda_prev}):
        da = 0 if moving["da"] is None else moving["da"]
        dda = 0 if moving["dda"] is None else moving["dda"]

        def z_along(t, da=da, dda=dda):
            return (a_prev + t * da + t * t / 2 * dda) @ (W + t * dW).T + b + t * db

        tangents = on(engine, moving)
        dz, ddz = first_and_second_derivative(z_along)
        along, bent = first_and_second_derivative(lambda t, z_along=z_along: outputs(name, z_along(t)))
        found = layer.tangent(values, arguments[1], tangents["da"])
        close(found.dz, dz)
        close(found.da, along)
        found_ddz, found_dda = layer.second_tangent(values, found, tangents["dda"])
        close(found_ddz, ddz)
        close(found_dda, bent)


def taking(a_prev):
    """A pass of a layer that took in a_prev; what it made of it plays no part."""
    return Pass({}, a_prev, a_prev, a_prev)


def explicit_jacobian(a_prev, delta):
    """d/d(W, b) of sum_j delta_ioj z_ij at every (i, o), flattened in the order W, b, by reverse mode."""

    def seeded(W, b):
        return jnp.einsum("moj,mj->mo", delta, a_prev @ W.T + b)

    W, b = jnp.zeros((delta.shape[2], a_prev.shape[1])), jnp.zeros(delta.shape[2])
    dW, db = jax.jacrev(seeded, argnums=(0, 1))(W, b)
    return jnp.concatenate([dW.reshape(*delta.shape[:2], -1), db], axis=-1)


def test_the_jacobian_of_dense(engine):
    a_prev, delta = normal(6, (5, 3), (5, 2, 4))
    J = explicit_jacobian(a_prev, delta)
    a_prev, delta = on(engine, (a_prev, delta))
    rows = engines_of.get(engine).khatri_rao_rows(Dense(4).jacobian_transpose(taking(a_prev), delta))
    close(rows, J.reshape(5 * 2, 4 * 3 + 4).T)
    squares = Dense(4).squared_jacobian(taking(a_prev), delta)
    close(np.concatenate([squares["W"].ravel(), squares["b"]]), jnp.sum(J * J, axis=(0, 1)))


def test_the_gram_of_dense(engine):
    a_prev, delta, a_other, delta_other = normal(7, (5, 3), (5, 2, 4), (6, 3), (6, 3, 4))
    J, other = explicit_jacobian(a_prev, delta), explicit_jacobian(a_other, delta_other)
    terms = Dense(4).gram(*on(engine, ((a_prev, a_other), (delta, delta_other))))
    weights = 4 * 3
    close(terms["W"], jnp.einsum("iop,jqp->iojq", J[..., :weights], other[..., :weights]))
    close(terms["b"], jnp.einsum("iop,jqp->iojq", J[..., weights:], other[..., weights:]))
    close(terms["W"] + terms["b"], jnp.einsum("iop,jqp->iojq", J, other))


def test_the_diagonal_of_a_scaled_gram(engine):
    """J D^-1 J^T of each example with itself, for a D^-1 of each input and one of the biases."""
    a_prev, delta = normal(9, (5, 3), (5, 2, 4))
    J = np.asarray(explicit_jacobian(a_prev, delta))
    covariance = {"W": np.array([0.5, 2.0, 3.0]), "b": np.array(0.25)}
    D_inverse = np.concatenate([np.tile(covariance["W"], 4), np.full(4, covariance["b"])])
    a_prev, delta, covariance = on(engine, (a_prev, delta, covariance))
    found = Dense(4).gram_diagonal(taking(a_prev), delta, covariance)
    close(found, np.sum(J * J * D_inverse, axis=-1))


def test_the_gradient_of_dense_is_the_jacobian_summed(engine):
    a_prev, delta = normal(8, (5, 3), (5, 1, 4))
    J = explicit_jacobian(a_prev, delta)
    a_prev, delta = on(engine, (a_prev, delta[:, 0]))
    grads = Dense(4).gradient(taking(a_prev), delta)
    close(np.concatenate([grads["W"].ravel(), grads["b"]]), jnp.sum(J, axis=(0, 1)))
