"""A long run: `python -m tests.fuzz.run 1000000 [SEED]` reads so many edited files and prints a table of what happened.

A failure ends the run with the reader, the exception and the file in hexadecimal digits.
"""

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.readers import KINDS, accepts, edited, readers

# What a file costs differs by a factor of fifty, so the quick readers get most of them.
SHARES = {
    "IDX": 0.4,
    "TOML": 0.3,
    "safetensors": 0.15,
    "checkpoint": 0.1,
    "CSV": 0.02,
    "text": 0.01,
    "Excel": 0.003,
    "Parquet": 0.017,
}


def fuzz(name: str, count: int, seed: int, folder: Path) -> tuple[int, float]:
    """Read so many edited files; how many were accepted, and the longest time that one took."""
    reader, chance = readers(folder)[name], random.Random(f"{name} {seed}")
    path, accepted, longest = folder / f"file{reader.suffix}", 0, 0.0
    for _ in range(count):
        edits = [
            (chance.randrange(KINDS), chance.random(), chance.randbytes(chance.choice((1, 1, 1, 4, 16))))
            for _ in range(chance.choice((1, 1, 2, 3, 8)))
        ]
        data = edited(chance.choice(reader.seeds), edits)
        data = reader.mend(data) if chance.random() < 0.7 else data
        began = time.perf_counter()
        try:
            accepted += accepts(reader, path, data)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}\n{data.hex()}", flush=True)
            raise
        longest = max(longest, time.perf_counter() - began)
    return accepted, longest


def main(total: int, seed: int) -> None:
    """Fuzz every reader and print a row for each."""
    print("| reader | files | accepted | longest, ms | peak memory, MiB | seconds |")
    print("| --- | --- | --- | --- | --- | --- |")
    fast = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a disk would take most of the time
    with tempfile.TemporaryDirectory(dir=fast) as folder:
        for name, share in SHARES.items():
            began, count = time.perf_counter(), round(total * share)
            accepted, longest = fuzz(name, count, seed, Path(folder))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            row = (name, f"{count:,}", f"{accepted:,}", f"{1000 * longest:.0f}", f"{peak:.0f}")
            print(f"| {' | '.join(row)} | {time.perf_counter() - began:.0f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
