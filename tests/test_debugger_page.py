"""docs/debugger.md typed into Python's debugger: what it shows is what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_is_what_the_debugger_shows():
    page = (ROOT / "docs" / "debugger.md").read_text()
    session = "\n".join(re.findall(r"^```\n(\(Pdb\).*?)^```", page, re.MULTILINE | re.DOTALL))
    typed = [line.removeprefix("(Pdb) ") for line in session.splitlines() if line.startswith("(Pdb) ")]
    wanted = "\n".join(line for line in session.splitlines() if not line.startswith("(Pdb) "))
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "step_through.py")],
        input="\n".join([*typed, "c"]),
        env=os.environ | {"PYTHONBREAKPOINT": "pdb.set_trace", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    numbers = re.compile(r"-?\d+\.\d{4,}")
    shown = " ".join(numbers.findall(done.stdout))
    assert len(numbers.findall(wanted)) > 15
    for line in wanted.splitlines():
        assert " ".join(numbers.findall(line)) in shown
