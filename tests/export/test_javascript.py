import json
import shutil
import subprocess

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.export import export_model
from deltarule.export.languages import javascript_source
from deltarule.network.activations import ACTIVATIONS
from export.conftest import KINDS, make_case

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
TABLES = {kind: parts for kind, parts in KINDS.items() if all(isinstance(layer, dr.Dense) for layer in parts[0])}
CALL = """\
const net = require("./net.js");
const rows = JSON.parse(require("fs").readFileSync("rows.json")).map((row) => row.map((x) => (x === null ? NaN : x)));
const told = rows.map((row) => {
  try { return net.predictProba ? [net.predictProba(row), net.predict(row)] : [net.predict(row), null]; }
  catch (error) { return error.message; }
});
console.log(JSON.stringify(told));
"""


@pytest.fixture(params=TABLES)
def table_case(request):
    return make_case(*TABLES[request.param], imputed=request.param == "imputed")


def answers(source, folder, rows):
    """For each row its outputs and its label, or the message of the error."""
    (folder / "net.js").write_text(source)
    (folder / "call.js").write_text(CALL)
    cells = [[None if np.isnan(x) else "Infinity" if np.isinf(x) else x for x in row] for row in np.asarray(rows)]
    (folder / "rows.json").write_text(json.dumps(cells))
    done = subprocess.run(["node", "call.js"], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_double_agrees_with_deltarule_to_rounding(table_case, tmp_path):
    found = answers(javascript_source(table_case.program, "net", "double"), tmp_path, table_case.rows)
    outputs = np.array([out for out, _ in found])
    np.testing.assert_allclose(outputs / table_case.scale, table_case.expected / table_case.scale, rtol=0, atol=1e-12)
    if table_case.labels is not None:
        labels = np.array([label for _, label in found])
        assert (labels == table_case.labels)[table_case.decided].all()


def test_bad_rows_are_refused(make, tmp_path):
    case = make("tanh")
    rows = [case.rows[0].copy() for _ in range(4)]
    rows[0][0], rows[1][2], rows[2][1], rows[3][1] = np.nan, np.inf, 3, 0.5
    found = answers(javascript_source(case.program, "net", "double"), tmp_path, rows)
    assert ["finite" in told for told in found[:2]] == [True, True]
    assert ["category" in told for told in found[2:]] == [True, True]


def test_a_page_finds_the_functions_by_the_models_name(plain):
    source = javascript_source(plain.program, "pump", "double")
    assert source.endswith("else globalThis.pump = exported;\n")


def test_functions_that_math_lacks_are_refused(tmp_path):
    dr.add_activation(
        dr.Activation("plain", lambda z: z, lambda z, a: 1 + 0 * z, lambda z, a: 0 * z, written={"c": "erf(z)"})
    )
    try:
        net = dr.Network([dr.Dense(1, "plain")])
        with pytest.raises(ConfigurationError, match="'plain' calls erf"):
            export_model((net, net.init(0, (2,))), tmp_path / "net.js")
    finally:
        del ACTIVATIONS["plain"]


def test_images_are_refused(make, tmp_path):
    with pytest.raises(ConfigurationError, match=r"takes images.*JavaScript"):
        export_model(make("valid, max").program, tmp_path / "net.js")
