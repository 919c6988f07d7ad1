"""The same table in the formats that people write: each trains to the R² of the clean table without options."""

import json

import numpy as np
import pandas as pd
import pytest

from deltarule.files.model_file import load_model

RANDOM = np.random.default_rng(0)
SIZE, AGE = RANDOM.uniform(50, 2000, 80).round(2), RANDOM.uniform(0, 80, 80).round(2)
CLEAN = pd.DataFrame({"größe": SIZE, "alter": AGE, "art": np.tile(["a", "b"], 40), "preis": (2 * SIZE + AGE).round(2)})


HEADER = ",".join(CLEAN)
OPTIONS = ("--target", "preis", "--hidden", "4", "--epochs", "40")


def text(sep=",", decimal=".", thousands="", header=HEADER):
    rows = []
    for row in CLEAN.itertuples(index=False):
        cells = [f"{cell:,.2f}" if isinstance(cell, float) else cell for cell in row]
        rows.append(sep.join(cell.replace(",", "T").replace(".", decimal).replace("T", thousands) for cell in cells))
    return "\n".join([header.replace(",", sep), *rows, ""])


MESSY = {
    "tabs.tsv": text("\t").encode(),
    "blanks.txt": text("   ").encode(),
    "semicolons.csv": text(";", ",").encode(),
    "thousands.csv": text(";", ",", ".").encode(),
    "latin.csv": text().encode("latin-1"),
    "utf16.csv": text("\t", ",").encode("utf-16"),
    "mark.csv": text().encode("utf-8-sig"),
    "units.csv": text(header=HEADER + "\nm2,years,-,EUR").encode(),
    "announced.csv": ("sep=;\n" + text(";")).encode(),
    "preamble.csv": ("Instrument 7\nDate: 2024-05-01, 12:00\n\n" + text()).encode(),
    "comments.csv": ("# measured in May\n# with care\n" + text()).encode(),
    "suffix.csv": text().replace(",a,", " years,a,").replace(",b,", " years,b,").encode(),
}


@pytest.fixture(scope="module")
def clean_r2(tmp_path_factory):
    from deltarule.cli import main

    path = tmp_path_factory.mktemp("clean") / "clean.csv"
    CLEAN.to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        assert main(["train", str(path), *OPTIONS]) == 0
    return load_model(path.parent / "clean.safetensors").training["metrics"]["test_r2"]


def test_a_missing_one_of_two_targets_is_not_cared_for(run, tmp_path):
    """With no option: such rows train with the target that they have, and the scores are of rows that have both."""
    frame = CLEAN.assign(summe=CLEAN["größe"] + CLEAN["alter"])
    frame.loc[::5, "preis"] = np.nan
    frame.loc[1::5, "summe"] = np.nan
    frame.to_csv(tmp_path / "t.csv", index=False)
    words = ("train", "t.csv", "--target", "preis", "--target", "summe", "--hidden", 4, "--json")
    outcome = run(*words, "--epochs", 40)
    assert outcome.code == 0, outcome.err
    assert "32 of 80 rows lack some" in outcome.err
    record = json.loads(outcome.out)
    assert min(record["test_r2_by_target"].values()) > 0.999
    assert load_model("t.safetensors").training["examples"] == {"train": 34 + 32, "validation": 7, "test": 7}
    left_out = "32 of 80 rows of t.csv have missing cells and are left out"
    assert left_out in run("evaluate", "t.safetensors", "t.csv").err
    assert run("predict", "t.safetensors", "t.csv").code == 0
    dropped = run(*words, "--epochs", 2, "--drop-missing", "--out", "d.safetensors")
    assert "32 of 80 rows of t.csv" in dropped.err
    for options in (("--split", "blocks"), ("--cost", "huber"), ("--cost", "poisson"), ("--trainer", "adam")):
        outcome = run(*words, *options, "--epochs", 3, "--out", "o.safetensors")
        assert outcome.code == 0, outcome.err
        assert np.isfinite(json.loads(outcome.out)["test_r2"])


