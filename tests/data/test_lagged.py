"""Lags, segments without a gap, tables and windows."""

import numpy as np

from deltarule.data.lagged import Lags, Segment, find_segments, first_known, lag_table, lagged, windows


def back(steps):
    return Lags(tuple(range(1, steps + 1)), ())


def test_a_row_holds_the_outputs_of_each_lag_and_then_the_inputs():
    U, Y = np.arange(10.0)[:, None], 100 + np.arange(10.0)[:, None]
    X = lagged(U, Y, Lags((1, 3), (0, 2)))
    # t = 3: y_2, y_0, u_3, u_1
    np.testing.assert_array_equal(X[0], [102, 100, 3, 1])
    np.testing.assert_array_equal(X[-1], [108, 106, 9, 7])
    assert X.shape == (7, 4)


def test_a_missing_input_ends_a_segment_and_a_missing_output_does_not():
    U, Y = np.arange(12.0)[:, None], np.arange(12.0)[:, None]
    U[5], Y[8], Y[10] = np.nan, np.nan, np.nan
    found = find_segments(U, Y, back(2))
    # steps 0..4; of 6..11 the first two known outputs in a row are 6, 7
    assert [(part.U[0, 0], len(part.U)) for part in found] == [(0.0, 5), (6.0, 6)]
    X, T = lag_table(found, Lags((1, 2), (1,)))
    # of the second no step has its lagged outputs and its own: 8 and 10 are missing, 9 needs 8, 11 needs 10
    np.testing.assert_array_equal(T[:, 0], [2, 3, 4])
    np.testing.assert_array_equal(X[0], [1, 0, 1])


def test_a_segment_too_short_for_one_prediction_is_left_out():
    assert find_segments(np.zeros((3, 0)), np.zeros((3, 1)), back(3)) == []
    assert len(find_segments(np.zeros((4, 0)), np.zeros((4, 1)), back(3))) == 1


def test_first_known_step():
    Y = np.array([0, np.nan, 0, 0, 0])[:, None]
    assert [first_known(Y, back(n)) for n in (0, 1, 2, 3, 4)] == [0, 0, 2, 2, 5]
    # one output back and an input three steps back: of a piece's first three steps the last is to be known
    assert first_known(Y, Lags((1,), (3,))) == 0
    assert first_known(Y[1:], Lags((1,), (1,))) == 1
    assert first_known(np.full((4, 1), np.nan), Lags((), (3,))) == 0  # a time-delay network needs none


def test_windows_overlap_by_half_and_end_with_the_record():
    part = Segment(np.arange(11.0)[:, None], np.arange(11.0)[:, None])
    pieces = windows([part], back(1), 4)
    assert pieces.Y[:, 0, 0].tolist() == [0, 2, 4, 6]
    assert pieces.measured.shape == (4, 4, 1)
    assert pieces.measured.all()
    assert len(windows([part], back(1), 10**6).Y) == 1


def test_steps_beyond_a_shorter_segment_are_not_measured():
    parts = [Segment(np.ones((9, 1)), np.ones((9, 1))), Segment(np.ones((4, 1)), np.ones((4, 1)))]
    pieces = windows(parts, back(1), 100)
    assert pieces.measured[:, :, 0].sum(axis=1).tolist() == [8, 3]
    assert np.isfinite(pieces.U).all()
