"""Count the files and moves between files on the way from `dr.train` to the first factorisation.

    python -m benchmarks.walk [--files]

A move is a call or a return from one file of deltarule to another, counted with `sys.setprofile` while
Levenberg-Marquardt takes its first step on 2-8-1 and 30 examples, all modules imported before. The fewer, the easier it
is to follow in a debugger.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import deltarule as dr
from deltarule.engine import numpy_engine

SOURCE = str(Path(dr.__file__).parent)


class Arrived(Exception):
    """Raised when the matrix is about to be factored."""


def walk() -> tuple[list[str], int]:
    """Return the files in the order of their first visit, and the number of moves between them."""
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, (30, 2))
    Y = np.sin(3 * X[:, :1]) * X[:, 1:]
    net = dr.Network([dr.Dense(8, "tanh"), dr.Dense(1, "linear")])
    trainer = dr.LevenbergMarquardt()
    dr.train(net, X, Y, trainer=trainer, epochs=1, seed=0)  # imports what is imported late
    visits: list[str] = []

    def look(frame: Any, event: str, _: Any) -> None:
        if event not in ("call", "return"):
            return
        here = frame.f_code if event == "call" else getattr(frame.f_back, "f_code", None)
        if here is not None and here.co_filename.startswith(SOURCE):
            visits.append(here.co_filename[len(SOURCE) + 1 :])
        if event == "call" and frame.f_code is numpy_engine.factor.__code__:
            sys.setprofile(None)
            raise Arrived

    sys.setprofile(look)
    try:
        dr.train(net, X, Y, trainer=trainer, epochs=1, seed=0)
    except Arrived:
        pass
    finally:
        sys.setprofile(None)
    moves = sum(a != b for a, b in pairwise(visits))
    return list(dict.fromkeys(visits)), moves


def main() -> None:
    """Print both counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.walk", description=__doc__)
    parser.add_argument("--files", action="store_true", help="name the files, in the order of the first visit")
    options = parser.parse_args()
    files, moves = walk()
    print(f"{len(files)} files, {moves} moves")
    if options.files:
        print("\n".join(files))


if __name__ == "__main__":
    main()
