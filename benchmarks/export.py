"""How long the C export of a network takes for a row, and how far its predictions differ from deltarule's.

    python -m benchmarks.export [--hidden 20] [--inputs 10] [--rows 1000] [--rounds 200]

gcc -O2, one core; the best and the median round, in nanoseconds a row, for double and float.
"""

import argparse
import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import deltarule as dr

TIMER = """
#include <time.h>
/* nanoseconds a row, one number for each round */
void measure(const real *rows, int count, real *out, double *nanoseconds, int rounds)
{
    int r, i;
    struct timespec before, after;
    for (r = 0; r < rounds; r++) {
        clock_gettime(CLOCK_MONOTONIC, &before);
        for (i = 0; i < count; i++)
            net_predict(rows + i * COLUMNS, out + i);
        clock_gettime(CLOCK_MONOTONIC, &after);
        nanoseconds[r] = ((after.tv_sec - before.tv_sec) * 1e9 + (after.tv_nsec - before.tv_nsec)) / count;
    }
}
"""


def main() -> None:
    """Train, export, compile, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("inputs", 10), ("hidden", 20), ("rows", 1000), ("rounds", 200)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    X = random.normal(100, 30, (options.rows, options.inputs))
    y = 1000 + 50 * np.sin(X[:, 0] / 20) + X[:, 1:].mean(axis=1)
    model = dr.NetworkRegressor(hidden=(options.hidden,), epochs=20, random_state=0).fit(X, y)
    expected = model.predict(X)
    compiler = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    print(f"{options.inputs}-{options.hidden}-1, {options.rows} rows, {compiler}, -O2, one core")
    for precision in ("double", "float"):
        first, second, nanoseconds = measured(model, X, precision, options.rounds)
        error = np.abs(first - expected).max() / np.abs(expected).max()
        same = "the same bits" if (first == second).all() else "OTHER BITS"
        print(
            f"  {precision:6}  median {np.median(nanoseconds):5.0f} ns a row, best {nanoseconds.min():5.0f}, "
            f"two runs give {same}, relative error beside deltarule {error:.1e}"
        )


def measured(model, X: np.ndarray, precision: str, rounds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The predictions of two runs, and the nanoseconds a row of each round."""
    dtype = np.float64 if precision == "double" else np.float32
    with tempfile.TemporaryDirectory() as folder:
        source = dr.export_model(model, Path(folder) / "net.c", precision=precision)
        timed = source.read_text() + TIMER.replace("COLUMNS", str(X.shape[1]))
        source.write_text("#define _POSIX_C_SOURCE 199309L\n" + timed)
        library = Path(folder) / "net.so"
        strict = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
        subprocess.run([*strict, str(source), "-o", str(library), "-lm"], check=True)
        measure = ctypes.CDLL(str(library)).measure
        rows = np.ascontiguousarray(X, dtype)
        outputs = [np.empty(len(X), dtype) for _ in range(2)]
        nanoseconds = np.empty(rounds)
        for out in outputs:
            pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (rows, out, nanoseconds)]
            measure(pointers[0], len(X), pointers[1], pointers[2], rounds)
    return outputs[0], outputs[1], nanoseconds


if __name__ == "__main__":
    main()
