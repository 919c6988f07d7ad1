"""startup: how long one waits before the first number - import, the first fit, another network, a search, the shell."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.record import Case, Entry, Goal, Result
from benchmarks.settings import Settings
from benchmarks.turns import Contestant, take_turns

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
SHAPES = ((500, 10), (50, 3), (2_000, 20))  # rows and columns of the first fits
FRESH = 1_000  # rows that no fit sees
OURS, PEER = "deltarule NetworkRegressor", "scikit-learn MLPRegressor"
QUICK = f"{OURS}, effort quick"
ANOTHER, AGAIN = f"{OURS}, a size for the first time", f"{OURS}, a size for the second time"
LBFGS, CONVERGED = f"{PEER}, lbfgs", f"{PEER}, lbfgs until it converges"
MODELS = {
    OURS: "import deltarule as dr; model = dr.NetworkRegressor(random_state=0)",
    QUICK: "import deltarule as dr; model = dr.NetworkRegressor(effort='quick', random_state=0)",
    PEER: "from sklearn.neural_network import MLPRegressor; model = MLPRegressor(random_state=0)",
    LBFGS: "from sklearn.neural_network import MLPRegressor; model = MLPRegressor(solver='lbfgs', random_state=0)",
    CONVERGED: "from sklearn.neural_network import MLPRegressor; "
    "model = MLPRegressor(solver='lbfgs', max_iter=5_000, random_state=0)",
}
SIZES = (5, 10, 15, 20, 30, 40)  # of the hidden layer, in the search
GRIDS = {OURS: "hidden", LBFGS: "hidden_layer_sizes", CONVERGED: "hidden_layer_sizes"}
TABLE_ROWS = 150
SCORE = "best R²"


def data(rows: int, columns: int) -> str:
    """The code of X and y: three of the columns matter, and the noise is a tenth of the target's deviation or so."""
    return (
        "import json, warnings; warnings.simplefilter('ignore'); import numpy as np; r = np.random.default_rng(0)\n"
        f"N = {rows}; X = r.uniform(-1, 1, (N + {FRESH}, {columns}))\n"
        "y = np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 2] ** 2 + 0.05 * r.normal(size=len(X))\n"
    )


def first_fit(name: str, rows: int, columns: int) -> str:
    """The code of a process that fits once; it prints what came of it."""
    fit = "model.fit(X[:N], y[:N]); print(json.dumps({'R² on fresh rows': model.score(X[N:], y[N:])}))"
    return f"{data(rows, columns)}{MODELS[name]}\n{fit}"


def search(name: str) -> str:
    """The code of a process that looks for the best hidden size by five-fold cross-validation."""
    return (
        f"{data(500, 10)}{MODELS[name]}\nfrom sklearn.model_selection import GridSearchCV\n"
        f"found = GridSearchCV(model, {{'{GRIDS[name]}': [(n,) for n in {SIZES}]}}, cv=5).fit(X[:N], y[:N])\n"
        f"print(json.dumps({{'{SCORE}': found.best_score_, 'best size': found.best_params_['{GRIDS[name]}'][0]}}))"
    )


@dataclass
class Command:
    """A lap is one process from its call to its end, with no cache of anything; the worker imports nothing heavy.

    Args:
        arguments: of Python.
        folder: files that lie in the folder where it runs, by name.
        before: the arguments of a command that runs once, untimed, and leaves its files there.
    """

    arguments: list[str]
    files: dict[str, str]
    before: list[str]

    def __post_init__(self):
        """Write the files and run what comes before."""
        self.folder = tempfile.TemporaryDirectory()
        self.peak, self.printed = 0.0, {}
        for name, text in self.files.items():
            (Path(self.folder.name) / name).write_text(text)
        if self.before:
            self._run(self.before)

    def lap(self) -> float:
        """Seconds from the call to the end of the process."""
        seconds, peak, last = self._run(self.arguments)
        self.peak = max(self.peak, peak)
        self.printed = json.loads(last) if last.startswith("{") else {}
        return seconds

    def finish(self) -> dict[str, Any]:
        """The largest resident set of all laps, and what the process printed as its last line, if that was JSON."""
        self.folder.cleanup()
        return {"peak MB": self.peak} | self.printed

    def _run(self, arguments: list[str]) -> tuple[float, float, str]:
        """Seconds, peak in 10⁶ bytes and the last line; `os.wait4` tells the peak of this one child."""
        with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryFile("w+") as out:
            environment = {name: value for name, value in os.environ.items() if name != "DELTARULE_CACHE"}
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder.name,
                env=environment | {"XDG_CACHE_HOME": cache},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            last = (out.read().strip().splitlines() or ["no message"])[-1]
        if process.returncode:
            raise RuntimeError(last)
        return seconds, 1024 * usage.ru_maxrss / 1e6, last


def command(name: str, needs: tuple[str, ...], arguments: list[str], **more: Any) -> Contestant:
    """A contestant whose laps are processes."""
    options = {"arguments": arguments, "files": {}, "before": []} | more
    environment = {"JAX_PLATFORMS": "cpu", "KERAS_BACKEND": "jax"}
    return Contestant(name, "benchmarks.startup:Command", needs, options, environment)


