"""docs/recurrent.md: its example runs and prints what it says, and the files and classes that it names exist."""

import re
from pathlib import Path

import deltarule as dr

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "recurrent.md").read_text()


def test_the_example(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code.replace("epochs=60", "epochs=2"), "recurrent.md", "exec"), {})
    assert capsys.readouterr().out.strip() == "(20, 50, 1)"
    assert "# (20, 50, 1)" in code


def test_what_it_names_exists():
    assert all((ROOT / name).is_file() for name in re.findall(r"`(tests/\S+?\.py)`", PAGE))
    inside = ROOT / "src" / "deltarule"
    assert (inside / "curvature" / "linearization.py").is_file()
    assert (inside / "network" / "layers" / "gru.py").is_file()
    assert all(hasattr(dr, name) for name in re.findall(r"\bdr\.(\w+)", PAGE))
    assert all((ROOT / "docs" / name).is_file() for name in re.findall(r"\]\(([a-z./]+\.md)\)", PAGE))
