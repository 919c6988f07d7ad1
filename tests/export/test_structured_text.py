import importlib.util

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.export import export_model
from deltarule.export.languages import structured_text
from export.conftest import KINDS, dense, make_case
from export.plc import Plc

SMALL = (dense("tanh", 2), "softmax", ("a", "b"))
TABLES = {kind: parts for kind, parts in KINDS.items() if all(isinstance(layer, dr.Dense) for layer in parts[0])}


@pytest.fixture(params=TABLES)
def table_case(request):
    return make_case(*TABLES[request.param], imputed=request.param == "imputed")


def answers(plc, rows):
    """(status (N,), outputs (N, k))."""
    found = [plc(row) for row in rows]
    return np.array([status for status, _ in found]), np.array([out for _, out in found])


def test_lreal_agrees_with_deltarule_to_rounding(table_case):
    status, outputs = answers(Plc(structured_text(table_case.program, "net", "double")), table_case.rows)
    np.testing.assert_allclose(outputs / table_case.scale, table_case.expected / table_case.scale, rtol=0, atol=1e-12)
    if table_case.labels is None:
        assert (status == 0).all()
    else:
        assert (np.array(table_case.program.classes)[status] == table_case.labels)[table_case.decided].all()


def test_real_agrees_with_deltarule_to_single_precision(make):
    for kind in ("tanh", "two targets", "softplus", "softmax", "sigmoid classes"):
        case = make(kind)
        _, outputs = answers(Plc(structured_text(case.program, "net", "float")), case.rows[:30])
        np.testing.assert_allclose(outputs / case.scale, case.expected[:30] / case.scale, rtol=0, atol=1e-4)


def test_bad_rows_are_refused(make):
    case = make("tanh")
    plc = Plc(structured_text(case.program, "net", "double"))
    before = plc(case.rows[0])
    for column, cell in ((0, np.nan), (2, np.inf), (1, 3), (1, 0.5)):
        row = case.rows[1].copy()
        row[column] = cell
        status, out = plc(row)
        assert status == -1
        np.testing.assert_array_equal(out, before[1])


@pytest.mark.skipif(importlib.util.find_spec("blark") is None, reason="blark is not installed")
@pytest.mark.parametrize(
    ("kind", "precision"),
    [
        (SMALL, "double"),
        pytest.param(KINDS["imputed"], "double", marks=pytest.mark.slow),
        pytest.param(KINDS["softmax"], "float", marks=pytest.mark.slow),
    ],
)
def test_an_independent_grammar_takes_the_file(kind, precision):
    from blark.parse import parse_source_code

    source = structured_text(make_case(*kind, imputed=True).program, "net", precision)
    assert parse_source_code(source).exception is None
    assert parse_source_code(source.replace("END_FOR;", "END;", 1)).exception is not None


def test_images_are_refused(make, tmp_path):
    with pytest.raises(ConfigurationError, match=r"takes images.*Structured Text"):
        export_model(make("valid, max").program, tmp_path / "net.st")


def test_the_interpreter_refuses_what_is_not_structured_text(plain):
    source = structured_text(plain.program, "net", "double")
    for before, after in (("END_FOR;", "END;"), (" := 0;", " = 0;"), ("EXP(", "exp("), ("LIMIT", "CLIP")):
        assert before in source
        with pytest.raises(AssertionError):
            Plc(source.replace(before, after))


def test_names_in_comments_do_no_harm(make):
    source = structured_text(make("tanh").program, "net", "double")
    assert source.count("(*") == source.count("*)") == 1
