"""Who predicts: each is made from the files that `Maker` left, and its lap is as many calls as fill some
milliseconds.
"""

import ctypes
import importlib.util
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

LAP_SECONDS = 0.03


class Maker:
    """Fits the network, and writes it as arrays, pickle, ONNX, C and Python; trains on scikit-learn's digits."""

    def __init__(self, folder: str):
        """Write everything that can be written here."""
        import pickle

        from sklearn.datasets import load_digits

        import deltarule as dr
        from deltarule.errors import DeltaruleError

        place = Path(folder)
        X, y = load_digits(return_X_y=True)
        model = dr.NetworkClassifier(hidden=(30,), trainer="sgd", epochs=20, random_state=0).fit(X, y)
        first, second = model.params_
        arrays = {"W0": first["W"], "b0": first["b"], "W1": second["W"], "b1": second["b"]}
        np.savez(place / "network.npz", X=X, mean=model.x_scaling_.mean, std=model.x_scaling_.std, **arrays)
        (place / "model.pickle").write_bytes(pickle.dumps(model))
        for name in ("network.onnx", "network.c", "network.py"):
            try:
                dr.export_model(model, place / name, precision="float" if name.endswith("onnx") else "double")
            except DeltaruleError as reason:  # without onnx that one is missing
                (place / f"{name}.missing").write_text(str(reason))


class Predictor:
    """Calls `self.call(self.x)`; x is float64 as a user has it, unless the peer takes float32."""

    call: Callable[[Any], Any]

    def __init__(self, folder: str, rows: int, name: str):
        """`name` is that of the file in which the probabilities are left."""
        self.place, self.rows, self.name = Path(folder), rows, name
        with np.load(self.place / "network.npz") as arrays:
            self.arrays = dict(arrays)
        X = self.arrays["X"]
        self.x: Any = X[:1].copy() if rows == 1 else np.resize(X, (rows, X.shape[1]))
        self.make()
        self.call(self.x)
        began = time.perf_counter()
        self.call(self.x)
        self.calls = max(1, round(LAP_SECONDS / (time.perf_counter() - began)))

    def make(self) -> None:
        """Set `call`, and `x` where it must be another array."""
        raise NotImplementedError

    def folded(self) -> list[np.ndarray]:
        """W and b of both layers, the scaling of the inputs folded into the first."""
        W0, b0, W1, b1 = (self.arrays[key] for key in ("W0", "b0", "W1", "b1"))
        scaled = W0 / self.arrays["std"]
        return [scaled, b0 - scaled @ self.arrays["mean"], W1, b1]

    def lap(self) -> float:
        """Seconds a call."""
        began = time.perf_counter()
        for _ in range(self.calls):
            self.call(self.x)
        return (time.perf_counter() - began) / self.calls

    def finish(self) -> dict[str, float]:
        """Leave the probabilities for the comparison."""
        np.save(self.place / f"{self.name}-{self.rows}.npy", np.asarray(self.call(self.x), np.float64))
        return {}


class NetworkCall(Predictor):
    """net(params, x) with float32 parameters as `load_model` gives them, NumPy's."""

    engine = "numpy"

    def make(self) -> None:
        """A float32 row, as a float32 network has it; the result is a NumPy array."""
        import deltarule as dr
        from deltarule import engine as engines

        E = engines.get(self.engine)
        net = dr.Network([dr.Dense(30, "tanh"), dr.Dense(10, "softmax")], "log-likelihood")
        W0, b0, W1, b1 = (E.put(part, np.float32) for part in self.folded())
        params: Any = [{"W": W0, "b": b0}, {"W": W1, "b": b1}]
        self.x = self.x.astype(np.float32)
        self.call = lambda x: np.asarray(net(params, x))


class JaxNetworkCall(NetworkCall):
    """The same with parameters that are JAX's arrays, as a training on the JAX engine leaves them."""

    engine = "jax"


