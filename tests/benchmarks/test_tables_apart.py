"""A fit in a process of its own: what it returns, raises, or that its time is up."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
from benchmarks.tables.apart import apart

def wrong():
    raise ValueError("no such column")

def endless():
    while True:
        sum(range(1000))

print(apart(lambda: {"error": 0.5}, 5), apart(wrong, 5), apart(endless, 1), sep=chr(10))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_what_fails_says_why():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert [ast.literal_eval(line) for line in done.stdout.splitlines()] == [
        {"error": 0.5},
        {"failed": "ValueError: no such column"},
        {"failed": "not ready after 1 s of the processor"},
    ]
