"""Run the race, problem by problem with the contestants in turns, and write its table and its picture.

    python -m benchmarks.equations [--only CASE ...] [--who NAME ...] [--limit 120] [--out docs/benchmarks/equations]

Each contestant is a process of its own on one thread and has `limit` seconds of processor time, in slices of some
seconds by turns. What is kept after every round is drawn and printed by `--picture` alone.
"""

import argparse
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.equations.contestants import CONTESTANTS
from benchmarks.equations.problems import CASES
from benchmarks.machine import describe
from benchmarks.turns import Contestant, Failed, Worker

SLICE = 5.0  # seconds of processor time of a turn
LONGEST = 7200.0  # seconds to wait for an answer, whatever else the machine does


def race(name: str, names: list[str], limit: float, keep: Callable[[dict], object]) -> None:
    """Run all contestants on one problem; `keep` is given their results after every round."""
    found: dict[str, dict] = {who: {"curve": []} for who in names}
    workers: dict[str, Worker] = {}

    def ask(who: str, what: str) -> dict:
        try:
            return workers[who].ask(what, LONGEST)
        except Failed as reason:
            found[who]["failed"] = str(reason)
            workers.pop(who).end()
            return {}

    try:
        for who in names:
            options = {"who": who, "name": name, "limit": limit, "lap": SLICE}
            workers[who] = Worker(Contestant(who, "benchmarks.equations.racer:Racer", options=options, threads=1))
            ask(who, "prepare")
        while workers:
            for who in list(workers):
                if ask(who, "lap") and (answer := ask(who, "finish")):
                    found[who] = answer["finish"]
                    if found[who]["ended"]:
                        workers.pop(who).end()
            keep(found)
    finally:
        for worker in workers.values():
            worker.end()


def best(result: dict, seconds: float = math.inf) -> float:
    """Return the smallest error so far."""
    return min((error for when, error in result["curve"] if when <= seconds), default=math.nan)


def table(found: dict) -> str:
    """Return a Markdown table: for each problem the error of each contestant, and when it ended."""
    names = list(CONTESTANTS)
    lines = ["| | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for name, results in found["curves"].items():
        cells = []
        for who in names:
            result = results.get(who, {"curve": []})
            if result["curve"]:
                said = f"{best(result):.1e} ({result['curve'][-1][0]:.0f} s, {result.get('ended') or 'under way'})"
            else:
                said = result.get("failed", "not run")
            cells.append(said)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def picture(found: dict, path: Path) -> None:
    """Draw error against seconds, with a panel for each case."""
    from deltarule.inspection import plots
    from deltarule.inspection.plots.style import COLOURS

    figure, axes = plots.panels(2, 3, size=(11, 6.4))
    colours = dict(zip(CONTESTANTS, COLOURS, strict=False))
    for axis, (name, make) in zip(axes, CASES.items(), strict=False):
        case = make()
        for who, result in found["curves"].get(name, {}).items():
            if result["curve"]:
                line = [(seconds, best(result, seconds)) for seconds, _ in result["curve"]]
                axis.loglog(*zip(*line, strict=True), color=colours[who], label=who)
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
    empty = {"machine": asdict(describe(1)), "limits": {}, "loads": {}, "curves": {}}
    found = json.loads(path.read_text()) if path.exists() else empty
    for name in [] if options.picture else options.only:
        found["limits"][name], found["loads"][name] = options.limit, []

        def keep(results: dict, name: str = name) -> None:
            found["curves"].setdefault(name, {}).update(results)
            found["loads"][name].append(round(os.getloadavg()[0], 1))
            path.write_text(json.dumps(found))

        race(name, options.who, options.limit, keep)
        for who, result in found["curves"][name].items():
            print(f"{name:12} {who:18} {best(result):9.2e} {result.get('failed', result.get('ended'))}", flush=True)
    print(table(found))
    picture(found, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
