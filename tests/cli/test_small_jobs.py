"""Small jobs stay on NumPy: JAX, which takes a second to import, is not imported for any of them."""

import subprocess
import sys

import pandas as pd

RUN = """
import sys
from deltarule.cli import main

for line in sys.argv[1:]:
    assert main(line.split()) == 0, line
    assert "jax" not in sys.modules, line
"""


def in_a_process(code, *words):
    """Run Python code in a fresh interpreter, which must end well."""
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_the_package_is_imported_without_jax():
    in_a_process("import sys, deltarule; deltarule.NetworkRegressor; assert 'jax' not in sys.modules")


def test_tables_and_folders_are_trained_and_their_models_used_without_jax(shelf, tmp_path):
    """By every trainer."""
    table = shelf / "houses.csv"
    (tmp_path / "houses").mkdir()
    pd.read_csv(table).to_parquet(tmp_path / "houses" / "a.parquet")
    trainers = ("sgd", "adam", "lm", "newton-cg")
    in_a_process(
        RUN,
        *(f"train {shelf}/flowers.csv --target flower --hidden 4 --epochs 2 --trainer {name}" for name in trainers),
        f"train {tmp_path}/houses --target price --hidden 4 --epochs 2",
        f"plan {table} --target price --hidden 4",
        f"train {table} --target price --hidden 4 --epochs 5 --out m.safetensors",
        f"predict m.safetensors {table} --interval 0.9",
        f"evaluate m.safetensors {table}",
        f"trace m.safetensors {table} --row 0",
        f"check m.safetensors {table}",
        f"report m.safetensors {table}",
        "export m.safetensors --to c",
        f"search {table} --target price --hidden 3 --epochs 2 --trials 2 --out s.safetensors",
    )


def test_a_report_is_written_without_matplotlib(shelf):
    table = shelf / "houses.csv"
    in_a_process(
        RUN.replace("jax", "matplotlib"),
        f"train {table} --target price --hidden 4 --epochs 5 --out m.safetensors",
        f"report m.safetensors {table}",
    )


def test_images_are_trained_and_their_model_used_without_jax(tmp_path):
    (tmp_path / "small.toml").write_text(
        '[[layers]]\nkind = "Convolution"\nfilters = 2\nkernel = [5, 5]\nactivation = "relu"\n\n'
        '[[layers]]\nkind = "MaxPool"\nsize = 2\n'
    )
    in_a_process(
        RUN,
        "reproduce 3b1b --quick",
        f"train digits --model {tmp_path}/small.toml --epochs 1 --out stack.safetensors",
        "trace stack.safetensors digits --row 0",
        "train digits --hidden 8 --epochs 1",
        "predict digits.safetensors digits",
        "evaluate digits.safetensors digits",
        "trace digits.safetensors digits --row 0",
        "check digits.safetensors digits",
        "report digits.safetensors",
        "export digits.safetensors --to c",
    )
