"""Settings as text that is the same in another process and differs where the settings do."""

import logging
import math
import subprocess
import sys
from functools import partial, wraps

import numpy as np
import pytest

import deltarule as dr
from deltarule.training.checkpoints.fingerprint import describe, digest


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (True, "True"),
        (0.1, "0.1"),
        (np.float32(0.5), "0.5"),
        (np.int64(3), "3"),
        ("cost", "cost"),
        (("a", 1), "[a, 1]"),
        (dr.NoImprovement(5), "NoImprovement(k=5)"),
        (dr.Dense(3, "tanh"), "Dense(n=3, activation=tanh)"),
    ],
)
def test_describe(value, words):
    assert describe(value) == words


def decay(t, rate=0.5):
    return rate**t


class Decay:
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, t):
        return self.rate**t

    def at(self, t):
        return self(t)


def halving(rate):
    """A function that encloses a number."""
    return lambda t: rate**t


def outer(schedule):
    return wraps(schedule)(lambda t: schedule(t) / 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda t, *, rate=0.5: rate**t, lambda t, *, rate=0.4: rate**t),
        (partial(decay, rate=0.9), partial(decay, rate=0.1)),
        (Decay(0.9), Decay(0.1)),
        (Decay({"rate": 0.9}), Decay({"rate": 0.1})),
        (Decay(0.9).at, Decay(0.1).at),
        (halving(0.9), halving(0.1)),
        (outer(halving(0.9)), outer(halving(0.1))),
        (np.exp, np.cos),
        (math.exp, math.cos),
        (0, 0.0),
        (1, True),
    ],
)
def test_what_differs_differs(one, other):
    assert describe(one) != describe(other)
    assert describe(one) == describe(one)


def test_what_differs_of_jax_and_optax_differs():
    jax, optax = (pytest.importorskip(name, reason=f"{name} is not installed") for name in ("jax", "optax"))
    for one, other in (
        (optax.adam(1.0), optax.adam(1.0, b1=0.8)),
        (optax.adam(1.0), optax.adam(2.0)),
        (optax.adam(1.0), optax.sgd(1.0)),
        (optax.exponential_decay(1.0, 10, 0.5), optax.exponential_decay(1.0, 10, 0.6)),
        (jax.jit(Decay(0.9)), jax.jit(Decay(0.1))),
        (jax.random.key(0), jax.random.key(1)),
        (jax.random.split(jax.random.key(0)), jax.random.split(jax.random.key(1))),
        (jax.numpy.arange(3), jax.numpy.arange(3.0)),
    ):
        assert describe(one) != describe(other)
        assert describe(one) == describe(one)
    assert describe(optax.adam(1.0)) == describe(optax.adam(1.0))


def test_two_settings_made_alike_are_alike():
    assert describe(decay) == describe(decay)
    assert describe(Decay(0.5)) == describe(Decay(0.5))
    assert describe(halving(0.5)) == describe(halving(0.5))


def test_code_is_not_compared():
    """Two functions of one name that enclose nothing are one setting, whatever they compute."""
    one, other = (eval(code, {"__name__": "schedules"}) for code in ("lambda t: 0.5**t", "lambda t: 0.25**t"))
    assert describe(one) == describe(other)


def test_another_process_says_the_same():
    optax = pytest.importorskip("optax", reason="Optax is not installed")
    words = "optax.chain(optax.clip(1.0), optax.adam(optax.cosine_decay_schedule(1.0, 100)))"
    code = f"import optax; from deltarule.training.checkpoints.fingerprint import describe; print(describe({words}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    rule = optax.chain(optax.clip(1.0), optax.adam(optax.cosine_decay_schedule(1.0, 100)))
    assert describe(rule) == other


def test_what_an_object_that_is_not_called_holds_is_no_setting():
    log = logging.getLogger("deltarule.tests")
    schedule = partial(decay, log)
    before = describe(schedule)
    log.isEnabledFor(10)
    logging.getLogger("deltarule.tests.other")
    assert describe(schedule) == before


def test_digests_see_values_shapes_dtypes_and_order():
    a = np.arange(6.0)
    others = [a.reshape(2, 3), a.astype("float32"), a[::-1], np.array([*a[:-1], 6])]
    assert len({digest([array]) for array in (a, *others)}) == 5
    assert digest([a, a[:1]]) != digest([a[:1], a])
    assert digest([np.asfortranarray(a.reshape(2, 3))]) == digest([a.reshape(2, 3)])