class Sizes:
    """A lap is a fit of 500 x 10 in a process that has fitted before, of a hidden size that no earlier lap had."""

    def __init__(self, again: bool):
        """With `again` the same fit has just been made, untimed."""
        import deltarule as dr

        given: dict[str, Any] = {}
        exec(data(500, 10), given)  # the code of the processes, so that the rows are the same
        self.X, self.y, self.size, self.again = given["X"][:500], given["y"][:500], 10, again
        self.model = dr.NetworkRegressor(random_state=0)
        self.model.fit(self.X, self.y)

    def lap(self) -> float:
        """Seconds of the fit."""
        self.size += 1
        model = self.model.set_params(hidden=(self.size,))
        if self.again:
            model.fit(self.X, self.y)
        began = time.perf_counter()
        model.fit(self.X, self.y)
        return time.perf_counter() - began

    def finish(self) -> dict[str, Any]:
        """Which sizes."""
        return {"sizes": f"11 to {self.size}"}


def table() -> str:
    """A table of TABLE_ROWS rows: three inputs and a target."""
    import numpy as np

    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, (TABLE_ROWS, 3))
    y = np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 2] ** 2 + 0.05 * random.normal(size=TABLE_ROWS)
    lines = [",".join(f"{value:.6f}" for value in row) for row in np.column_stack([X, y])]
    return "\n".join(["a,b,c,y", *lines]) + "\n"


def shell() -> list[Contestant]:
    """What a user of the command line waits for."""
    deltarule, needs = ["-m", "deltarule"], ("deltarule", "typer", "sklearn", "pandas")
    files, model = {"table.csv": table()}, ["--out", "model.safetensors"]
    train = [*deltarule, "train", "table.csv", "--target", "y", *model]
    return [
        command("deltarule train", needs, [*deltarule, "train", *model]),
        command(f"deltarule train table.csv, {TABLE_ROWS} rows", needs, train, files=files),
        command("deltarule predict", needs, [*deltarule, "predict", model[1], "table.csv"], files=files, before=train),
        command("deltarule --help", needs, [*deltarule, "--help"]),
    ]


SHELL_LIMITS = (2.5, 2.5, 1.2, 0.4)  # seconds, in the order of `shell`
TABLE_MEMORY = 250.0  # 10⁶ bytes


def startup(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """Each wait from the start of a process to its end, but for those within one."""
    goals: list[Goal] = []
    cases: list[Case] = []

    def measured(title: str, who: list[Contestant], reference: str, share: float, columns: list[str]) -> Case:
        tell(title)
        part = replace(settings, seconds=share * settings.seconds)
        entries: list[Entry] = take_turns(who, repeats=part.repeats, seconds=part.seconds, tell=tell)
        cases.append(Case(title, "s", reference, entries, columns))
        return cases[-1]

    imports = [command(name, (needs,), ["-c", code]) for name, (needs, code) in IMPORTS.items()]
    found = measured("import", imports, "JAX", 0.2, ["peak MB"])
    for rows, columns in SHAPES:
        who = [
            command(OURS, ("deltarule", "sklearn"), ["-c", first_fit(OURS, rows, columns)]),
            command(QUICK, ("deltarule", "sklearn"), ["-c", first_fit(QUICK, rows, columns)]),
            command(PEER, ("sklearn",), ["-c", first_fit(PEER, rows, columns)]),
        ]
        title = f"import and first fit, {rows:,} x {columns}"
        found = measured(title, who, PEER, 0.1, ["R² on fresh rows", "peak MB"])
        goals.append(Goal(f"{title}: deltarule / scikit-learn", 1.0, found.ratio(OURS)))
        goals.append(Goal(f"{title}: the same with effort quick", 1.0, found.ratio(QUICK)))
    who = [
        Contestant(name, "benchmarks.startup:Sizes", ("deltarule", "sklearn"), {"again": again})
        for name, again in ((ANOTHER, False), (AGAIN, True))
    ]
    found = measured("another hidden size in the same process, 500 x 10", who, AGAIN, 0.1, ["sizes"])
    goals.append(Goal("a new hidden size / the same once more", 1.2, found.ratio(ANOTHER)))
    who = [
        command(name, (needs, "sklearn"), ["-c", search(name)])
        for name, needs in ((OURS, "deltarule"), (LBFGS, "sklearn"), (CONVERGED, "sklearn"))
    ]
    title = f"GridSearchCV, {len(SIZES)} hidden sizes x 5 folds, 500 x 10"
    found = measured(title, who, LBFGS, 0.3, [SCORE, "best size", "peak MB"])
    for name in (LBFGS, CONVERGED):
        told = name.removeprefix(f"{PEER}, ")
        goals.append(Goal(f"GridSearchCV: deltarule / MLPRegressor with {told}", 1.0, found.ratio(OURS, name)))
        ours, peer = (found.entry(each).extra.get(SCORE) for each in (OURS, name))
        better = None if ours is None or peer is None else ours - peer
        goals.append(Goal(f"GridSearchCV: our best R² less that of {told}", 0.0, better, least=True))
    found = measured("from shell to shell", shell(), "", 0.1, ["peak MB"])
    for entry, limit in zip(found.entries, SHELL_LIMITS, strict=True):
        goals.append(Goal(f"`{entry.contestant}`, s", limit, entry.median))
    goals.append(Goal("peak memory of the second, MB", TABLE_MEMORY, found.entries[1].extra.get("peak MB")))
    text = (
        "Whole processes, from the call to the end, so Python's own start is in every number; every process has an "
        "empty cache folder. The fits are those of each estimator with its defaults on uniform inputs, of which three "
        "columns matter; R² is that on 1,000 rows that no fit saw, in the search the mean over the five folds. After "
        "its default of 200 iterations lbfgs warns at most sizes that it has not converged; the row “until it "
        "converges” may take 5,000. “Another hidden size” is a fit within a process that has fitted other sizes, "
        "beside the same fit made a second time. The peak is that of the resident set, in 10⁶ bytes."
    )
    return Result("startup", "Before the first number", text, cases, goals)
