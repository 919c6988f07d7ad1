"""Runs the contestants one after another and keeps their curves; draws the picture.

    python -m benchmarks.equations [--only CASE ...] [--who NAME ...] [--limit 120] [--out docs/benchmarks/equations]

Each run is a process of its own. What is not installed is left out and said. `--picture` draws from what is kept.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.equations.contestants import CONTESTANTS
from benchmarks.equations.problems import CASES


def one(who: str, name: str, limit: float) -> dict:
    """A run in this process."""
    case = CASES[name]()
    return {"curve": CONTESTANTS[who](case, limit)}


def run(who: str, name: str, limit: float) -> dict:
    """A run in a process of its own."""
    program = (
        "import json, sys; from benchmarks.equations.__main__ import one;"
        f"print('\\n' + json.dumps(one({who!r}, {name!r}, {limit!r})))"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["?"])[-1][:200]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def picture(found: dict, path: Path) -> None:
    """Error against seconds, a panel for each case."""
    from deltarule.inspection import plots
    from deltarule.inspection.plots.style import COLOURS

    figure, axes = plots.panels(2, 3, size=(11, 6.4))
    for axis, (name, make) in zip(axes, CASES.items(), strict=False):
        case = make()
        for colour, (who, result) in zip(COLOURS, found.get(name, {}).items(), strict=False):
            if result.get("curve"):
                best, line = float("inf"), []
                for seconds, error in result["curve"]:
                    best = min(best, error)
                    line.append((seconds, best))
                axis.loglog(*zip(*line, strict=True), color=colour, label=who)
        axis.axhline(case.goal, color="#8a8f98", linewidth=1, linestyle=":")
        axis.set(title=case.title, xlabel="seconds of processor time", ylabel="relative L² error")
    axes[-1].axis("off")
    handles, labels = axes[0].get_legend_handles_labels()
    axes[-1].legend(handles, labels, loc="center", frameon=False)
    plots.save(figure, path)


def main() -> None:
    """Take the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(CASES))
    parser.add_argument("--who", nargs="*", default=list(CONTESTANTS))
    parser.add_argument("--limit", type=float, default=120.0)
    parser.add_argument("--out", default="docs/benchmarks/equations")
    parser.add_argument("--picture", action="store_true")
    options = parser.parse_args()
    path = Path(options.out).with_suffix(".json")
    found = json.loads(path.read_text()) if path.exists() else {}
    for name in [] if options.picture else options.only:
        for who in options.who:
            result = run(who, name, options.limit)
            found.setdefault(name, {})[who] = result | {"limit": options.limit}
            best = min((error for _, error in result.get("curve", [])), default=float("nan"))
            print(f"{name:12} {who:18} {best:9.2e} {result.get('failed', '')}", flush=True)
            path.write_text(json.dumps(found))
    picture(found, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
