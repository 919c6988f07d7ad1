"""A training set of 4 GB streamed in a process that may hold 1 GB: peak memory, rate and the share of time waited.

python -m benchmarks.streaming [--folder DIR] [--rows N] [--limit BYTES] [--parquet] [--trainers sgd,lm,command]
                               [--engine ENGINE]

"command" is `deltarule train FOLDER` with its scaling, its held-out rows and its evaluation.

The trainings take the engine that "auto" takes, unless --engine names one. The limit is on the process's data
(RLIMIT_DATA: heap and private mappings, thread stacks included), which JAX's and Python's own memory count towards; the
peak printed is that of the resident set.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.machine import resident

INPUTS = 99  # with the target 100 float32 numbers a row, 400 bytes
PART = 250_000


def target(x: np.ndarray) -> np.ndarray:
    """Return targets that are smooth in three of the inputs, with noise of 0.1 from the digits of a fourth."""
    return np.sin(2 * x[:, :1]) * np.cos(x[:, 1:2]) + x[:, 2:3] + 0.1 * np.sin(1e4 * x[:, 3:4])


def write(folder: Path, rows: int, parquet: bool) -> None:
    """The training set in parts of PART rows, so that writing is small too."""
    random = np.random.default_rng(0)
    parts = [min(PART, rows - start) for start in range(0, rows, PART)]
    if parquet:
        import pyarrow as pa
        import pyarrow.parquet as pq
    else:
        x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (rows, INPUTS))
        y = np.lib.format.open_memmap(folder / "y.npy", "w+", np.float32, (rows, 1))
    start = 0
    for i, count in enumerate(parts):
        px = random.standard_normal((count, INPUTS), np.float32)
        py = target(px)
        if parquet:
            columns = {f"x{j}": px[:, j] for j in range(INPUTS)} | {"y": py[:, 0]}
            pq.write_table(pa.table(columns), folder / f"{i:04}.parquet", row_group_size=16_384, compression="none")
        else:
            x[start : start + count], y[start : start + count] = px, py
        start += count


def train(folder: Path, trainer: str, epochs: int, limit: int, engine: str) -> None:
    """Train in this process under the limit and print a row of the table."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    import deltarule as dr
    from deltarule.data import ArrayStream, ParquetStream

    array = (folder / "x.npy").exists()
    stream = ArrayStream(folder / "x.npy", folder / "y.npy") if array else ParquetStream(folder, "y")
    net = dr.Network([dr.Dense(200 if trainer == "sgd" else 3, "tanh"), dr.Dense(1, "linear")])
    chosen = dr.LevenbergMarquardt(acceleration=False, refit=False)
    if trainer == "sgd":
        chosen = dr.GradientDescent(eta=0.05, batch_size=256, momentum=0.9)
    before = resident() / 2**20
    began = time.perf_counter()
    result = dr.train_stream(net, stream, trainer=chosen, epochs=epochs, seed=0, memory=2**27, engine=engine)
    seconds = time.perf_counter() - began
    wait = ", ".join(f"{100 * share:.1f} %" for share in result.history["input_wait"])
    cost = ", ".join(f"{c:.4f}" for c in result.history["cost"])
    print(
        f"| {'.npy' if array else 'Parquet'} | {trainer} | {result.engine} | {len(stream):,} | {epochs} | "
        f"{seconds:.0f} | {resident() / 2**20:.0f} ({before:.0f} before) | {wait} | {cost} |",
        flush=True,
    )


def train_by_command(folder: Path, epochs: int, limit: int, engine: str) -> None:
    """Run `deltarule train FOLDER` in this process under the limit, and report the peak."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    from deltarule.cli import main

    words = ["--hidden", "50", "--trainer", "sgd", "--batch-size", "256", "--epochs", str(epochs), "--engine", engine]
    if not (folder / "x.npy").exists():
        words += ["--target", "y"]
    began = time.perf_counter()
    code = main(["train", str(folder), *words, "--out", str(folder.parent / f"{folder.name}.safetensors"), "--json"])
    print(f"exit code {code}, {time.perf_counter() - began:.0f} s, peak {resident() / 2**20:.0f} MiB", flush=True)


def main() -> None:
    """Write the files, then train on them in a process of its own for each trainer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_750_000)
    parser.add_argument("--limit", type=int, default=2**30)
    parser.add_argument("--parquet", action="store_true")
    parser.add_argument("--trainers", default="sgd,lm")
    parser.add_argument("--engine", default="auto", choices=("auto", "numpy", "jax"))
    parser.add_argument("--here", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here == "command":
        return train_by_command(options.folder, 2, options.limit, options.engine)
    if options.here:
        return train(options.folder, options.here, 2, options.limit, options.engine)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        write(Path(folder), options.rows, options.parquet)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        print(f"{size / 2**30:.2f} GiB on disk, limit {options.limit / 2**30:.2f} GiB", flush=True)
        print("| files | trainer | engine | rows | epochs | seconds | peak MiB | waited for input | cost |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for trainer in options.trainers.split(","):
            words = ["--folder", folder, "--here", trainer, "--limit", str(options.limit), "--engine", options.engine]
            subprocess.run([sys.executable, "-m", "benchmarks.streaming", *words], check=True, env=os.environ)
    return None


if __name__ == "__main__":
    main()
