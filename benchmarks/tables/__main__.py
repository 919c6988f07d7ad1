"""Run what is not stored yet, and print the results or write the page.

    python -m benchmarks.tables                        the half for choosing, ours beside the peers; prints
    python -m benchmarks.tables --who deltarule --only MASS.epil sklearn.wine
    python -m benchmarks.tables --variant 'wide={"hidden": [50]}' --kind regression --rows 1000
    python -m benchmarks.tables --stored               prints what is stored, runs nothing
    python -m benchmarks.tables --page                 the other half, every contestant; writes docs/results/tables.md

Results are stored by contestant, version, table and split (see `store.py`), ours under a hash of the source.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: one thread for every contestant

from benchmarks.tables import page, report
from benchmarks.tables.catalogue import Entry, entries
from benchmarks.tables.contestants import OURS, PEERS
from benchmarks.tables.fitting import fitted
from benchmarks.tables.store import DEFAULT, Store
from benchmarks.tables.summary import result
from benchmarks.tables.variants import VARIANTS

KINDS = ("regression", "classification")


def arguments() -> argparse.Namespace:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="the half for the page, and write it")
    parser.add_argument("--half", choices=("choosing", "page", "both"), default="choosing")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--only", nargs="*", default=[], help="tables by name")
    parser.add_argument("--rows", type=int, default=20_000, help="tables of at most so many rows")
    parser.add_argument("--splits", type=int, default=9, help="at most so many of a table's splits")
    parser.add_argument("--who", nargs="*", help=f"contestants: {OURS}, {', '.join(PEERS)}, {', '.join(VARIANTS)}")
    parser.add_argument("--variant", action="append", default=[], metavar="NAME=JSON", help="ours with these arguments")
    parser.add_argument("--limit", type=float, default=90.0, help="seconds of the processor for a fit")
    parser.add_argument("--stored", action="store_true", help="run nothing")
    parser.add_argument("--again", action="store_true", help="run ours again though it is stored")
    parser.add_argument("--store", type=Path, default=DEFAULT)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "docs" / "results")
    return parser.parse_args()


def contestants(options: argparse.Namespace) -> dict[str, dict[str, dict[str, Any]]]:
    """Name: kind: the arguments of our constructor; peers have none."""
    known: dict[str, dict[str, dict[str, Any]]] = {OURS: {kind: {} for kind in KINDS}}
    known |= {who: {kind: {} for kind in KINDS} for who in PEERS} | VARIANTS
    extra = {}
    for text in options.variant:
        name, _, values = text.partition("=")
        given = {key: tuple(v) if isinstance(v, list) else v for key, v in json.loads(values).items()}
        extra[name] = {kind: given for kind in KINDS if not options.kind or kind == options.kind}
    who = options.who or [OURS, *PEERS, *(VARIANTS if options.page else ())]
    return {name: known[name] for name in who} | extra


def run(options: argparse.Namespace, store: Store, who: dict[str, Any], tables: list[Entry]) -> None:
    """Run every fit that is not stored, and print a line for each."""
    for entry in tables:
        for name, given in who.items():
            for split in range(min(entry.splits, options.splits)):
                if entry.kind not in given:
                    continue
                again = options.again and name not in PEERS
                if store.get(name, entry, split) is not None and not again:
                    continue
                found = fitted(name, given[entry.kind], entry, split, options.limit)
                store.put(name, entry, split, found)
                text = found.get("failed") or found.get("absent") or _line(found)
                print(f"{time.strftime('%H:%M:%S')} {entry.name}.{split} {entry.rows} {name}: {text}", flush=True)


def _line(found: dict[str, Any]) -> str:
    scores = " ".join(f"{name} {value:.4g}" for name, value in found["scores"].items())
    return f"{scores}; {found['processor']:.2f} s of the processor. {found['said']}"


def show(found: report.Found, tables: list[Entry], kind: str) -> None:
    """Print the overview, ours or the first of the contestants against the others, and the results of each table."""
    lines = [f"\n{kind}", *report.overview(found, kind, next(iter(found))), "", *report.errors(found, tables)]
    if kind == "regression":
        lines += ["", *report.intervals(found, tables, next(iter(found)))]
    print("\n".join([*lines, "", *report.seconds(found, tables), "", *report.absent(found)]))


def main() -> None:
    """Run the command."""
    options = arguments()
    half = "page" if options.page else options.half
    tables = [
        entry
        for entry in entries()
        if (half == "both" or entry.half == half)
        and (not options.kind or entry.kind == options.kind)
        and (entry.name in options.only if options.only else entry.rows <= options.rows)
    ]
    store, who = Store(options.store), contestants(options)
    if not options.stored:
        run(options, store, who, tables)
    found, by_kind = {}, {kind: [entry for entry in tables if entry.kind == kind] for kind in KINDS}
    for kind, own in by_kind.items():
        all_of_it = {name: {e.name: result(store, name, e) for e in own} for name in who if kind in who[name]}
        found[kind] = {name: each for name, each in all_of_it.items() if report.present(each)}
        if own and not options.page:
            show(found[kind], own, kind)
    if options.page:
        page.write(found, by_kind, list(entries()), options.out)
        print(f"written: {options.out / 'tables.md'}")


if __name__ == "__main__":
    main()
