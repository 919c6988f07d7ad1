"""What `python -m benchmarks guard` counts: each function returns numbers that no load of the machine changes."""

import json
import sys
from typing import Any


def training(hidden: tuple[int, ...], examples: int, **options: Any) -> tuple[Any, Any]:
    """Return a training of a network of these hidden sizes on the JAX engine, and its carry before the first epoch."""
    import numpy as np

    import deltarule as dr
    from deltarule import engine
    from deltarule.training.loop import Course

    inputs, outputs = (784, 10) if len(hidden) == 1 else (2, 2)
    random, E = np.random.default_rng(0), engine.get("jax")
    X = random.random((examples, inputs), np.float32)
    Y = np.eye(outputs, dtype=np.float32)[random.integers(0, outputs, examples)]
    net = dr.Network([*(dr.Dense(n, "sigmoid") for n in hidden), dr.Dense(outputs, "sigmoid")])
    rows = E.make_rows(X, Y, None)
    course = Course(net, dr.GradientDescent(eta=0.5, **options), rows, None, (0,), dr.Stopping(), "cost", ())
    params = [{name: E.put(array) for name, array in layer.items()} for layer in net.init(0, (inputs,))]
    return course, course.start(params)


def operations() -> dict[str, float]:
    """Of the compiled steps: floating-point work and memory as XLA counts them, kernels, and whether tiny is one
    piece.
    """
    from deltarule.training.compiled_loop import call_of

    found: dict[str, float] = {}
    for name, hidden, examples, options in (
        ("sgd-small", (30,), 1_000, {"batch_size": 10}),
        ("tiny", (2, 3), 10, {"batch_size": 1, "sampling": "uniform", "steps": 1_000}),
    ):
        course, carry = training(hidden, examples, **options)
        function, given, static = call_of(course, carry, 1, 0)
        compiled = function.lower(*given, **static).compile()
        text = compiled.as_text()
        found[f"{name}: kernels in the compiled epoch"] = text.count(" fusion(") + text.count(" dot(")
        found[f"{name}: copies in the compiled epoch"] = text.count(" copy(")
        if name == "tiny":
            pieces = sum("small_call" in line and "f32[3,2]" in line for line in text.splitlines())
            found["tiny: loops over steps that are not one piece of machine code"] = float(pieces == 0)
    return found


def python_calls() -> dict[str, float]:
    """Count the calls of Python and C functions in the prediction of one row."""
    import numpy as np

    import deltarule as dr

    random = np.random.default_rng(0)
    X = random.normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int)
    model = dr.NetworkClassifier(hidden=(5,), trainer="sgd", regularization=None, epochs=1, random_state=0).fit(X, y)
    params = [{name: value.astype(np.float32) for name, value in layer.items()} for layer in model.params_]
    row, narrow, net = X[:1], X[:1].astype(np.float32), model.net_
    found = {}
    for name, call in (
        ("predict_proba", lambda: model.predict_proba(row)),
        ("net(params, x)", lambda: np.asarray(net(params, narrow))),
    ):
        call()
        call()
        counted = [0]

        def profile(frame: Any, event: str, argument: Any, counted: list[int] = counted) -> None:
            counted[0] += event in ("call", "c_call")

        sys.setprofile(profile)
        call()
        sys.setprofile(None)
        found[f"one row, {name}: function calls"] = float(counted[0])
    return found


def imports() -> dict[str, float]:
    """Count the modules that the network and gradient descent import, and the heavy ones that they do not need."""
    import deltarule as dr

    assert all((dr.Network, dr.Dense, dr.GradientDescent, dr.train))
    heavy = (
        "jax", "optax", "pandas", "sklearn", "matplotlib", "pyarrow", "optuna", "typer", "rich", "scipy.stats",
        "scipy.optimize",
    )  # fmt: skip
    ours = sum(name.startswith("deltarule") for name in sys.modules)
    return {
        "import: modules of deltarule": float(ours),
        "import: heavy modules that are not needed": float(sum(name in sys.modules for name in heavy)),
    }


def compilations() -> dict[str, float]:
    """Count the programs that XLA compiles in a first training."""
    import jax
    import numpy as np

    import deltarule as dr

    counted = [0]

    def heard(name: str, *_: Any, **__: Any) -> None:
        counted[0] += name == "/jax/core/compile/backend_compile_duration"

    jax.monitoring.register_event_duration_secs_listener(heard)
    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 4)), random.integers(0, 2, 60)
    net = dr.Network([dr.Dense(5, "sigmoid"), dr.Dense(2, "softmax")], "log-likelihood")
    dr.train(
        net,
        X[:40],
        y[:40],
        trainer=dr.GradientDescent(eta=0.5, batch_size=10),
        epochs=3,
        validation_data=(X[40:], y[40:]),
        engine="jax",
    )
    return {"first training: programs compiled": float(counted[0])}


def epochs(count: int) -> None:
    """Run so many epochs of 100 steps of sgd-small: valgrind counts the instructions of two numbers of them."""
    course, carry = training((30,), 1_000, batch_size=10)
    for epoch in range(1, count + 1):
        carry = course.advance(carry, epoch).carry


COUNTS = {count.__name__: count for count in (operations, python_calls, imports, compilations)}

if __name__ == "__main__":
    if sys.argv[1] == "epochs":
        epochs(int(sys.argv[2]))
    else:
        print(json.dumps(COUNTS[sys.argv[1]]()))
