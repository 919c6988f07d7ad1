import subprocess
import sys

import numpy as np
import pytest

from deltarule.export.languages import numpy_source
from export.conftest import KINDS


def imported(case, precision="double"):
    names = {}
    exec(compile(numpy_source(case.program, "net", precision), "net.py", "exec"), names)
    return names


def outputs(module, case, rows):
    return module["predict" if case.labels is None else "predict_proba"](rows)


def test_double_agrees_with_deltarule_to_rounding(case):
    module = imported(case)
    for rows in (case.rows, case.table.to_numpy()):  # categories by number and by name
        np.testing.assert_allclose(outputs(module, case, rows) / case.scale, case.expected / case.scale, atol=1e-12)
        if case.labels is not None:
            assert (module["predict"](rows) == case.labels)[case.decided].all()
            assert module["predict"](rows).dtype == case.labels.dtype


def test_float_computes_in_float32(make):
    for kind in ("tanh", "same, overlapping max", "stride, overlapping mean", "overlapping l2"):
        case = make(kind)
        found = outputs(imported(case, "float"), case, case.rows[:30])
        assert found.dtype == np.float32, kind
        np.testing.assert_allclose(found / case.scale, case.expected[:30] / case.scale, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ["tanh", "max below zero"])
def test_any_number_of_rows(kind, make):
    case = make(kind)
    module = imported(case)
    for count in (0, 1, 7):
        assert module["predict"](case.rows[:count]).shape == (count, 1)


def test_images_go_through_in_blocks_of_rows(make, monkeypatch):
    case = make("valid, max")
    monkeypatch.setattr("deltarule.export.program.MAX_SEEN_NUMBERS", 7 * (4 * 6) * (3 * 2 * 2))
    assert case.program.rows_at_once == 7
    module = imported(case)
    np.testing.assert_allclose(
        module["predict"](case.rows) / case.scale, case.expected / case.scale, rtol=0, atol=1e-12
    )
    seen, most = module["seen"], []
    module["seen"] = lambda a, *rest: most.append(len(a)) or seen(a, *rest)
    module["predict"](case.rows)
    assert set(most) == {7, 40 % 7}


def test_bad_rows_are_refused(case, plain):
    module = imported(case)
    for column, cell in ((2, float("nan")), (0, float("inf")), (1, "green"), (1, 3), (1, 0.5)):
        rows = case.table.to_numpy()
        rows[4, column] = cell
        with pytest.raises(ValueError, match=f"column {column}"):
            outputs(module, case, rows)
    with pytest.raises(ValueError, match=r"\(3,\)"):
        imported(plain)["predict"](np.zeros(3))


def test_missing_numbers_without_categories(make):
    case = make("imputed", categories=False)
    found = outputs(imported(case), case, case.table.to_numpy())
    assert np.all(np.abs(found - case.expected) <= 1e-12 * case.scale)


def test_they_need_numpy_only_and_warn_of_nothing(make, tmp_path):
    """All of them in one process."""
    program = ["import sys", "nan = float('nan')"]
    for i, kind in enumerate(KINDS):
        case = make(kind)
        (tmp_path / f"net{i}.py").write_text(numpy_source(case.program, "net", "double"))
        program += [f"import net{i}", f"net{i}.run({case.rows.tolist()})"]
    (tmp_path / "program.py").write_text("\n".join([*program, "assert 'deltarule' not in sys.modules"]))
    subprocess.run([sys.executable, "-W", "error", "program.py"], cwd=tmp_path, check=True)
