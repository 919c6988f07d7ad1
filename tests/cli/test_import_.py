import csv
import json

import numpy as np

import deltarule as dr
from imports.gen_function import NETS, raw_rows, write


def test_a_network_of_matlab_predicts_a_table(run, tmp_path):
    write(NETS["two_hidden"], "engine", tmp_path)
    names = ["fuel", "speed", "load"]
    done = run("import", "engine.m", "--inputs", "fuel,speed, load", "--targets", "torque,nox")
    assert done.code == 0
    assert "3 inputs, 6 tanh neurons, 5 sigmoid neurons, 2 linear neurons" in done.out
    assert "deltarule predict engine.safetensors TABLE.csv" in done.out.replace("\n", " ")
    X = raw_rows(NETS["two_hidden"])
    with open("rows.csv", "w", newline="") as stream:
        csv.writer(stream).writerows([names, *X.tolist()])
    assert run("predict", "engine.safetensors", "rows.csv", "--out", "p.csv").code == 0
    with open("p.csv", newline="") as stream:
        found = [[float(row["torque"]), float(row["nox"])] for row in csv.DictReader(stream)]
    np.testing.assert_allclose(found, dr.from_matlab("engine.m").predict(X), rtol=1e-12)


def test_the_json_line(run, tmp_path):
    write(NETS["patternnet"], "flowers", tmp_path)
    done = run("import", "flowers.m", "--classes", "a,b,c", "--out", "f.safetensors", "--json")
    record = json.loads(done.out)
    assert record["layers"] == [["8", "tanh"], ["3", "softmax"]]
    assert (record["inputs"], record["outputs"]) == (["x1", "x2", "x3", "x4"], ["a", "b", "c"])
    assert dr.load_model("f.safetensors").predict(raw_rows(NETS["patternnet"]))[0] in "abc"


def test_what_cannot_be_read_is_one_sentence(run, tmp_path):
    (tmp_path / "net.m").write_text("function y = net(x)\ny = x;\nend\n")
    done = run("import", "net.m")
    assert done.code == 2
    assert done.err.startswith("Error: net.m ")
    assert "statement a1" in done.err
    write(NETS["two_hidden"], "engine", tmp_path)
    expected = run("import", "engine.m", "--inputs", "a").err
    assert all(words in expected for words in ("inputs has 1 name (a)", "3 names"))
    assert run("import", "net.m", "--out", "net.m").code == 2