def test_rows_and_targets_without_a_value_are_refused(run, tmp_path):
    frame = CLEAN.assign(summe=CLEAN["größe"] + CLEAN["alter"])
    words = ("train", "t.csv", "--target", "preis", "--target", "summe", "--hidden", 4, "--epochs", 2)
    frame.assign(summe=np.nan).to_csv(tmp_path / "t.csv", index=False)
    assert "no value in any row" in run(*words).err
    frame.loc[3, ["preis", "summe"]] = np.nan
    frame.to_csv(tmp_path / "t.csv", index=False)
    outcome = run(*words)
    assert outcome.code != 0
    assert "none of the targets" in outcome.err
    assert run(*words, "--drop-missing").code == 0


@pytest.mark.parametrize("name", [*MESSY, "book.xlsx"])
def test_it_trains_to_the_same_r2(run, tmp_path, clean_r2, name):
    path = tmp_path / name
    if name == "book.xlsx":
        CLEAN.to_excel(path, index=False)
    else:
        path.write_bytes(MESSY[name])
    outcome = run("train", name, *OPTIONS, "--json")
    assert outcome.code == 0, outcome.err
    record = json.loads(outcome.out)
    assert clean_r2 > 0.99
    assert record["test_r2"] == pytest.approx(clean_r2, abs=1e-6)
    expected = [line for line in outcome.err.splitlines() if "is read with" in line]
    assert len(expected) == (0 if name in ("mark.csv", "book.xlsx", "suffix.csv") else 1)
    assert run("predict", tmp_path / f"{path.stem}.safetensors", name).code == 0


def test_what_the_file_does_not_say_is_said_by_options(run, refused, tmp_path):
    rows = "".join(f"{i % 7}.5:-9:{i % 3}:{i}:1\n" for i in range(40)) + "-9:1:1:40:0\n" * 3
    (tmp_path / "t.txt").write_text("a:b:code:y:w\n" + rows)
    words = ("train", "t.txt", "--sep", ":", "--target", "y", "--epochs", 2, "--hidden", 2, "--task", "regression")
    outcome = run(*words, "--na", "-9", "--drop", "b", "--category", "code", "--weights", "w", "--drop-missing")
    assert outcome.code == 0, outcome.err
    assert "3 of 43 rows" in outcome.err
    record = json.loads(run("predict", "t.safetensors", "t.txt", "--sep", ":", "--drop-missing", "--json").out)
    assert record["rows"] == list(range(40))  # what the model was trained with is missing here too
    assert "'a', line 42" in refused("predict", "t.safetensors", "t.txt", "--sep", ":").splitlines()[-1]
    for option in ("--sep", "--decimal", "--na", "--drop", "--category", "--weights"):
        assert option in refused("train", "digits", option, ",")
    assert "'x'" in refused("train", "t.txt", "--target", "y", "--decimal", "x")


def test_repeated_targets_are_all_learnt_and_none_is_an_input(run, tmp_path):
    rows = "".join(f"{i};{i % 5};{2 * i + i % 5};{i - i % 5}\n" for i in range(40))
    (tmp_path / "t.csv").write_text("a;b;Fx, N;Fy, N\n" + rows)
    words = ("train", "t.csv", "--target", "Fx, N", "--target", "Fy, N", "--epochs", 5, "--hidden", 3)
    assert run(*words).code == 0
    from deltarule.data import Schema

    model = load_model(tmp_path / "t.safetensors")
    schema = Schema.from_json(model.schema)
    assert schema.target_names == ("Fx, N", "Fy, N")
    assert schema.input_names == ("a", "b")
    assert model.training["options"]["target"] == ["Fx, N", "Fy, N"]


def test_weights_decide_what_is_learnt(run, tmp_path):
    """Of rows that contradict each other those of weight 0 do not count."""
    rows = "".join(f"{i % 10},{i % 10 + 100 * (i % 2)},{i % 2}\n" for i in range(100))
    (tmp_path / "t.csv").write_text("a,y,w\n" + rows)
    words = ("train", "t.csv", "--target", "y", "--task", "regression", "--weights", "w", "--hidden", 2, "--epochs", 50)
    assert run(*words).code == 0
    record = json.loads(run("predict", "t.safetensors", "t.csv", "--json").out)
    assert np.mean(record["predictions"]["y"]) == pytest.approx(104.5, abs=2)


