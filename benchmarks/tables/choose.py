"""Apply the rule to all data sets and write catalogue.json: `python -m benchmarks.tables.choose`.

It prints why each data set that has a response is left out. No contestant is run. Every table that somebody has looked
at is in looked_at.txt and can only serve to choose by; the page is of tables that nobody has seen.
"""

import hashlib
import json
import warnings
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from benchmarks.tables.cleaning import Table, Unfit, cleaned
from benchmarks.tables.copies import Column, is_copy, is_part, numbers
from benchmarks.tables.sources import Source, declared, documented

CATALOGUE = Path(__file__).with_name("catalogue.json")
LOOKED_AT = Path(__file__).with_name("looked_at.txt")
A_PACKAGE = 6  # tables of a kind from one package at most
PAGE = {"regression": 20, "classification": 15}


def lot(source: Source) -> str:
    """The SHA-256 of the name, which orders the tables."""
    return hashlib.sha256(source.name.encode()).hexdigest()


def fit_for_use() -> dict[Source, Table]:
    """Return all tables that the rule keeps; of copies the larger one."""
    found = {}
    for source in [*declared(), *documented()]:
        try:
            found[source] = cleaned(source.frame(), source.target)
        except (Unfit, FileNotFoundError) as reason:
            print(f"{source.name}: {reason}")
    kept: dict[Source, Table] = {}
    columns: dict[Source, list[Column]] = {}
    for source in sorted(found, key=lambda each: (-found[each].X.size, each.name)):
        own = numbers(found[source])
        copied = next((o for o in kept if is_copy(found[source], kept[o]) or is_part(own, columns[o])), None)
        if copied is not None:
            print(f"{source.name}: a copy or a part of {copied.name}")
            continue
        kept[source], columns[source] = found[source], own
    return kept


def drawn(tables: dict[Source, Table], kind: str, seen: set[str]) -> list[Source]:
    """The tables of one kind for the page, in the order of their lots: few of each package, none that was seen."""
    taken: Counter = Counter()
    picked = []
    for source in sorted((s for s, table in tables.items() if table.kind == kind), key=lot):
        if source.name not in seen and taken[source.package] < A_PACKAGE and len(picked) < PAGE[kind]:
            taken[source.package] += 1
            picked.append(source)
    return picked


def main() -> None:
    """Write the catalogue."""
    warnings.simplefilter("ignore")  # of pandas, about frames of other versions
    tables, seen, entries = fit_for_use(), set(LOOKED_AT.read_text().split()), {}
    for kind in PAGE:
        page = drawn(tables, kind, seen)
        for source in sorted(tables, key=lot):
            table = tables[source]
            if table.kind != kind or not (source in page or source.name in seen):
                continue
            size = {"rows": len(table.X), "columns": table.X.shape[1], "inputs": table.inputs}
            if kind == "classification":
                size["classes"] = len(set(table.y))
            half = "page" if source in page else "choosing"
            entries[source.name] = {"kind": kind, "half": half, **asdict(source), **size}
    CATALOGUE.write_text(json.dumps(entries, indent=1) + "\n")
    print({kind: sum(entry["kind"] == kind for entry in entries.values()) for kind in PAGE})


if __name__ == "__main__":
    main()
