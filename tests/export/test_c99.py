import shutil
import subprocess

import numpy as np
import pytest

from deltarule.export import export_model
from deltarule.export.languages import c_source, to_single_precision
from deltarule.export.program import build_program

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
STRICT = ["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-O2"]


def built(source, folder, *options):
    """The program that reads rows, compiled without a single warning."""
    (folder / "net.c").write_text(source)
    program = folder / "net"
    subprocess.run([*STRICT, "-DNET_MAIN", *options, str(folder / "net.c"), "-o", str(program), "-lm"], check=True)
    return program


def answers(program, rows):
    """What it says of each row: the returned numbers, (N,), and the outputs, (N, k)."""
    text = "\n".join(" ".join(repr(float(x)) for x in row) for row in rows)
    done = subprocess.run([str(program)], input=text, capture_output=True, text=True, check=True)
    table = np.array([[float(cell) for cell in line.split()] for line in done.stdout.splitlines()])
    return table[:, 0].astype(int), table[:, 1:]


def test_double_agrees_with_deltarule_and_bad_rows_are_refused(case, tmp_path):
    program = built(c_source(case.program, "net", "double"), tmp_path)
    returned, outputs = answers(program, case.rows)
    np.testing.assert_allclose(outputs / case.scale, case.expected / case.scale, rtol=0, atol=1e-12)
    if case.labels is None:
        assert (returned == 0).all()
    else:
        assert (np.array(case.program.classes)[returned] == case.labels)[case.decided].all()
    bad = np.repeat(case.rows[:1], 5, axis=0)
    bad[:, :2] = case.rows[1, :2]  # where no cell is missing
    bad[0, 2], bad[1, 0], bad[2, 1], bad[3, 1] = np.nan, np.inf, 3, 0.5
    assert answers(program, bad)[0].tolist()[:4] == [-1, -1, -1, -1]
    assert answers(program, bad)[0][4] >= 0


def test_float_agrees_with_deltarule_to_single_precision(case, tmp_path):
    near = slice(0, 30)
    _, outputs = answers(built(c_source(case.program, "net", "float"), tmp_path), case.rows[near])
    if "step" in {stage.activation for stage in case.program.stages}:
        agree = np.abs(outputs - case.expected[near]).max(axis=1) < 1e-3 * case.scale.max()
        assert agree.mean() > 0.9  # a row at the edge of a step may fall on its other side
    else:
        np.testing.assert_allclose(outputs / case.scale, case.expected[near] / case.scale, rtol=0, atol=1e-4)


def test_the_mathematics_of_a_float_is_in_floats_and_comments_and_strings_stay(make):
    text = c_source(make("overlapping l2").program, "net", "float")
    assert "sqrtf(pooled)" in text
    assert "expf(z > 0 ? -z : z)" in text
    assert " exp(" not in text
    assert (
        to_single_precision('x = 0.5; /* 0.5 exp(x) */ s = "\\"1.5 exp(z)";')
        == 'x = 0.5f; /* 0.5 exp(x) */ s = "\\"1.5 exp(z)";'
    )


def test_two_runs_give_the_same_bits(plain, tmp_path):
    program = built(c_source(plain.program, "net", "double"), tmp_path)
    text = "\n".join(" ".join(map(repr, map(float, row))) for row in plain.rows)
    runs = [subprocess.run([str(program)], input=text, capture_output=True, text=True, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout


def test_missing_numbers_without_categories(make, tmp_path):
    case = make("imputed", categories=False)
    program = built(c_source(case.program, "net", "double"), tmp_path)
    assert np.isnan(case.rows[:, 0]).sum() == 14
    assert np.all(np.abs(answers(program, case.rows)[1] - case.expected) <= 1e-12 * case.scale)


def test_the_names_of_classes_survive(make, tmp_path):
    program = make("softmax").program
    source = c_source(program, "net", "double")
    (tmp_path / "show.c").write_text(
        source + "\n#include <stdio.h>\nint main(void)\n{\n    int i;\n    for (i = 0; i < 4; i++)\n"
        "        puts(net_classes[i]);\n    return 0;\n}\n"
    )
    subprocess.run([*STRICT, str(tmp_path / "show.c"), "-o", str(tmp_path / "show"), "-lm"], check=True)
    shown = subprocess.run([str(tmp_path / "show")], capture_output=True, check=True).stdout.decode()
    assert shown.splitlines() == list(program.classes)


def test_it_uses_no_heap_and_nothing_but_mathematics(case):
    source = c_source(case.program, "net", "double").split("#ifdef")[0]
    assert "malloc" not in source
    assert source.count("#include") == 1


def test_a_network_without_a_schema(plain, tmp_path):
    net, params = plain.model.net, plain.model.params
    path = export_model((net, params), tmp_path / "net.c")
    X = np.random.default_rng(0).normal(size=(5, 2))
    _, outputs = answers(built(path.read_text(), tmp_path), X)
    np.testing.assert_allclose(outputs, net(params, X), rtol=1e-12)
    assert build_program((net, params)).columns[0].name == "x0"
