"""A training in a process of its own, which can be killed, and the same training in this one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TRAINING = """
import sys, time
import numpy as np
import deltarule as dr

place, epochs, pause, trainer, engine = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:]
X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
Y = X[:, :1] * X[:, 1:]
net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
trainers = {
    "sgd": lambda: dr.GradientDescent(eta=0.1, batch_size=7, momentum=0.9, no_improvement=1000),
    "lm": lambda: dr.LevenbergMarquardt(damping=1e-6, refit=False),
}

def tell(record):
    print(record["epoch"], flush=True)
    time.sleep(pause)

result = dr.train(
    net, X, Y, trainer=trainers[trainer](), epochs=epochs, seed=5, validation_data=(X[:9] * 0.9, Y[:9] * 0.81),
    checkpoint=place, resume=place, callbacks=[tell], engine=engine,
)
np.savez(place + "/result.npz", *[p for layer in result.params for p in layer.values()], **result.history)
"""


class Training:
    """The training above with its checkpoints in `place`."""

    def __init__(self, place: Path, trainer: str, engine: str):
        self.place, self.trainer, self.engine = place, trainer, engine

    def start(self, epochs: int, pause: float = 0.0) -> subprocess.Popen:
        words = [sys.executable, "-c", TRAINING, self.place, epochs, pause, self.trainer, self.engine]
        keep = {"JAX_COMPILATION_CACHE_DIR": str(self.place.parent), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
        command = [str(word) for word in words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=os.environ | keep)

    def run(self, epochs: int) -> dict[str, np.ndarray]:
        """Run to the end; the parameters and the history."""
        _, error = (process := self.start(epochs)).communicate()
        assert process.returncode == 0, error
        with np.load(self.place / "result.npz") as saved:
            return dict(saved)


@pytest.fixture
def training(tmp_path, engine):
    """A maker of trainings on an engine, each in a folder of its own."""

    def make(name: str, trainer: str = "sgd") -> Training:
        (tmp_path / name).mkdir()
        return Training(tmp_path / name, trainer, engine)

    return make


@pytest.fixture
def table(tmp_path) -> Path:
    """A small table for the command line."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 90))
    rows = [f"{a:.4f},{b:.4f},{3 * a - b:.4f}" for a, b in zip(x, y, strict=True)]
    (tmp_path / "table.csv").write_text("x,y,z\n" + "\n".join(rows) + "\n")
    return tmp_path / "table.csv"
