"""``python -m benchmarks.lm [problem ...]``: race the contestants and write the report."""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.machine import describe, limit_threads


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lm", description=__doc__)
    parser.add_argument("problems", nargs="*", metavar="problem", help="names of problems; all by default")
    parser.add_argument("--starts", type=int, default=10, help="starting points of each problem (default 10)")
    parser.add_argument("--contestants", help="names with commas between them; all by default")
    parser.add_argument("--budget", type=float, help="seconds of one run; each problem's own by default")
    parser.add_argument("--iterations", type=int, default=10**9, help="iterations of one run; no limit by default")
    parser.add_argument("--threads", type=int, default=1, help="threads of every library (default 1)")
    parser.add_argument("--out", type=Path, help="directory for lm.md and lm.json; only printed by default")
    parser.add_argument("--list", action="store_true", help="list problems and contestants, and stop")
    return parser.parse_args()


def chosen(table: dict, names: list[str], kind: str) -> list:
    """The rows of ``table`` under ``names``, all for none; exits with code 2 for a name that is not there."""
    for name in names:
        if name not in table:
            print(f"{kind} {name!r} is not known; choose from {', '.join(table)}", file=sys.stderr)
            raise SystemExit(2)
    return [table[name] for name in names] if names else list(table.values())


def main() -> None:
    """Race, then write the tables."""
    options = arguments()
    limit_threads(options.threads)  # before anything below imports NumPy or JAX

    from benchmarks.lm.contestants import registry
    from benchmarks.lm.problems import every_problem
    from benchmarks.lm.race import race
    from benchmarks.lm.table import document, markdown

    problems = chosen(every_problem(), options.problems, "problem")
    contestants = chosen(registry(), options.contestants.split(",") if options.contestants else [], "contestant")
    if options.list:
        for problem in problems:
            print(f"{problem.name:10} {'-'.join(map(str, problem.sizes)):12} {problem.source}")
        for contestant in contestants:
            print(f"{contestant.name:20} {contestant.available() or 'available'}")
        return
    entries = race(
        problems,
        contestants,
        count=options.starts,
        seconds=options.budget,
        iterations=options.iterations,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )
    machine = describe(options.threads)
    report = markdown(entries, machine, options.starts)
    print(report)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "lm.md").write_text(report)
        (options.out / "lm.json").write_text(
            json.dumps(document(entries, machine, options.starts), separators=(",", ":"))
        )


if __name__ == "__main__":
    main()
