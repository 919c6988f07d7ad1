"""The regression guard: counts that do not depend on how busy the machine is, against those in benchmarks/guard.json.

    python -m benchmarks guard                 count and compare, about a minute
    python -m benchmarks guard --instructions  also the machine instructions of a step under valgrind, some minutes more
    python -m benchmarks guard --record        write what was counted down as the new standard

A number above its standard by more than 5 % is a regression and ends with exit code 1; one below by more than that is
worth recording. Counts of compiled code belong to a version of jaxlib: under another one they are shown, not judged.
"""

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

STANDARD = Path(__file__).with_name("guard.json")
ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = 0.05
FEWER, MORE, STEPS = 1, 4, 100  # epochs under valgrind, and the steps of each
INSTRUCTIONS = "sgd-small: instructions a step under valgrind"


def pluralized(names: list[str]) -> dict[str, float]:
    """Return every count, each taken in a process of its own, so that none sees what another imported or compiled."""
    found: dict[str, float] = {}
    for name in names:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.guarded", name],
            env=environment(), cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{name} could not be counted: {done.stderr.strip().splitlines()[-1]}")
        found |= json.loads(done.stdout.splitlines()[-1])
    return found


def environment() -> dict[str, str]:
    """Return an environment with one thread, the CPU, and no cache of compiled code."""
    places = [str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    more = {"JAX_PLATFORMS": "cpu", "NPROC": "1", "OMP_NUM_THREADS": "1", "JAX_ENABLE_COMPILATION_CACHE": "0"}
    return os.environ | more | {"PYTHONPATH": os.pathsep.join(places), "PYTHONHASHSEED": "0"}


def instructions() -> dict[str, float]:
    """Machine instructions of a step of sgd-small: two lengths of training under cachegrind, and their difference.

    valgrind shows programs a processor with AVX2 and without AVX-512, and XLA compiles for that.
    """
    if shutil.which("valgrind") is None:
        raise RuntimeError("valgrind is not installed: leave out --instructions")
    totals = []
    for count in (FEWER, MORE):
        with tempfile.TemporaryDirectory() as folder:
            out = f"--cachegrind-out-file={folder}/out"
            command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", out, sys.executable]
            done = subprocess.run(
                [*command, "-m", "benchmarks.guarded", "epochs", str(count)],
                env=environment(), cwd=ROOT, capture_output=True, text=True, check=True,
            )  # fmt: skip
        total = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
        if total is None:
            raise RuntimeError("valgrind printed no count of instructions")
        totals.append(int(total[1].replace(",", "")))
    return {INSTRUCTIONS: (totals[1] - totals[0]) / ((MORE - FEWER) * STEPS)}


def compare(
    found: dict[str, float], standard: dict[str, Any], version: str, tell: Callable[[str], object] = print
) -> bool:
    """Print every count beside its standard; return whether none has grown beyond the tolerance."""
    same = standard.get("jaxlib") == version
    if not same:
        tell(f"recorded with jaxlib {standard.get('jaxlib')}, and this is {version}: shown, not judged")
    good = True
    for name, value in found.items():
        known = standard.get("counts", {}).get(name)
        if known is None:
            tell(f"new      {name}: {value:,.0f}")
            continue
        grown = value > known * (1 + TOLERANCE)
        shrunk = value < known * (1 - TOLERANCE)
        word = "GROWN" if grown else "better" if shrunk else "same"
        tell(f"{word:8} {name}: {value:,.0f}, recorded {known:,.0f}")
        good = good and not (grown and same)
    return good


def main(arguments: list[str]) -> int:
    """Count, compare or record."""
    from benchmarks.guarded import COUNTS

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks guard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--instructions", action="store_true", help="also count machine instructions with valgrind")
    parser.add_argument("--record", action="store_true", help="write the counts to benchmarks/guard.json")
    options = parser.parse_args(arguments)
    found = pluralized(list(COUNTS)) | (instructions() if options.instructions else {})
    standard = json.loads(STANDARD.read_text()) if STANDARD.exists() else {}
    version = importlib.metadata.version("jaxlib")
    good = compare(found, standard, version)
    if options.record:
        STANDARD.write_text(
            json.dumps({"jaxlib": version, "counts": standard.get("counts", {}) | found}, indent=1) + "\n"
        )
        return 0
    return 0 if good else 1
