"""A race of programs that each run once for each seed, in a process of its own, and say what came out."""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "races"
LIMIT = 1800  # seconds of a contestant


# What a contestant imports, by the first word of its name; imported before the clock runs.
PACKAGES = {
    "deltarule,": ("deltarule.models.series.narx",),
    "jax-sysid,": ("jax", "flax.linen", "jax_sysid.models"),
    "PyTorch": ("torch",),
    "SysIdentPy,": ("torch", "sysidentpy.model_structure_selection", "sysidentpy.neural_network"),
    "pyrenn": ("pyrenn",),
    "reservoirpy,": ("reservoirpy.nodes",),
}


def lap(name: str, run: Callable[[], dict[str, Any]]) -> None:
    """Print what a contestant finds, with the seconds it takes, as the last line."""
    for package in PACKAGES.get(name.split()[0], ()):
        importlib.import_module(package)
    began, used = time.perf_counter(), time.process_time()
    found = run()
    seconds = {"seconds": time.perf_counter() - began, "processor_seconds": time.process_time() - used}
    print(json.dumps(found | seconds))


def race(words: Sequence[str], contestants: Sequence[str], seeds: int, out: Path) -> None:
    """Run `python -m WORDS --only CONTESTANT --seed SEED` for all of them in turns, and write what they say."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    for seed in range(seeds):
        for name in contestants:
            line = [sys.executable, "-m", *words, "--only", name, "--seed", str(seed)]
            try:
                answer = subprocess.run(line, capture_output=True, text=True, timeout=LIMIT, check=True)
                found[name].append(json.loads(answer.stdout.splitlines()[-1]))
            except (subprocess.SubprocessError, IndexError, ValueError) as error:
                last = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1:]
                found[name].append({"error": last[0] if last else ""})
            print(name, seed, found[name][-1], flush=True)
    out.write_text(json.dumps(found, indent=1) + "\n")
