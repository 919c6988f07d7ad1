import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import NumericColumn
from deltarule.inspection.report import collect_evidence, html_report

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=2000",
]
VOID = {"meta", "br"}
PAGES = ("plant", "clouds", "seven")
ALL = [(name, width, scheme) for name in PAGES for width in (1300, 500) for scheme in ("light", "dark")]
QUICK = [("plant", 1300, "light"), ("clouds", 500, "dark"), ("seven", 500, "light")]
# The width of what does not fit is written where the test can read it.
PROBE = """<script>
document.title = [document.documentElement.scrollWidth, innerWidth, document.querySelectorAll("svg").length,
  [...document.querySelectorAll("[stroke^='var(']")].filter(e => getComputedStyle(e).stroke === "none").length,
  getComputedStyle(document.body).backgroundColor].join(" ")
</script>"""


class Nesting(HTMLParser):
    """Whether every element that opens closes in its order."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass


@pytest.fixture(params=PAGES)
def page(request):
    known = request.getfixturevalue(request.param)
    evidence = collect_evidence(known.net, known.params, known.schema, known.X, known.Y, "rows <&>")
    history = {name: values.tolist() for name, values in known.history.items()}
    training = {"history": history, "best_epoch": 7, "epochs": 12}
    return html_report("a <model>", known.schema, {"Seed": "<0>"}, training, evidence)


def test_it_loads_nothing(page):
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "url(" not in page.replace("url(#", "")
    assert "<script" not in page
    assert "@import" not in page


def test_every_variable_that_is_used_is_defined_in_light_and_in_dark(page):
    used = set(re.findall(r"var\((--[\w-]+)", page))
    style = page[page.index("<style>") : page.index("</style>")]
    light, dark = (
        set(re.findall(r"(--[\w-]+):", " ".join(blocks)))
        for blocks in (
            re.findall(r"(?m)^:root \{(.*?)\}", style, re.DOTALL),
            re.findall(r"scheme: dark\) \{ :root \{(.*?)\}", style, re.DOTALL),
        )
    )
    assert {"--ink", "--line", "--colour-1", "--soft"} <= used <= light & dark


def test_no_colour_is_fixed(page):
    assert not re.findall(r"#[0-9a-f]{3,8}\b", page[page.index("</style>") :])


def test_its_elements_are_closed_and_its_texts_escaped(page):
    parser = Nesting()
    parser.feed(page)
    assert parser.open == []
    for text in ("<model>", "<0>", "rows <&>", "<left>"):
        assert text not in page
    assert "a &lt;model&gt;" in page


def test_it_says_how_good_the_model_is(page):
    lead = re.search(r'class="lead">(.*?)</p>', page)[1]
    assert re.search(r"R² 1\.000|9\d\.\d % right|100\.0 % right", lead)


def test_what_is_not_known_is_left_out(plant):
    page = html_report("m", plant.schema, {}, {}, None)
    assert "<svg" not in page
    assert "A network for yield." in page


def test_the_training_state_is_drawn_where_it_is_known(plant):
    history = {
        "cost": [3.0, 1.0],
        "log_evidence": [-5.0, None],
        "gamma": [2.0, 3.0],
        "mu": [1.0, 0.1],
        "lambda": [0, 0],
    }
    page = html_report("m", plant.schema, {}, {"history": history, "best_epoch": 1}, None)
    for title in ("Performance", "Log evidence", "Effective parameters gamma", "Damping mu"):
        assert f"<h3>{title}</h3>" in page
    assert "Damping lambda" not in page  # zeros have no place on a logarithmic axis


def test_the_verdict_is_shown_and_its_words_are_escaped(plant):
    training = {"verdict": {"columns": "a<b> 3"}, "warnings": ["'x' & 'y'"]}
    page = html_report("m", plant.schema, {}, training, None)
    assert "<th>Columns</th><td>a&lt;b&gt; 3</td>" in page
    assert "<th>Warning 1</th><td>&#39;x&#39; &amp; &#39;y&#39;</td>" in page
    assert "The verdict" not in html_report("m", plant.schema, {}, {}, None)


def test_a_sentence_for_the_test_part(plant):
    page = html_report("m", plant.schema, {}, {"metrics": {"test_rmse": 1.25, "test_r2": 0.5}}, None)
    assert "root mean square error of 1.25 (R² 0.500)" in page


def test_the_test_part_of_several_targets_is_not_averaged_over_their_units(plant):
    metrics = {"test_r2": 0.5, "test_rmse_by_target": {"bar": 1.25, "m<3>": 400}, "test_r2_by_target": {"bar": 0.5}}
    page = html_report("m", plant.schema, {}, {"metrics": metrics}, None)
    for words in ("error of 1.25 (R² 0.500); m&lt;3&gt; ", "error of 400 on"):
        assert words in page


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(
    ("page", "width", "scheme"),
    [*QUICK, *(pytest.param(*one, marks=pytest.mark.slow) for one in ALL if one not in QUICK)],
    indirect=["page"],
)
def test_a_browser_shows_all_of_it(page, width, scheme, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(page.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    options = [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900", "--dump-dom"]
    options.append(f"--blink-settings=preferredColorScheme={int(scheme == 'light')}")
    done = subprocess.run(
        [CHROMIUM, *FLAGS, *options, file.as_uri()], capture_output=True, text=True, timeout=300, check=True
    )
    found = re.search(r"<title>(\d+) (\d+) (\d+) (\d+) (.*?)</title>", done.stdout)
    needed, given, pictures, unseen, colour = found.groups()
    assert int(given) == width
    assert int(needed) <= width  # nothing sticks out at the side
    assert int(pictures) >= 5
    assert int(unseen) == 0  # every line that is drawn has a colour
    assert colour == {"light": "rgb(251, 250, 248)", "dark": "rgb(22, 24, 28)"}[scheme]


def test_each_of_several_targets_has_its_own_scale(plant):
    """A target of 0 to 100 beside one of 2000 times that would be a line at 0."""
    large = NumericColumn.from_values("load", 2000 * plant.schema.targets[0].decode(plant.Y[:, 0]))
    schema = replace(plant.schema, targets=(*plant.schema.targets, large), target_names=("yield", "load"))
    params = [{"W": np.repeat(plant.params[0]["W"], 2, axis=0), "b": np.repeat(plant.params[0]["b"], 2)}]
    net = dr.Network([dr.Dense(2, "linear")])
    evidence = collect_evidence(net, params, schema, plant.X, np.repeat(plant.Y, 2, axis=1), "rows")
    page = html_report("two", schema, {}, {}, evidence)
    for curve in evidence.dependence:
        for name in ("yield", "load"):
            assert f"Dependence of {name} on {curve.column}" in page
    curve = evidence.dependence[0]
    np.testing.assert_allclose(2000 * curve.of_output(0).means, curve.of_output(1).means)
