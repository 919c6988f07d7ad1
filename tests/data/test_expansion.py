"""Artificial expansion: shifts by hand, rotations and elastic bends against SciPy, and what `expand` puts together."""

import numpy as np
import pytest
from scipy import ndimage

from deltarule.data import expansion, load
from deltarule.data.expansion import distorted, elastic, expand, expand_training_part, resampled, rotated, shifted
from deltarule.errors import ConfigurationError, DataError

DRAW = np.random.default_rng(0)
IMAGES = DRAW.uniform(size=(5, 9, 7))
SQUARE = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]])


@pytest.mark.parametrize(
    ("down", "right", "expected"),
    [
        (1, 0, [[0, 0, 0], [1, 2, 3], [4, 5, 6]]),
        (-1, 0, [[4, 5, 6], [7, 8, 9], [0, 0, 0]]),
        (0, 1, [[0, 1, 2], [0, 4, 5], [0, 7, 8]]),
        (0, -1, [[2, 3, 0], [5, 6, 0], [8, 9, 0]]),
        (1, -2, [[0, 0, 0], [3, 0, 0], [6, 0, 0]]),
    ],
)
def test_shifts_by_hand(down, right, expected):
    assert shifted(SQUARE, down, right)[0].tolist() == expected


def test_resampling_is_scipy_s_bilinear_interpolation():
    y, x = DRAW.uniform(-3, 12, size=(5, 9, 7)), DRAW.uniform(-3, 10, size=(5, 9, 7))
    for i in range(5):
        # On a grid with a border of zeros, both read 0 outside.
        expected = ndimage.map_coordinates(np.pad(IMAGES[i], 2), [y[i] + 2, x[i] + 2], order=1, mode="constant")
        inside = (np.abs(y[i] - 4) <= 5) & (np.abs(x[i] - 3) <= 4)
        found = resampled(IMAGES[i : i + 1], y[i : i + 1], x[i : i + 1])[0]
        np.testing.assert_allclose(found[inside], expected[inside], atol=1e-12)
        assert not found[~inside].any()
    assert inside.any()
    assert not inside.all()


def test_a_quarter_turn_is_exact():
    """One angle for every image: 90 degrees, by setting the draw aside."""
    square = DRAW.uniform(size=(3, 6, 6))

    class Ninety:
        def uniform(self, low, high, size):
            return np.ones(size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np.random, "default_rng", lambda seed: Ninety())
        turned = rotated(square, degrees=90)
    np.testing.assert_allclose(turned, np.rot90(square, -1, axes=(1, 2)), atol=1e-5)


def test_rotations_are_small_different_and_repeatable():
    image = np.zeros((400, 15, 15))
    image[:, 7, 14] = 1  # at the right edge: its row tells the angle
    turned = rotated(image, seed=3, degrees=10)
    rows = (turned.sum(axis=2) * np.arange(15)).sum(axis=1) / turned.sum(axis=(1, 2)) - 7
    assert np.abs(rows).max() < 7 * np.tan(np.deg2rad(10)) + 0.1
    assert rows.std() > 0.5  # 7 sin(angle), uniform in ±10 degrees, has 0.70
    assert abs(rows.mean()) < 4 * 0.7 / 20
    np.testing.assert_array_equal(turned, rotated(image, seed=3, degrees=10))
    assert (turned != rotated(image, seed=4, degrees=10)).any()
    np.testing.assert_allclose(rotated(IMAGES, degrees=0), IMAGES, atol=1e-6)


def test_the_smoothing_is_scipy_s_gaussian():
    noise = DRAW.uniform(-1, 1, size=(28, 28))
    G = expansion._gaussian(28, 4.0)
    expected = ndimage.gaussian_filter(noise, 4.0, mode="constant", truncate=7)
    np.testing.assert_allclose(G @ noise @ G, expected, atol=2e-4)


