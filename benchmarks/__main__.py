"""``python -m benchmarks [NAME ...]``: measure, store, and write docs/benchmarks.md from all that is stored.

Every benchmark has a budget of time and writes docs/benchmarks/NAME.json and NAME.png as soon as it is done; the
page is made from the files that are there, so benchmarks may be run one by one, on one machine, in any order.

    python -m benchmarks                   all of them, about half an hour on two quiet cores
    python -m benchmarks sgd-small tiny    these
    python -m benchmarks --list            what there is, how long each takes, and who is missing
    python -m benchmarks --page            the page and the charts alone, from the stored files
    python -m benchmarks.gpu               the JAX engine on a GPU; its --out docs/benchmarks/gpu.json joins the page
    python -m benchmarks.tables            how well the defaults predict, beside their peers; see its --help
    python -m benchmarks guard             counts of instructions against benchmarks/guard.json; see CONTRIBUTING.md
"""

import argparse
import datetime
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import page
from benchmarks.machine import PACKAGES, describe
from benchmarks.record import Result, read, write
from benchmarks.registry import BENCHMARKS, Benchmark
from benchmarks.settings import Settings

DOCS = Path(__file__).resolve().parents[1] / "docs"
GPU = "gpu"  # its result, which `python -m benchmarks.gpu` leaves, is on the page where there is one


def arguments() -> argparse.Namespace:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all by default")
    parser.add_argument("--list", action="store_true", help="list the benchmarks and the packages, and stop")
    parser.add_argument("--page", action="store_true", help="write the page and the charts from the stored files")
    parser.add_argument("--repeats", type=int, help="laps of each contestant, in place of each benchmark's own")
    parser.add_argument("--seconds", type=float, help="budget of each benchmark, in place of its own")
    parser.add_argument(
        "--full", action="store_true", help="the longer form of lm: ten starts of 3 s, about 40 minutes"
    )
    parser.add_argument("--out", type=Path, default=DOCS, help="where benchmarks.md and benchmarks/ are (default docs)")
    options = parser.parse_args()
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"{name!r} is not known; choose from {', '.join(BENCHMARKS)}, guard")
    return options


def listing() -> str:
    """Print a line for each benchmark, then the packages."""
    machine = describe(0)
    lines = [f"{b.name:16} {b.seconds / 60:4.1f} min  {b.what}" for b in BENCHMARKS.values()]
    lines += [f"{'all':16} {sum(b.seconds for b in BENCHMARKS.values()) / 60:4.1f} min", ""]
    return "\n".join(lines + [f"{package:26} {machine.versions[package]}" for package in PACKAGES])


def measured(benchmark: Benchmark, options: argparse.Namespace) -> Result:
    """Run one benchmark, and add the machine and the date to its result."""
    began = time.perf_counter()
    machine = describe(benchmark.threads, benchmark.dtype)  # before: its load is that of the minute before
    settings = Settings(options.repeats or benchmark.repeats, options.seconds or benchmark.seconds, options.full)
    result = benchmark.run(settings, lambda line: print(f"  {line}", file=sys.stderr, flush=True))
    result.machine, result.date = asdict(machine), datetime.date.today().isoformat()
    result.seconds, result.repeats = time.perf_counter() - began, settings.repeats
    return result


def main() -> int:
    """Run the chosen benchmarks, then write the page; return 1 if one of them could not be run."""
    if sys.argv[1:2] == ["guard"]:
        from benchmarks.guard import main as guard

        return guard(sys.argv[2:])
    options = arguments()
    if options.list:
        print(listing())
        return 0
    store, failed = options.out / "benchmarks", 0
    for name in [] if options.page else options.names or BENCHMARKS:
        print(f"{name}: {BENCHMARKS[name].what}", file=sys.stderr, flush=True)
        try:
            result = measured(BENCHMARKS[name], options)
        except Exception as error:  # one that cannot be run must not take the others with it
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            failed = 1
            continue
        write(result, store / f"{name}.json")
        print(page.section(read(store / f"{name}.json"), picture=False), flush=True)
    names = [*BENCHMARKS, GPU]
    results = [read(store / f"{name}.json") for name in names if (store / f"{name}.json").exists()]
    page.write(results, options.out / "benchmarks.md")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