class Estimator(Predictor):
    """The fitted estimator as it was pickled."""

    def make(self) -> None:
        """Its own scaling."""
        import pickle

        self.call = pickle.loads((self.place / "model.pickle").read_bytes()).predict_proba


class ExportedC(Predictor):
    """The exported C99 file, gcc -O3 -march=native."""

    def make(self) -> None:
        """A loop over the rows in C, called by ctypes."""
        source = self.place / "network.c"
        library = self.place / "network.so"
        loop = (
            "void all(const real *x, int n, real *out) "
            "{ for (int i = 0; i < n; i++) network_predict(x + 64 * i, out + 10 * i); }"
        )
        timed = self.place / "timed.c"
        timed.write_text(source.read_text() + loop + "\n")
        subprocess.run(
            ["gcc", "-O3", "-march=native", "-shared", "-fPIC", str(timed), "-o", str(library), "-lm"],
            check=True,
        )
        run = ctypes.CDLL(str(library)).all
        out = np.empty((self.rows, 10))
        self.x = np.ascontiguousarray(self.x)
        given = (ctypes.c_void_p(self.x.ctypes.data), self.rows, ctypes.c_void_p(out.ctypes.data))

        def call(x: np.ndarray) -> np.ndarray:
            run(*given)
            return out

        self.call = call


class ExportedNumpy(Predictor):
    """The exported Python file."""

    def make(self) -> None:
        """Import it as a module."""
        spec = importlib.util.spec_from_file_location("network", self.place / "network.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.call = module.predict_proba


class OnnxRuntime(Predictor):
    """The exported ONNX file in float32."""

    def make(self) -> None:
        """One session; the output that holds the probabilities."""
        import onnxruntime

        session = onnxruntime.InferenceSession(self.place / "network.onnx", providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0]
        self.x = self.x.astype(np.float64 if "double" in given.type else np.float32)
        names = [output.name for output in session.get_outputs()]
        found = session.run(names, {given.name: self.x})
        wanted = next(name for name, value in zip(names, found, strict=True) if np.shape(value) == (self.rows, 10))
        self.call = lambda x: session.run([wanted], {given.name: x})[0]


class ScikitLearn(Predictor):
    """MLPClassifier with the weights put into it."""

    def make(self) -> None:
        """One step of fitting makes its arrays; the scaling is folded into them."""
        import warnings

        from sklearn.neural_network import MLPClassifier

        W0, b0, W1, b1 = self.folded()
        model = MLPClassifier((30,), activation="tanh", max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(self.arrays["X"], np.arange(len(self.arrays["X"])) % 10)
        model.coefs_, model.intercepts_ = [W0.T.copy(), W1.T.copy()], [b0, b1]
        self.call = model.predict_proba


class Torch(Predictor):
    """nn.Sequential in eval mode under inference_mode, float32."""

    def make(self) -> None:
        """The rows are a tensor already."""
        import torch
        from torch import nn

        model = nn.Sequential(nn.Linear(64, 30), nn.Tanh(), nn.Linear(30, 10), nn.Softmax(dim=1)).eval()
        with torch.no_grad():
            for p, value in zip(model.parameters(), self.folded(), strict=True):
                p.copy_(torch.from_numpy(value))
        self.x = torch.from_numpy(self.x.astype(np.float32))

        def call(x: torch.Tensor) -> np.ndarray:
            with torch.inference_mode():
                return model(x).numpy()

        self.call = call


class Jax(Predictor):
    """The forward pass in jax.numpy under jit, the row on the device."""

    def make(self) -> None:
        """float32."""
        import jax
        import jax.numpy as jnp

        W0, b0, W1, b1 = (jnp.asarray(part, jnp.float32) for part in self.folded())
        forward = jax.jit(lambda x: jax.nn.softmax(jnp.tanh(x @ W0.T + b0) @ W1.T + b1))
        self.x = jnp.asarray(self.x, jnp.float32)
        self.call = lambda x: np.asarray(forward(x))
