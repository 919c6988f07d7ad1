"""predict: the same trained network, one row and 10⁵ rows, through deltarule, its exports and its peers."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.record import Case, Entry, Goal, Result
from benchmarks.settings import Settings
from benchmarks.turns import Contestant, Worker, take_turns

MANY = 100_000
TOLERANCE = 1e-5  # of a probability: some compute in float32
CASES = ((1, "one row", "µs a call", 1e6), (MANY, "100,000 rows", "ms a call", 1e3))
ON_CPU = {"JAX_PLATFORMS": "cpu"}


def predict(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """Train once, write the network down for everyone, take turns."""
    cases = []
    half = replace(settings, seconds=settings.seconds / 2)
    with tempfile.TemporaryDirectory() as place:
        maker = Worker(
            Contestant("maker", "benchmarks.predict.contestants:Maker", options={"folder": place}, environment=ON_CPU)
        )
        try:
            maker.ask("prepare", 120)
        finally:
            maker.end()
        for rows, title, unit, per_unit in CASES:
            entries = take_turns(
                who(place, rows), repeats=half.repeats, seconds=half.seconds, per_unit=per_unit, tell=tell
            )
            compare(entries, Path(place), rows)
            cases.append(Case(title, unit, "ONNX Runtime", entries, ["difference", "ready s"]))
    one = cases[0].entry("deltarule, net(params, x)").median
    estimator = cases[0].entry("deltarule, NetworkClassifier.predict_proba").median
    goals = [Goal("one row, net(params, x), µs", 50.0, one), Goal("one row, predict_proba, µs", 50.0, estimator)]
    text = (
        "64-30-10, tanh and softmax, fitted to scikit-learn's digits by deltarule; everyone else is given its "
        "weights. net(params, x) computes on the engine of its parameters: NumPy's arrays, as a model file gives "
        "them, or JAX's. An estimator's "
        "call checks its input and standardises it; deltarule's estimator, like scikit-learn's, does so in "
        "float64. “Difference” is "
        "the largest, of a probability, from NumPy in float64."
    )
    return Result("predict", "Predictions", text, cases, goals)


def who(place: str, rows: int) -> list[Contestant]:
    """Everyone who can predict."""

    def one(name: str, title: str, *needs: str) -> Contestant:
        options = {"folder": place, "rows": rows, "name": title}
        return Contestant(name, f"benchmarks.predict.contestants:{title}", needs, options, ON_CPU)

    return [
        one("deltarule, net(params, x)", "NetworkCall", "deltarule"),
        one("deltarule, net(params, x), JAX engine", "JaxNetworkCall", "deltarule", "jax"),
        one("deltarule, NetworkClassifier.predict_proba", "Estimator", "deltarule", "sklearn"),
        one("deltarule, exported to C, by ctypes", "ExportedC", "deltarule"),
        one("deltarule, exported to NumPy", "ExportedNumpy", "deltarule"),
        one("ONNX Runtime", "OnnxRuntime", "onnxruntime", "onnx"),
        one("scikit-learn MLPClassifier.predict_proba", "ScikitLearn", "sklearn"),
        one("PyTorch, inference_mode", "Torch", "torch"),
        one("JAX, jitted, array on the device", "Jax", "jax"),
    ]


def compare(entries: list[Entry], place: Path, rows: int) -> None:
    """The largest difference from the referee's probabilities."""
    with np.load(place / "network.npz") as arrays:
        x = arrays["X"][:rows] if rows == 1 else np.resize(arrays["X"], (rows, arrays["X"].shape[1]))
        a = np.tanh((x - arrays["mean"]) / arrays["std"] @ arrays["W0"].T + arrays["b0"])
        z = a @ arrays["W1"].T + arrays["b1"]
    expected = np.exp(z - z.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    for entry in entries:
        title = next(c.options["name"] for c in who(str(place), rows) if c.name == entry.contestant)
        found = place / f"{title}-{rows}.npy"
        if entry.laps and found.exists():
            entry.extra["difference"] = float(np.abs(np.load(found) - expected).max())
            entry.agrees = entry.extra["difference"] <= TOLERANCE
