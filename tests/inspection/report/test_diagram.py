import re

import numpy as np

import deltarule as dr
from deltarule.inspection.report import diagram


def test_every_weight_is_a_line_that_says_its_number(plant):
    net, params, schema, *_ = plant
    drawn = diagram(net, params, schema)
    found = re.findall(r"weight from (\d+) to (\d+) of layer 2: ([^<]+)<", drawn)
    assert {(int(j), int(k)): float(w) for k, j, w in found} == {
        (j, k): float(f"{w:.5g}") for (j, k), w in np.ndenumerate(params[0]["W"])
    }
    for name in schema.input_names:
        assert name[:10] in drawn
    assert drawn.count("<circle") == 5  # four inputs, one output


def test_wide_layers_say_how_many_of_their_neurons_are_drawn(seven):
    _, _, schema, *_ = seven
    net = dr.Network([dr.Dense(40, "tanh"), dr.Dense(7, "softmax")], "log-likelihood")
    drawn = diagram(net, net.init(0, (1,)), schema)
    assert "tanh, 14 of 40" in drawn
    assert drawn.count("<circle") == 1 + 14 + 7
    assert "&lt;left&gt;" in drawn
