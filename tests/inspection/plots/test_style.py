import subprocess
import sys

import numpy as np
import pytest

from deltarule.errors import ConfigurationError
from deltarule.inspection import plots
from deltarule.inspection.plots.style import STYLE, panels, styled


def drawn():
    return plots.curves({"a": [1, 2, 4], "b": [1.0, 3.0, 3.9]}, title="two lines ‖dC/db‖", log=True)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_saved_twice_is_the_same_to_the_byte(tmp_path, suffix):
    figure = drawn()
    first = plots.save(figure, tmp_path / f"first.{suffix}").read_bytes()
    assert plots.save(figure, tmp_path / f"again.{suffix}").read_bytes() == first
    assert plots.save(drawn(), tmp_path / f"another.{suffix}").read_bytes() == first
    assert plots.save(plots.curves({"a": [1, 2, 5]}), tmp_path / f"b.{suffix}").read_bytes() != first


def test_no_date_is_written(tmp_path):
    text = plots.save(drawn(), tmp_path / "a.svg").read_text()
    assert "<dc:date>" not in text
    assert b"matplotlib" not in plots.save(drawn(), tmp_path / "a.png").read_bytes()


def test_another_format_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"\.png or \.svg, .*'a\.bmp'"):
        plots.save(drawn(), tmp_path / "a.bmp")


def test_the_users_settings_neither_matter_nor_change(tmp_path):
    import matplotlib as mpl

    plain = plots.save(drawn(), tmp_path / "plain.png").read_bytes()
    with mpl.rc_context({"font.size": 20.0, "axes.grid": False}):
        assert plots.save(drawn(), tmp_path / "inside.png").read_bytes() == plain
        assert mpl.rcParams["font.size"] == 20.0
    with styled():
        assert mpl.rcParams["font.size"] == STYLE["font.size"]


def test_panels_are_handed_out_row_by_row():
    figure, axes = panels(2, 3, (6.0, 3.0))
    assert len(axes) == 6
    assert axes == figure.axes
    np.testing.assert_allclose(figure.get_size_inches(), (6.0, 3.0))


def test_without_matplotlib_there_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigurationError, match=r"'matplotlib'.*pip install 'deltarule\[plot\]'"):
        drawn()


def test_importing_the_plots_imports_no_matplotlib():
    code = "import sys, deltarule.inspection.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
