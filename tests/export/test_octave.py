import shutil
import subprocess

import numpy as np
import pytest

from deltarule.export.languages import octave_source

pytestmark = pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed")

# Labels go to a file of lines, numbers to a table with all their digits.
CALL = """\
X = dlmread('rows.csv');
{call}
dlmwrite('outputs.csv', double({result}), 'precision', '%.17g');
f = fopen('labels.txt', 'w'); for i = 1:rows(label), if iscell(label), s = label{{i}}; else, s = num2str(label(i)); end
fprintf(f, '%s\\n', s); end; fclose(f);
"""


def answers(case, folder, precision, rows=None):
    """(outputs (N, k), labels as text)."""
    rows = np.array(case.rows if rows is None else rows)
    if case.program.constants["categories"]:
        rows[:, 1] += 1  # Octave counts from 1
    (folder / "net.m").write_text(octave_source(case.program, "net", precision), encoding="utf-8")
    np.savetxt(folder / "rows.csv", rows, delimiter=",", fmt="%.17g")
    call = "y = net(X); label = zeros(0, 1);" if case.labels is None else "[label, y] = net(X);"
    (folder / "call.m").write_text(CALL.format(call=call, result="y"))
    options = ["--no-gui", "--norc", "--no-history"]
    done = subprocess.run(["octave-cli", *options, "call.m"], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    assert "warning" not in done.stderr
    outputs = np.loadtxt(folder / "outputs.csv", delimiter=",", ndmin=2).reshape(len(rows), -1)
    return outputs, (folder / "labels.txt").read_text(encoding="utf-8").splitlines()


def as_octave_says(label):
    return label if isinstance(label, str) else f"{float(label):g}"


def test_double_agrees_with_deltarule_to_rounding(case, tmp_path):
    outputs, labels = answers(case, tmp_path, "double")
    np.testing.assert_allclose(outputs / case.scale, case.expected / case.scale, rtol=0, atol=1e-12)
    if case.labels is not None:
        expected = [as_octave_says(label) for label in case.labels.tolist()]
        assert (np.array(labels) == np.array(expected))[case.decided].all()


def test_single_agrees_with_deltarule_to_single_precision(make, tmp_path):
    for kind in ("softmax", "same, overlapping max", "stride, overlapping mean", "overlapping l2"):
        case = make(kind)
        outputs, _ = answers(case, tmp_path, "float", case.rows[:30])
        np.testing.assert_allclose(outputs / case.scale, case.expected[:30] / case.scale, rtol=0, atol=1e-4)


def test_images_go_through_in_blocks_of_rows(make, tmp_path, monkeypatch):
    case = make("valid, max")
    monkeypatch.setattr("deltarule.export.program.MAX_SEEN_NUMBERS", 7 * (4 * 6) * (3 * 2 * 2))
    assert "for first = 1:7:size(X, 1)" in octave_source(case.program, "net", "double")
    outputs, _ = answers(case, tmp_path, "double")
    np.testing.assert_allclose(outputs / case.scale, case.expected / case.scale, rtol=0, atol=1e-12)
    assert len(answers(case, tmp_path, "double", case.rows[:1])[0]) == 1


def test_bad_rows_are_refused(make, tmp_path):
    case = make("tanh")
    for column, cell, sentence in ((0, np.nan, "3 finite numbers"), (1, 3, "column 2 must hold 1 to 3")):
        rows = case.rows.copy()
        rows[4, column] = cell
        with pytest.raises(RuntimeError, match=sentence):
            answers(case, tmp_path, "double", rows)
