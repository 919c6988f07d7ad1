"""One network in C, JavaScript, Structured Text, Python and Octave: the same numbers."""

import shutil

import numpy as np
import pytest

from deltarule.export.languages import c_source, javascript_source, structured_text
from export import test_c99, test_javascript
from export.conftest import dense, make_case
from export.plc import Plc

NEEDED = ("gcc", "node")


@pytest.mark.skipif(any(shutil.which(name) is None for name in NEEDED), reason="gcc and node are needed")
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "softplus", "elliotsig"])
def test_c_javascript_and_structured_text_agree(activation, tmp_path):
    case = make_case(dense(activation, 20, 5), "linear", 2, numbers=10)
    in_c = test_c99.answers(test_c99.built(c_source(case.program, "net", "double"), tmp_path), case.rows)[1]
    told = test_javascript.answers(javascript_source(case.program, "net", "double"), tmp_path, case.rows)
    in_javascript = np.array([out for out, _ in told])
    plc = Plc(structured_text(case.program, "net", "double"))
    on_a_plc = np.array([plc(row)[1] for row in case.rows])
    for found in (in_javascript, on_a_plc, case.expected):
        assert np.abs((found - in_c) / case.scale).max() < 1e-14
