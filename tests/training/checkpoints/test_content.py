"""A checkpoint as bytes: every byte is covered by the checksum."""

import json

import numpy as np
import pytest
import safetensors.numpy

from deltarule.training.checkpoints.content import Content, Damaged, from_bytes, to_bytes

TENSORS = {
    "0.carry.epoch": np.array(7, np.int32),
    "0.carry.state.params[0]['W']": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
    "0.history.0.cost": np.array([3.0, np.nan, np.inf]),
    "0.history.0.trial_verdict": np.zeros((3, 16), np.int8),
    "0.empty": np.zeros((0, 4)),
}
CONTENT = Content(TENSORS, {"settings": {"trainer": "gd"}, "groups": 1, "seconds": 1.5})
WHOLE = to_bytes(CONTENT)
HEADER = 8 + int.from_bytes(WHOLE[:8], "little")


def test_it_comes_back_as_it_was():
    content = from_bytes(WHOLE)
    assert content.description == {"format_version": 1} | CONTENT.description
    assert content.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert content.tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(content.tensors[name], tensor)


@pytest.mark.parametrize("order", ["F", "reversed", "every second"])
def test_arrays_that_are_not_contiguous_are_written_by_value(order):
    """safetensors copies the memory behind an array, whatever its strides are."""
    a = np.arange(24.0).reshape(4, 6)
    a = {"F": np.asfortranarray(a), "reversed": a[::-1], "every second": a[:, ::2]}[order]
    np.testing.assert_array_equal(from_bytes(to_bytes(Content({"a": a}, {}))).tensors["a"], a)


def test_any_reader_of_safetensors_opens_it():
    assert safetensors.numpy.load(WHOLE).keys() == TENSORS.keys()


def test_cut_short_at_every_length_of_the_header_and_of_the_data():
    for length in range(len(WHOLE)):
        with pytest.raises(Damaged):
            from_bytes(WHOLE[:length])


def test_a_flipped_bit_in_every_byte():
    """Also in the checksum itself and in the length of the header."""
    for place in range(len(WHOLE)):
        for bit in (0, 6):
            flipped = bytearray(WHOLE)
            flipped[place] ^= 1 << bit
            with pytest.raises(Damaged):
                from_bytes(bytes(flipped))


def test_longer_by_a_byte():
    with pytest.raises(Damaged, match="checksum"):
        from_bytes(WHOLE + b"\0")


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"PK\3\4" * 50, (2**60).to_bytes(8, "little") + WHOLE[8:]])
def test_what_is_no_checkpoint(content):
    with pytest.raises(Damaged):
        from_bytes(content)


def signed(tensors, metadata):
    """A file with a true checksum that deltarule would not write."""
    from deltarule.training.checkpoints.content import BLANK, _checksum

    blank = safetensors.numpy.save(tensors, metadata={"checksum": BLANK.decode()} | metadata)
    return blank.replace(BLANK, _checksum(blank), 1)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "no checkpoint of deltarule"),
        ({"deltarule-checkpoint": "[]"}, "no checkpoint of deltarule"),
        ({"deltarule-checkpoint": "{"}, "no checkpoint of deltarule"),
        ({"deltarule-checkpoint": "[" * 100_000}, "no checkpoint of deltarule"),
        ({"deltarule-checkpoint": json.dumps({"format_version": 2})}, "format version is 2"),
    ],
)
def test_a_true_checksum_on_something_else(metadata, words):
    with pytest.raises(Damaged, match=words):
        from_bytes(signed({"a": np.zeros(2)}, metadata))
