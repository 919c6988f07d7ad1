"""The pictures of docs/play.md and docs/report.md, taken where the slow tests run; $DELTARULE_SCREENSHOTS keeps them.

What the pages do is in test_browser.py and in inspection/report/test_page.py.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import deltarule as dr
from deltarule.play.sources import load_problem

pytestmark = pytest.mark.slow
pytest.importorskip("uvicorn")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def folder(tmp_path):
    return Path(os.environ.get("DELTARULE_SCREENSHOTS", tmp_path))


@pytest.fixture
def report_of(tmp_path, monkeypatch):
    """A function that trains on a source by the command line and writes its report, whose path it returns."""
    from deltarule.cli import main

    monkeypatch.chdir(tmp_path)

    def make(source, *options):
        assert main(["train", source, *options, "--out", "model.safetensors"]) == 0
        assert main(["report", "model.safetensors", source, "--out", "report.html"]) == 0
        return tmp_path / "report.html"

    return make


def part(page, name):
    return page.get_by_test_id(name)


def epochs(page, count):
    """So many epochs one after the other, so that the picture is always the same."""
    for number in range(1, count + 1):
        part(page, "epoch").click()
        page.wait_for_function(f"() => Number(document.getElementById('epoch').textContent) >= {number}")


def take(page, file, before=None):
    """Save the whole page, or what is above the heading `before`, as a picture that shows something."""
    page.mouse.move(1, 1)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(200)
    page.screenshot(path=file, full_page=True, animations="disabled")
    taken = Image.open(file).convert("RGB")
    if before:
        taken = taken.crop((0, 0, taken.width, int(page.get_by_role("heading", name=before).bounding_box()["y"])))
    assert len(taken.resize((64, 64)).getcolors(4096)) > 100
    taken.quantize(160, dither=Image.Dither.NONE).save(file, optimize=True)  # a third of the bytes


def test_a_step_by_equation(served, opened, folder):
    page = opened(served(load_problem("higham")).address, viewport={"width": 1280, "height": 860})
    part(page, "speed").select_option("0")
    part(page, "run").click()
    page.wait_for_function("() => Number(document.getElementById('epoch').textContent) >= 400")
    part(page, "pause").click()
    page.wait_for_function("() => document.getElementById('run').getAttribute('aria-pressed') === 'false'")
    part(page, "timeline").fill("400")  # every moment is kept, so the picture is always the same
    page.wait_for_function("() => document.getElementById('epoch').textContent === '400'")
    page.locator("#steps button", has_text="(BP2) δ3").click()
    part(page, "neuron-3-1").click()
    take(page, folder / "play-step.png")


def test_two_trainers_side_by_side(served, opened, folder):
    options = {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"}
    page = opened(served(load_problem("spirals")).address, **options)
    part(page, "set-versus").select_option("lm")
    part(page, "view-1").wait_for()
    epochs(page, 60)
    take(page, folder / "play-two.png")


def test_a_digit_drawn(served, opened, folder):
    page = opened(served(load_problem("digits")).address, viewport={"width": 1280, "height": 860})
    epochs(page, 12)
    part(page, "pad").scroll_into_view_if_needed()
    box = part(page, "pad").bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    for stroke in ([(0.3, 0.15), (0.7, 0.15)], [(0.7, 0.15), (0.45, 0.95)]):
        page.mouse.move(*at(*stroke[0]))
        page.mouse.down()
        for share in np.linspace(0, 1, 12):
            page.mouse.move(*at(*(np.array(stroke[0]) * (1 - share) + np.array(stroke[1]) * share)))
        page.mouse.up()
    page.get_by_text("It reads").wait_for()
    take(page, folder / "play-digits.png")


def test_error_bars_on_a_narrow_screen(served, opened, folder):
    page = opened(served(load_problem("curve")).address, viewport={"width": 400, "height": 860})
    part(page, "set-trainer").select_option("bayesian")
    epochs(page, 20)
    page.locator("#steps button", has_text="(2) z2").click()
    take(page, folder / "play-narrow.png")


def test_a_training_that_is_watched(opened, folder):
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, (300, 4))
    y = np.sin(3 * X[:, 0]) * X[:, 1] + 0.5 * X[:, 2] ** 2 + random.normal(0, 0.05, 300)
    net = dr.Network([dr.Dense(12, "tanh"), dr.Dense(1, "linear")])
    watch = dr.Watch(browser=False)
    held_out = (X[200:], y[200:])
    trainer = dr.LevenbergMarquardt()
    dr.train(net, X[:200], y[:200], trainer=trainer, epochs=25, validation_data=held_out, callbacks=[watch])
    page = opened(watch.address, viewport={"width": 1280, "height": 860})
    page.get_by_text("all 25 epochs were run").wait_for()
    take(page, folder / "watch.png")
    watch.close()
    page.get_by_text("has ended; the last numbers stay here").wait_for()


def test_the_report_of_a_regression(browser, report_of, tmp_path, folder):
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, (400, 4))
    y = 100 * np.sin(2 * X[:, 0]) + 40 * X[:, 1] * X[:, 2] + random.normal(0, 5, 400)
    table = np.column_stack([X, y])
    np.savetxt(tmp_path / "plant.csv", table, "%.6f", ",", header="flow,heat,speed,age,yield", comments="")
    page = browser.new_page(viewport={"width": 900, "height": 860}, color_scheme="light")
    page.goto(report_of("plant.csv", "--target", "yield").as_uri())
    assert page.locator("svg").count() >= 17
    take(page, folder / "report-regression.png", before="What the columns do")
    page.close()


def test_the_report_of_a_classification(browser, report_of, folder):
    page = browser.new_page(viewport={"width": 900, "height": 860}, color_scheme="light")
    page.goto(report_of("digits", "--epochs", "10", "--hidden", "15").as_uri())
    assert page.locator("svg image").count() > 3
    take(page, folder / "report-classification.png", before="The training")
    page.close()
