"""How long a fit with defaults takes at three sizes: `python -m benchmarks.tables.times` prints and stores it.

Smooth data with a tenth of noise; each fit in a process of its own, one thread, three times; the median counts.
"""

import argparse
import json
import os
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.tables.apart import apart
from benchmarks.tables.cleaning import Table
from benchmarks.tables.contestants import OURS, ours, peer
from benchmarks.tables.store import DEFAULT

SIZES = {(500, 10): 3.0, (1_000, 10): None, (2_000, 20): 15.0, (10_000, 10): 60.0}  # what ours may take, seconds
ALL_ROWS = "Gaussian process, all rows"  # its hyperparameters too; on 2,000 rows and more it takes minutes
WHO = (OURS, ALL_ROWS, "Gaussian process", "CatBoost", "boosting", "MLP")
LIMIT = 120.0
FILE = DEFAULT / "times.json"


def data(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Five of the columns matter, as in Friedman's first problem; the noise has a tenth of the signal's deviation."""
    random = np.random.default_rng(0)
    X = random.uniform(size=(rows, columns))
    clean = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    return X, clean + 0.1 * clean.std() * random.normal(size=rows)


def one(who: str, rows: int, columns: int) -> dict[str, Any]:
    """Seconds of one fit, by the clock and of the processor, and R² on fresh rows."""
    X, y = data(2 * rows, columns)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(columns)])
    table = Table(frame, y, "regression")
    model = ours("regression", {}) if who == OURS else peer(who.removesuffix(", all rows"), table, rows)
    if who == ALL_ROWS:
        model.set_params(regressor__scalinggaussianprocess__work=np.inf)
    clock, processor = time.perf_counter(), time.process_time()
    model.fit(frame[:rows], y[:rows])
    found = {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}
    return found | {"r2": float(1 - np.mean((model.predict(frame[rows:]) - y[rows:]) ** 2) / y[rows:].var())}


def main() -> None:
    """Time the chosen contestants in turns; the stored times of the others stay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--who", nargs="*", default=list(WHO))
    who = parser.parse_args().who
    for rows, columns in SIZES:
        fits: dict[str, list[dict[str, Any]]] = {name: [] for name in who if name != ALL_ROWS or rows <= 2_000}
        for _ in range(3):
            for name, own in fits.items():
                if not own or own[-1].get("processor", LIMIT) < LIMIT / 6:
                    own.append(apart(lambda name=name, r=rows, c=columns: one(name, r, c), LIMIT))
                    print(rows, columns, name, own[-1], flush=True)
        found = json.loads(FILE.read_text()) if FILE.exists() else {}
        size = found.setdefault(f"{rows} x {columns}", {})
        size |= {name: _median(own) | {"load": os.getloadavg()[0]} for name, own in fits.items()}
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(json.dumps(found, indent=1) + "\n")


def _median(fits: list[dict[str, Any]]) -> dict[str, Any]:
    good = [fit for fit in fits if "failed" not in fit]
    if not good:
        return fits[-1]
    return {key: float(np.median([fit[key] for fit in good])) for key in good[0]} | {"fits": len(good)}


if __name__ == "__main__":
    main()