def test_a_code_for_missing_values_is_warned_of_and_the_advice_runs(run, tmp_path):
    a = RANDOM.uniform(0.1, 11.9, 200).round(1)
    y = np.where(np.arange(200) % 5, 3 * a, -200)
    pd.DataFrame({"a": a, "b": a % 3, "y": y}).to_csv(tmp_path / "t.csv", index=False)
    words = ("train", "t.csv", "--target", "y", "--hidden", 3, "--epochs", 30, "--json")
    outcome = run(*words)
    (note,) = [line for line in outcome.err.splitlines() if "--na -200 and --missing drop" in line]
    assert "40 of 200" in note
    cleaned = run(*words, "--na", "-200", "--missing", "drop")
    assert "--na" not in cleaned.err
    assert json.loads(cleaned.out)["test_rmse"] < 0.1 * json.loads(outcome.out)["test_rmse"]


def test_missing_inputs_are_refused_dropped_or_imputed(run, refused, tmp_path):
    """The network learns the rows that are whole in spite of the others, and exports read missing cells as it does."""
    a, b = RANDOM.uniform(-1, 1, (2, 160)).round(3)
    kind = np.tile(["u", "v", "u", "v", "u"], 32)
    table = pd.DataFrame({"a": a, "b": b, "kind": kind, "y": 3 * a + b + (kind == "v")})
    table.loc[table.index[::4], "a"] = np.nan
    table.loc[table.index[::5], "kind"] = None
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ("train", "t.csv", "--target", "y", "--hidden", 6, "--epochs", 100)
    for given in ((), ("--missing", "refuse")):
        assert "'a' has 40" in refused(*words, *given)
    assert "'half'" in refused(*words, "--missing", "half")
    assert "--drop-missing" in refused(*words, "--missing", "refuse", "--drop-missing")
    assert json.loads(run(*words, "--missing", "drop", "--json").out)["network"][0] == 4
    record = json.loads(run(*words, "--missing", "impute", "--json").out)
    assert record["network"][0] == 6
    predicted = json.loads(run("predict", "t.safetensors", "t.csv", "--json").out)["predictions"]["y"]
    assert len(predicted) == 160
    whole = table["a"].notna() & table["kind"].notna()
    assert np.abs(np.array(predicted) - table["y"])[whole].mean() < 0.3  # of a standard deviation of 2
    assert run("export", "t.safetensors", "--to", "python", "--out", "net.py").code == 0
    names = {}
    exec((tmp_path / "net.py").read_text(), names)
    exported = names["predict"](table[["a", "b", "kind"]].astype(object).to_numpy())[:, 0]
    np.testing.assert_allclose(exported, predicted, rtol=1e-9, atol=1e-9)
    assert run("report", "t.safetensors", "t.csv").code == 0


def test_predictions_keep_the_columns_of_a_table_however_it_is_written(run, tmp_path):
    rows = "".join(f"{i % 7}.5,{i % 3},{i}.25\n" for i in range(40))
    (tmp_path / "t.csv").write_text("p [bar],q,y [N]\n" + rows)
    assert run("train", "t.csv", "--target", "y", "--hidden", 2, "--epochs", 3, "--missing", "impute").code == 0
    (tmp_path / "new.txt").write_text("id:p:q:note\n007:1,5:1:x\n008:2,5:?:y\n009:3,5:2:z\n")
    words = ("--sep", ":", "--na", "?", "--drop-missing", "--out", "p.csv")
    outcome = run("predict", "t.safetensors", "new.txt", *words)
    assert outcome.code == 0, outcome.err
    header, *lines = (tmp_path / "p.csv").read_text().splitlines()
    assert header == "row;id;p [bar];q;note;y [N];y_std [N]"  # semicolons beside decimal commas
    assert [line.split(";")[:2] for line in lines] == [["0", "007"], ["2", "009"]]
