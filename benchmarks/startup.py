"""startup: how long one waits before the first number - import, the first fit of a shape, the next process, the
shell.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.record import Case, Goal, Result
from benchmarks.settings import Settings
from benchmarks.turns import Contestant, take_turns

DIGITS = (
    "from sklearn.datasets import load_digits; X, y = load_digits(return_X_y=True); X = (X / 16).astype('float32'); "
)
IMPORTS = {
    "deltarule, all public names": ("deltarule", "import deltarule as dr\nfor name in dr.__all__: getattr(dr, name)"),
    "deltarule, the network and gradient descent": (
        "deltarule",
        "import deltarule as dr; dr.Network, dr.Dense, dr.GradientDescent, dr.train",
    ),
    "JAX": ("jax", "import jax.numpy"),
    "Flax and Optax": ("flax", "import flax.linen, optax"),
    "Keras on JAX": ("keras", "import keras"),
    "PyTorch": ("torch", "import torch"),
    "scikit-learn MLPClassifier": ("sklearn", "from sklearn.neural_network import MLPClassifier"),
    "Python alone": ("sys", "pass"),
}
FITS = {
    "deltarule NetworkClassifier": (
        "deltarule",
        "import deltarule as dr; dr.NetworkClassifier(hidden=(30,), trainer='sgd', epochs=10, "
        "random_state=0).fit(X, y)",
    ),
    "scikit-learn MLPClassifier": (
        "sklearn",
        "import warnings; warnings.simplefilter('ignore'); from sklearn.neural_network import MLPClassifier; "
        "MLPClassifier((30,), max_iter=10, random_state=0).fit(X, y)",
    ),
    "Keras on JAX": (
        "keras",
        "import keras; L = keras.layers; net = keras.Sequential([L.Dense(30, 'tanh'), L.Dense(10, 'softmax')]); "
        "net.compile('adam', 'sparse_categorical_crossentropy'); net.fit(X, y, epochs=10, verbose=0)",
    ),
    "PyTorch eager": (
        "torch",
        "import torch; from torch import nn; X, y = torch.from_numpy(X), torch.from_numpy(y)\n"
        "net = nn.Sequential(nn.Linear(64, 30), nn.Tanh(), nn.Linear(30, 10)); rule = "
        "torch.optim.Adam(net.parameters())\n"
        "for epoch in range(10):\n"
        "    order = torch.randperm(len(X))\n"
        "    for a, b in zip(X[order].split(32), y[order].split(32)):\n"
        "        rule.zero_grad(); nn.functional.cross_entropy(net(a), b).backward(); rule.step()",
    ),
}
NO_CACHE = {"JAX_ENABLE_COMPILATION_CACHE": "0"}


class Command:
    """A lap is one process from start to end; the worker itself imports nothing heavy."""

    def __init__(self, code: str = "", module: str = "", arguments: list[str] | None = None, cold: bool = False):
        """Either code for `python -c`, or a module with arguments; `cold` gives every lap a cache folder of its own."""
        self.command = [sys.executable, *(["-c", code] if code else ["-m", module, *(arguments or [])])]
        self.cold = cold
        self.shared = tempfile.TemporaryDirectory()

    def lap(self) -> float:
        """Seconds from the call to the end of the process."""
        with tempfile.TemporaryDirectory() as fresh:
            place = fresh if self.cold else self.shared.name
            environment = os.environ | {"XDG_CACHE_HOME": place}
            if "JAX_ENABLE_COMPILATION_CACHE" not in environment:
                environment |= {"JAX_COMPILATION_CACHE_DIR": place, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
            began = time.perf_counter()
            done = subprocess.run(self.command, cwd=fresh, env=environment, capture_output=True, text=True)
            seconds = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
        return seconds

    def finish(self) -> dict[str, float]:
        """Nothing to compare."""
        self.shared.cleanup()
        return {}


def contestants(table: dict[str, tuple[str, str]], before: str = "") -> list[Contestant]:
    """One for each row of a table of code."""
    environment = {"JAX_PLATFORMS": "cpu", "KERAS_BACKEND": "jax"} | NO_CACHE
    return [
        Contestant(name, "benchmarks.startup:Command", (needs,), {"code": before + code}, environment)
        for name, (needs, code) in table.items()
    ]


def startup(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """Four waits, each from the start of a process to its end."""
    on_cpu = {"JAX_PLATFORMS": "cpu"}
    fits = contestants(FITS, DIGITS)
    warm = replace(fits[0], name="deltarule NetworkClassifier, JAX_COMPILATION_CACHE_DIR kept", environment=on_cpu)
    train = ["train", "digits", "--out", "model.safetensors", "--json"]
    shell = [
        Contestant(
            name,
            "benchmarks.startup:Command",
            ("deltarule", "typer", "sklearn"),
            {"module": "deltarule", "arguments": train} | more,
            on_cpu,
        )
        for name, more in (("deltarule train, again", {}), ("deltarule train, nothing compiled yet", {"cold": True}))
    ]
    cases = []
    quarter = replace(settings, seconds=settings.seconds / 3)
    for title, who, reference in (
        ("import", contestants(IMPORTS), "JAX"),
        ("first fit: digits, 64-30-10, ten epochs", [fits[0], warm, *fits[1:]], "scikit-learn MLPClassifier"),
        ("`deltarule train` on digits, from shell to shell", shell, "deltarule train, again"),
    ):
        tell(title)
        entries = take_turns(who, repeats=quarter.repeats, seconds=quarter.seconds, tell=tell)
        cases.append(Case(title, "s", reference, entries))
    found = cases[0].entry("deltarule, the network and gradient descent").median
    goals = [
        Goal("import, s", 1.2, found),
        Goal("warm `deltarule train` on digits, s", 4.0, cases[2].entry("deltarule train, again").median),
    ]
    text = (
        "Whole processes, from the call to the end, so Python's own start is in every number. The fits are ten "
        "epochs with each "
        "library's defaults on scikit-learn's digits, data and import included; nothing compiled is kept between "
        "them but "
        "where the row says so."
    )
    return Result("startup", "Before the first number", text, cases, goals)
