import numpy as np
import onnx
import onnxruntime
import pytest

from deltarule.export.onnx_file import onnx_bytes


def answers(case, precision, rows):
    """The outputs by their names."""
    session = onnxruntime.InferenceSession(
        onnx_bytes(case.program, "net", precision), providers=["CPUExecutionProvider"]
    )
    dtype = np.float32 if precision == "float" else np.float64
    found = session.run(None, {"X": rows.astype(dtype)})
    return dict(zip([output.name for output in session.get_outputs()], found, strict=True))


def test_double_agrees_with_deltarule_to_rounding(case):
    found = answers(case, "double", case.rows)
    outputs = found["y" if case.labels is None else "probabilities"]
    np.testing.assert_allclose(outputs / case.scale, case.expected / case.scale, rtol=0, atol=1e-12)
    if case.labels is not None:
        assert found["label"][case.decided].tolist() == case.labels[case.decided].tolist()


def test_float_agrees_with_deltarule_to_single_precision(make):
    for kind in ("tanh", "softmax", "softplus", "same, overlapping max", "stride, overlapping mean", "overlapping l2"):
        case = make(kind)
        found = answers(case, "float", case.rows[:30])
        outputs = found["y" if case.labels is None else "probabilities"]
        np.testing.assert_allclose(outputs / case.scale, case.expected[:30] / case.scale, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ["tanh", "max below zero"])
def test_any_number_of_rows(kind, make):
    case = make(kind)
    for count in (0, 1, 7):
        assert answers(case, "double", case.rows[:count])["y"].shape == (count, 1)


@pytest.mark.parametrize("unknown", [3.0, -1.0, 0.5, np.nan])
def test_a_category_that_training_did_not_see_has_no_numbers(make, unknown):
    for kind in ("two targets", "softmax", "sigmoid classes", "relu classes", "step"):
        case = make(kind)
        rows = case.rows[:6].copy()
        rows[2, 1] = unknown  # the colour
        found = answers(case, "double", rows)
        outputs = found["y" if case.labels is None else "probabilities"]
        assert np.isnan(outputs[2]).all(), kind
        others = [0, 1, 3, 4, 5]
        np.testing.assert_allclose(outputs[others] / case.scale, case.expected[others] / case.scale, rtol=0, atol=1e-12)


@pytest.mark.parametrize("precision", ["double", "float"])
def test_the_file_is_a_sound_model_of_standard_operators(case, precision):
    model = onnx.load_from_string(onnx_bytes(case.program, "net", precision))
    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} == {""}
    assert model.producer_name == "deltarule"
