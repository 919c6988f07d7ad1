"""The table on paper of docs/scaling.md: which form, what time and what limits it, from rates that were measured.

python -m benchmarks.scaling [--exact FLOPS] [--first FLOPS] [--network BYTES] [--disk BYTES] [--memory BYTES]

Rates are of one device: operations a second of J^T J in float64 and of SGD in float32, bytes a second from the network
and the disk, bytes of memory. Of an epoch of SGD and of a step of Levenberg-Marquardt the slowest part is named.
"""

import argparse
from dataclasses import dataclass

INPUTS = 100  # numbers of an example; a network of n parameters has them whatever n is
BATCH = 8192
LATENCY = 50e-6  # of one message between machines; an all-reduce takes 2 log2 P of them
CG_PRODUCTS = 100


@dataclass(frozen=True)
class Rates:
    """One device."""

    exact: float
    first: float
    network: float
    disk: float
    memory: float


def seconds(N: float, n: float, P: int, form: str, rates: Rates) -> dict[str, float]:
    """The parts of an epoch of SGD or of a step, one trial of lambda, of Levenberg-Marquardt."""
    ring, hops = 2 * (P - 1) / P, 2 * max(0, (P - 1).bit_length())
    width = 4 if form == "SGD" else 8
    streamed = N / P * (INPUTS + 1) * width > rates.memory / 2
    parts = {"disk": (2 if form == "primal" else 1) * N / P * (INPUTS + 1) * 4 / rates.disk if streamed else 0.0}
    if form == "SGD":
        steps = N / BATCH
        return parts | {
            "products": 6 * n * N / P / rates.first,
            "network": steps * (ring * width * n / rates.network),
            "latency": steps * hops * LATENCY,
        }
    if form == "primal":
        return parts | {
            "products": N * n * n / P / rates.exact,
            "factorisation": n**3 / 3 / rates.exact,
            "network": ring * 8 * n * n / rates.network,
            "latency": 4 * hops * LATENCY,
        }
    return {
        "disk": CG_PRODUCTS * parts["disk"],
        "products": CG_PRODUCTS * 8 * n * N / P / rates.exact,
        "network": CG_PRODUCTS * ring * 8 * n / rates.network,
        "latency": CG_PRODUCTS * hops * LATENCY,
    }


def held(n: float, form: str) -> float:
    """Bytes that do not shrink with P."""
    return {"SGD": 5 * 4 * n, "primal": 3 * 8 * n * n, "cg": 10 * 8 * n}[form]


def shown(time: float) -> str:
    """Two digits and a unit."""
    for unit, size in (("y", 3.15e7), ("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if time >= size:
            return f"{time / size:,.2g} {unit}" if time / size < 100 else f"{time / size:,.0f} {unit}"
    return f"{1e3 * time:.2g} ms"


def cell(N: float, n: float, P: int, form: str, rates: Rates) -> str:
    """The time and its largest part, or that it does not fit."""
    if held(n, form) > rates.memory:
        return "memory"
    parts = seconds(N, n, P, form, rates)
    return f"{shown(sum(parts.values()))}, {max(parts, key=lambda name: parts[name])}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("exact", 2e10), ("first", 2e10), ("network", 1.25e9), ("disk", 5e8), ("memory", 2**36)):
        parser.add_argument(f"--{name}", type=float, default=default)
    rates = Rates(**vars(parser.parse_args()))
    devices = (1, 8, 64, 1024)
    print("| examples | parameters | form | " + " | ".join(f"P = {P:,}" for P in devices) + " |")
    print("| --- " * (3 + len(devices)) + "|")
    for N in (1e6, 1e8, 1e10):
        for n in (1e3, 1e5, 1e7, 1e9):
            exact = "primal" if held(n, "primal") <= rates.memory else "cg"
            for form in ("SGD", exact):
                row = [cell(N, n, P, form, rates) for P in devices]
                print(f"| 1e{len(str(int(N))) - 1} | 1e{len(str(int(n))) - 1} | {form} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
