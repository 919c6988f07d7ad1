import pytest

from deltarule.export.c99_functions import functions


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("tanh", ["dense", "tanh_of"]),
        ("softmax", ["dense", "tanh_of", "softmax_of"]),
        ("overlapping l2", ["dense", "look", "convolution", "l2_pool", "sigmoid_of", "relu_of"]),
        ("max below zero", ["dense", "look", "convolution", "softplus_of", "max_pool", "mean_pool"]),
    ],
)
def test_a_network_has_the_functions_that_it_calls(kind, expected, make):
    text = functions(make(kind).program, "double")
    heads = [line for line in text.splitlines() if line.startswith("static")]
    assert [head.split("(")[0].split()[-1] for head in heads] == expected


def test_the_mathematics_of_a_float_is_in_floats(make):
    text = functions(make("overlapping l2").program, "float")
    assert "sqrtf(pooled)" in text
    assert "expf(z > 0 ? -z : z)" in text
    assert "exp(" not in text
