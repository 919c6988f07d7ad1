"""Apply the rule to all data sets and write catalogue.json: `python -m benchmarks.tables.choose`.

It prints why each data set that has a response is left out. No contestant is run.
"""

import hashlib
import json
import re
import warnings
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from benchmarks.tables.cleaning import Table, Unfit, cleaned
from benchmarks.tables.copies import Column, is_copy, is_part, numbers
from benchmarks.tables.sources import Source, declared, documented

CATALOGUE = Path(__file__).with_name("catalogue.json")
A_PACKAGE = 6  # tables of a kind from one package at most
MOST = {"regression": 44, "classification": 36}
PAGE = {"regression": 20, "classification": 15}
# Looked at before the draw was final, some as copies of others: scikit-learn's, on which earlier versions of the
# estimators were developed, and those that were tried while the rule was being completed.
SEEN = re.compile(
    r"sklearn\..*|COUNT\.medpar|HistData\.PearsonLee|HLMdiag\.wages|ISLR\.College|MASS\.(bacteria|birthwt|nlschools)"
    r"|AER\.(CreditCard|GSOEP9402|HMDA|HousePrices|PSID1982|PSID7682|RecreationDemand|TravelMode)"
    r"|DAAG\.(dengue|frogs|leafshape|monica|spam7)|nlme\.Pixel|openintro\.acs12|robustbase\.NOxEmissions"
    r"|modeldata\.(cells|check_times|chem_proc_yield|credit|hotel_rates|hpc|mlc_churn|penguins|scat|stackoverflow)"
    r"|sampleSelection\.Mroz87|scikit-lego\.(abalone|penguins)|statsmodels\.(fair|modechoice)"
)


def lot(source: Source) -> str:
    """What orders the tables: the SHA-256 of the name."""
    return hashlib.sha256(source.name.encode()).hexdigest()


def fit_for_use() -> dict[Source, Table]:
    """All that the rule keeps; of copies the larger."""
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


def chosen(tables: dict[Source, Table], kind: str) -> list[Source]:
    """The tables of one kind in the order of their lots: few of each package, and not too many."""
    taken: Counter = Counter()
    picked = []
    for source in sorted((s for s, table in tables.items() if table.kind == kind), key=lot):
        if taken[source.package] < A_PACKAGE and len(picked) < MOST[kind]:
            taken[source.package] += 1
            picked.append(source)
    return picked


def main() -> None:
    """Write the catalogue."""
    warnings.simplefilter("ignore")  # of pandas, about frames of other versions
    tables = fit_for_use()
    entries = {}
    for kind in MOST:
        drawn = chosen(tables, kind)
        page = [source for source in drawn if not SEEN.fullmatch(source.name)][: PAGE[kind]]
        for source in drawn:
            table = tables[source]
            size = {"rows": len(table.X), "columns": table.X.shape[1], "inputs": table.inputs}
            if kind == "classification":
                size["classes"] = len(set(table.y))
            entries[source.name] = {
                "kind": kind,
                "half": "page" if source in page else "choosing",
                **asdict(source),
                **size,
            }
    CATALOGUE.write_text(json.dumps(entries, indent=1) + "\n")
    print({kind: sum(entry["kind"] == kind for entry in entries.values()) for kind in MOST})


if __name__ == "__main__":
    main()
