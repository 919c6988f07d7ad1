"""How large networks are, counted by hand."""

import pickle

import pytest

import deltarule as dr
from deltarule.errors import ShapeError


def test_a_dense_network_by_hand():
    """4-3-2: 12 + 3 and 6 + 2 parameters; the Gram has errors 3 + 2, and inputs for one of k² = 4 pairs: 4/4, 3/4."""
    net = dr.Network([dr.Dense(3, "tanh"), dr.Dropout(0.5), dr.Dense(2, "linear")])
    sizes = net.sizes((4,))
    assert (sizes.parameters, sizes.inputs, sizes.outputs, sizes.steps) == (23, 4, 2, 1)
    assert (sizes.neurons, sizes.products, sizes.gram) == (3 + 3 + 2, 12 + 6, (3 + 1) + (2 + 1))


def test_a_sequence_has_outputs_at_every_step():
    net = dr.Network([dr.Recurrent(3), dr.Dense(2, "linear")])
    sizes = net.sizes((7, 1))
    assert (sizes.parameters, sizes.inputs, sizes.outputs, sizes.steps) == (3 + 9 + 3 + 8, 7, 14, 7)
    assert sizes.products == 7 * 3 * (1 + 3) + 7 * 6


def test_shapes_are_kept_for_the_inputs_asked_about_last():
    net = dr.Network([dr.Flatten(), dr.Dense(2)])
    assert net.shapes((2, 2, 1)) is net.shapes((2, 2, 1))
    assert net.sizes((2, 2, 1)) is net.sizes((2, 2, 1))
    assert net.sizes((3, 2, 1)).parameters == 14
    assert net.sizes((2, 2, 1)).parameters == 10
    with pytest.raises(ShapeError):
        dr.Network([dr.Dense(2)]).shapes((2, 2))
    assert pickle.loads(pickle.dumps(net)) == net
    assert hash(pickle.loads(pickle.dumps(net))) == hash(net)
