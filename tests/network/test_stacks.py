"""Stacks of layers by name and from TOML: reading, the reshapes that are added, and the errors."""

import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.stacks import load_stack, read_stack, with_reshapes

LENET = [
    dr.Reshape((28, 28, 1)), dr.Convolution(20, 5, "relu"), dr.MaxPool(2), dr.Convolution(40, 5, "relu"),
    dr.MaxPool(2), dr.Flatten(), dr.Dense(100, "relu"),
]  # fmt: skip


def test_lenet_on_images():
    assert with_reshapes(load_stack("lenet"), (28, 28)) == LENET
    assert with_reshapes(load_stack("lenet")[:1], (28, 28)) == [LENET[0], LENET[1], dr.Flatten()]


def test_stacks_that_need_nothing():
    dense = [dr.Dense(3), dr.Dropout(0.1), dr.Dense(2)]
    assert with_reshapes(dense, (7,)) == dense
    whole = [dr.Reshape((4, 4, 2)), dr.MaxPool(2), dr.Dropout(0.1), dr.Flatten(), dr.Dense(2)]
    assert with_reshapes(whole, (32,)) == whole


@pytest.mark.parametrize("layers", [[dr.MaxPool(2)], [dr.Dense(9), dr.Convolution(1, 2)]])
def test_images_of_a_table(layers):
    with pytest.raises(ConfigurationError, match="slides over images"):
        with_reshapes(layers, (64,))


def test_layers_with_a_memory():
    """The last step is a row already; all steps are flattened to a row for the outputs."""
    last = [dr.Reshape((6, 2)), dr.GRU(3), dr.LSTM(2, sequences=False)]
    assert with_reshapes(last, (12,)) == last
    every = [dr.Reshape((6, 2)), dr.Recurrent(3)]
    assert with_reshapes(every, (12,)) == [*every, dr.Flatten()]
    with pytest.raises(ShapeError, match=r"Recurrent\(3\) .*\(steps, features\)"):
        with_reshapes([dr.Recurrent(3)], (12,))


def test_a_file(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(
        '[[layers]]\nkind = "Convolution"\nfilters = 3\nkernel = [2, 3]\nstride = 2\n'
        '[[layers]]\nkind = "Dropout"\np = 0.5\n[[layers]]\nkind = "Dense"\nn = 4\nactivation = "tanh"\n'
    )
    expected = (dr.Convolution(3, (2, 3), stride=2), dr.Dropout(0.5), dr.Dense(4, "tanh"))
    assert read_stack(path) == load_stack(str(path)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no layers"),
        ("layers = 3", "lists no layers"),
        ("layers = [3]", "layer 1 has no kind"),
        ("[[layers]]\nn = 3", "layer 1 has no kind"),
        ('[[layers]]\nkind = "Dance"', "layer 1 is of kind 'Dance'"),
        ('[[layers]]\nkind = "Dense"\nm = 3', "layer 1 is not a valid Dense.*'m'"),
        ('[[layers]]\nkind = "Dense"', "layer 1 is not a valid Dense.*'n'"),
        ('[[layers]]\nkind = "Dense"\nn = 0', "layer 1: .*neurons"),
        ('[[layers]]\nkind = "Dense"\nn = 2\nactivation = [1]', r"layer 1: activation \[1\]"),
        ('[[layers]]\nkind = "Dense"\nn = 2\ninitializer = [1]', r"layer 1: initializer \[1\]"),
        ('[[layers]]\nkind = "Dense"\nn = 2\n[[layers]]\nkind = "MaxPool"\nsize = "big"', "layer 2: MaxPool"),
        ("[[layers", "is not TOML"),
        ("neurons = 3", "'neurons'.* not known"),
        ("\udcff", "is not TOML"),
    ],
)  # fmt: skip
def test_mistakes_in_a_file(tmp_path, text, message):
    path = tmp_path / "net.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match=message):
        read_stack(path)


def test_names_and_files_that_are_not_there(tmp_path):
    with pytest.raises(ConfigurationError, match="model 'vgg'"):
        load_stack("vgg")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_stack(tmp_path / "none.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(ConfigurationError, match="1,048,577 bytes long"):
        read_stack(tmp_path / "long.toml")