def test_elastic_bends_move_pixels_as_far_as_they_say():
    """A plane y ↦ y reads out its own displacement: alpha/(√3 · 2 √π sigma) = 1.38 pixels, away from the edges."""
    plane = np.broadcast_to(np.arange(28.0, dtype="float32")[:, None], (300, 28, 28))
    moved = (elastic(plane, seed=1) - plane)[:, 12:16, 12:16]
    assert np.sqrt((moved**2).mean()) == pytest.approx(34 / (np.sqrt(3) * 2 * np.sqrt(np.pi) * 4), rel=0.1)
    assert np.abs(np.diff(moved, axis=1)).mean() < 0.5 * np.abs(moved).mean()  # neighbours move together
    np.testing.assert_array_equal(elastic(IMAGES, seed=2), elastic(IMAGES, seed=2))
    assert (elastic(IMAGES, seed=2) != elastic(IMAGES, seed=3)).any()
    np.testing.assert_allclose(elastic(IMAGES, alpha=0.0), IMAGES, atol=1e-12)


def test_the_chunk_size_changes_no_moment(monkeypatch):
    whole = rotated(IMAGES, seed=5)
    monkeypatch.setattr(expansion, "CHUNK", 2)
    np.testing.assert_array_equal(rotated(IMAGES, seed=5), whole)
    assert elastic(IMAGES, seed=5).shape == IMAGES.shape


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_expand_keeps_the_originals_first_and_the_targets_beside(dtype):
    X, Y = IMAGES.reshape(5, 63).astype(dtype), np.arange(5)
    many, answers = expand(X, Y, (9, 7), ["shift", "rotate", "elastic", "rotate"], seed=1)
    assert many.shape == (5 * (1 + 4 + 3), 63)
    assert many.dtype == dtype
    np.testing.assert_array_equal(many[:5], X)
    np.testing.assert_array_equal(answers, np.tile(Y, 8))
    np.testing.assert_array_equal(many[5:10].reshape(5, 9, 7), shifted(X.reshape(5, 9, 7), 1, 0))
    assert many.min() >= 0
    assert many.max() <= X.max() * (1 + 1e-6)
    assert (many[25:30] != many[35:40]).any()  # the two rotations
    again, _ = expand(X.reshape(5, 9, 7), Y, (9, 7), ["shift", "rotate", "elastic", "rotate"], seed=1)
    np.testing.assert_array_equal(again.reshape(-1, 63), many)
    assert (expand(X, Y, (9, 7), ["rotate"], seed=2)[0] != expand(X, Y, (9, 7), ["rotate"], seed=1)[0]).any()


def test_distorted_images_are_turned_bent_and_moved():
    image = np.zeros((400, 15, 15), "float32")
    image[:, 5:10, 6:9] = 1
    found = distorted(image, seed=3)
    np.testing.assert_array_equal(found, distorted(image, seed=3))
    assert (found != distorted(image, seed=4)).any()
    still = distorted(image, seed=3, degrees=0, alpha=0)
    assert {tuple(np.argwhere(one)[0]) for one in still} == {(i, j) for i in (4, 5, 6) for j in (5, 6, 7)}
    assert still.sum() == image.sum()
    assert 0 <= found.min() <= found.max() <= 1
    assert len(np.unique(found.reshape(400, -1), axis=0)) == 400


def test_only_the_training_part_is_expanded():
    data = load("digits")
    more = expand_training_part(data, ["shift"], seed=0)
    assert len(more.train) == 5 * len(data.train)
    np.testing.assert_array_equal(more.train.rows, np.tile(data.train.rows, 5))
    assert more.test is data.test
    assert more.validation is data.validation
    (note,) = more.notes
    assert "1,259" in note
    assert "6,295 (shift)" in note


def test_data_that_cannot_be_expanded(tmp_path):
    with pytest.raises(ConfigurationError, match=r"kinds .*is 'flip'"):
        expand(IMAGES, np.arange(5), (9, 7), ["flip"])
    with pytest.raises(ConfigurationError, match="kinds names 'shift' twice"):
        expand(IMAGES, np.arange(5), (9, 7), ["shift", "shift"])
    for wrong in (IMAGES[0], IMAGES.reshape(5, 63)[:, :60], (255 * IMAGES).astype("uint8")):
        with pytest.raises(DataError, match=r"X has shape .* but images of 9 x 7"):
            expand(wrong, np.arange(5), (9, 7))
    table = tmp_path / "t.csv"
    table.write_text("a,b\n" + "\n".join(f"{i},{i % 2}" for i in range(30)) + "\n")
    with pytest.raises(ConfigurationError, match=r"--expand is shift.* t\.csv"):
        expand_training_part(load(table, target="b"), ["shift"])
