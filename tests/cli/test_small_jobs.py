"""Small jobs stay on NumPy: JAX, which takes a second to import, is not imported for any of them."""

import subprocess
import sys

import pandas as pd
import pytest

from imports.gen_function import NETS, write

RUN = """
import sys
import deltarule

deltarule.NetworkRegressor
assert "jax" not in sys.modules
from deltarule.cli import main

absent, *lines = sys.argv[1:]
for line in lines:
    assert main(line.split()) == 0, line
    assert not set(absent.split(",")) & set(sys.modules), line
"""


def in_a_process(code, *words):
    """Run Python code in a fresh interpreter, which must end well."""
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_tables_and_folders_are_trained_and_their_models_used_without_jax_or_matplotlib(shelf, tmp_path):
    """By every trainer."""
    table = shelf / "houses.csv"
    (tmp_path / "houses").mkdir()
    pd.read_csv(table).to_parquet(tmp_path / "houses" / "a.parquet")
    trainers = ("sgd", "adam", "lm", "newton-cg")
    in_a_process(
        RUN,
        "jax,matplotlib",
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


LIBRARY = """
import sys
import numpy as np
import pandas as pd
import pytest
import deltarule as dr
from deltarule.play.lesson import Lesson
from deltarule.play.problems import GENERATED
from deltarule.play.server import Playground
from sklearn.neural_network import MLPRegressor

X = np.linspace(-1, 1, 40)[:, None]
Y = np.sin(2 * X)
net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
deep = dr.Network([dr.LSTM(3), dr.Dense(1, "linear")])
narx = dr.NARXRegressor(1, 1, hidden=(3,), members=1, restarts=1, random_state=0)
narx.fit(X, Y[:, 0]).simulate(X, Y[:3, 0])
dr.solve(net, [dr.Equation(X, lambda x, u, p: u.d(0) + u.value)], trainer=dr.LevenbergMarquardt(), epochs=3)
net.derivatives(net.init(0, (1,)), X)
dr.from_sklearn(MLPRegressor(hidden_layer_sizes=3, solver="lbfgs", max_iter=500).fit(X, Y[:, 0])).predict(X)
dr.train(deep, X.reshape(4, 10, 1), Y.reshape(4, 10, 1), trainer=dr.GradientDescent(eta=0.1), epochs=2)
dr.train(net, X, Y, trainer=dr.GradientDescent(eta=0.1, schedule=lambda t: 1 / (1 + t)), epochs=2)
for trainer in (dr.LBFGS(), dr.NewtonCG(), dr.BayesianRegularization(), dr.GradientDescent(eta=1e-3, rule="adam")):
    result = dr.train(net, X, Y, trainer=trainer, epochs=2)
net(result.params, X), net.cost_and_gradient(result.params, X, Y)
dr.fit_table(pd.DataFrame({"x": X[:, 0], "y": Y[:, 0]}), target="y", epochs=2)
dr.NetworkRegressor(hidden=(3,), epochs=5).fit(X, Y[:, 0]).predict(X)
dr.NetworkClassifier(hidden=(3,), epochs=5).fit(X, Y[:, 0] > 0).predict_proba(X)
lesson = Lesson(GENERATED["circles"]())
lesson.epoch(), lesson.frame()
served = Playground(GENERATED["curve"]())
served.start()
served.stop()
assert not {"jax", "jaxlib", "optax"} & set(sys.modules)
"""


def test_series_equations_imports_and_the_page_need_no_jax(tmp_path):
    pytest.importorskip("uvicorn")
    write(NETS["two_hidden"], "engine", tmp_path)
    steps = [f"{t},{t % 7},{(t * t) % 11}" for t in range(90)]
    (tmp_path / "plant.csv").write_text("\n".join(["t,u,y", *steps]) + "\n")
    in_a_process(
        RUN + LIBRARY,
        "jax",
        f"import {tmp_path}/engine.m --out engine.safetensors",
        f"train {tmp_path}/plant.csv --target y --time t --lags 2 --hidden 3",
        f"report plant.safetensors {tmp_path}/plant.csv",
    )


def test_images_are_trained_and_their_model_used_without_jax(tmp_path):
    (tmp_path / "small.toml").write_text(
        '[[layers]]\nkind = "Convolution"\nfilters = 2\nkernel = [5, 5]\nactivation = "relu"\n\n'
        '[[layers]]\nkind = "MaxPool"\nsize = 2\n'
    )
    in_a_process(
        RUN,
        "jax",
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
