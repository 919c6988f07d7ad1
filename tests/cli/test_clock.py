"""The seconds of a command count from the import of the command line, before that of the library."""

import json
import time

from deltarule.cli.clock import STARTED


def test_the_seconds_count_from_the_import(run, shelf, flowers):
    before = time.perf_counter() - STARTED
    seconds = json.loads(run("evaluate", flowers, shelf / "flowers.csv", "--json").out)["seconds"]
    assert round(before, 3) <= seconds <= round(time.perf_counter() - STARTED, 3)
