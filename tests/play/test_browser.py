"""The page in a real browser: its controls, a step by equation against `deltarule trace`, looking back, the replay."""

import json
import re
import threading

import numpy as np
import pytest

import deltarule as dr
from deltarule.cli import main
from deltarule.data import NumericColumn, Schema
from deltarule.play.problems import GENERATED
from deltarule.play.sources import load_problem
from play.conftest import VIEW, opened_at, watched

pytest.importorskip("uvicorn")
from deltarule.play.server import Playground


@pytest.fixture(scope="module")
def tab(browser, threads):
    """A server, a page of the browser that is opened anew for each test, and what went wrong on it."""
    server, wrong = Playground(GENERATED["higham"]()), []
    threads.append(server.start())
    context = browser.new_context(**VIEW)
    yield server.address, watched(context.new_page(), wrong), wrong
    context.close()
    server.stop()


@pytest.fixture
def page(tab):
    address, page, wrong = tab
    page.mouse.move(1, 1)
    opened_at(page, address)
    yield page
    assert wrong == []


def part(page, name):
    return page.get_by_test_id(name)


def epoch(page):
    return int(part(page, "epoch").inner_text())


def cost(page):
    return float(part(page, "cost").inner_text())


def wait_for(page, condition):
    page.wait_for_function(f"() => {condition}", timeout=20_000)


def wait_for_epoch(page, least):
    wait_for(page, f"Number(document.getElementById('epoch').textContent) >= {least}")


def serious_findings(page):
    """What axe-core finds on the page that is serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]


def numbers(page, box="equation"):
    """Every number in a part of the page: as it is printed, and whole."""
    return part(page, box).locator(".n").evaluate_all("all => all.map(n => [n.textContent, Number(n.dataset.value)])")


def test_run_pause_epoch_and_reset(page):
    assert epoch(page) == 0
    before = cost(page)
    part(page, "epoch").click()
    wait_for_epoch(page, 1)
    assert epoch(page) == 1
    assert cost(page) != before
    part(page, "run").click()
    wait_for_epoch(page, 20)
    part(page, "pause").click()
    wait_for(page, "document.getElementById('run').getAttribute('aria-pressed') === 'false'")
    page.wait_for_timeout(300)
    stopped = epoch(page)
    page.wait_for_timeout(400)
    assert epoch(page) == stopped
    part(page, "reset").click()
    wait_for(page, "document.getElementById('epoch').textContent === '0'")
    assert cost(page) == before


def test_one_batch_is_a_tenth_of_highams_epoch(page):
    part(page, "batch").click()
    wait_for(page, "document.getElementById('moment').textContent.includes('batch 1 of 10')")
    assert epoch(page) == 0
    for _ in range(9):
        part(page, "batch").click()
    wait_for_epoch(page, 1)


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys):
    """A model file and its table, and what `deltarule trace` says of a row."""
    monkeypatch.chdir(tmp_path)
    problem = GENERATED["higham"]()
    lines = ["x1,x2,kind", *(f"{x},{y},{'AB'[label]}" for (x, y), label in zip(problem.X, problem.labels, strict=True))]
    (tmp_path / "wells.csv").write_text("\n".join(lines) + "\n")
    columns = tuple(NumericColumn(name, 0.0, 1.0) for name in ("x1", "x2"))
    schema = Schema("table", "classification", columns, (), ("A", "B"), ("kind",))
    net = dr.Network([dr.Dense(2, "sigmoid"), dr.Dense(3, "tanh"), dr.Dense(2, "sigmoid")])
    dr.save("wells.safetensors", net, net.init(4, (2,), "float64"), schema=schema.to_json())

    def trace(row):
        assert main(["trace", "wells.safetensors", "wells.csv", "--row", str(row), "--json"]) == 0
        return json.loads(capsys.readouterr().out.strip().splitlines()[-1])

    return load_problem("wells.safetensors", "wells.csv"), trace


def expected_results(traced):
    """The results of each equation, in the order of the algorithm."""
    layers = {one["layer"]: one for one in traced["layers"]}
    last = max(layers)
    yield "x", traced["x"]
    for layer in layers:
        yield f"z{layer}", layers[layer]["z"]
        yield f"a{layer}", layers[layer]["a"]
    yield "cost", [traced["cost"]]
    for layer in range(last, 1, -1):
        yield f"delta{layer}", layers[layer]["delta"]
    for layer in layers:
        yield f"db{layer}", layers[layer]["db"]
        yield f"dW{layer}", np.ravel(layers[layer]["dW"]).tolist()


def test_a_whole_step_by_equation_has_the_numbers_of_deltarule_trace(served, opened, trained):
    problem, trace = trained
    page = opened(served(problem).address)
    part(page, "row").fill("3")
    part(page, "row").press("Enter")
    part(page, "row").blur()
    wait_for(page, "document.getElementById('row').value === '3'")
    page.wait_for_timeout(200)
    traced = trace(3)
    known = set(np.ravel([0.0]).tolist())
    flat = [traced["cost"], *traced["x"], *traced["y"]]
    for layer in traced["layers"]:
        for name in ("W", "b", "z", "a", "slope", "delta", "dC_da", "dW", "db"):
            flat += np.ravel(layer[name]).tolist()
    known |= set(flat)
    for name, values in expected_results(traced):
        part(page, "step").click()
        equation = part(page, "equation")
        assert equation.get_attribute("data-step") == name
        results = equation.locator(".n.result").evaluate_all("all => all.map(n => Number(n.dataset.value))")
        assert results == values
        for digits in ("4", "17", "6"):
            page.locator("#digits").select_option(digits)
            for printed, whole in numbers(page):
                assert whole in known  # every factor stands in the trace too
                assert float(printed) == (whole if digits == "17" else float(f"{whole:.{digits}g}"))
    assert "(BP4)" in part(page, "equation").inner_text()


def test_the_step_ends_in_the_update_and_goes_on_with_the_next_example(page):
    names = page.locator("#steps button").all_inner_texts()
    assert names[0].startswith("(1)")
    assert [re.match(r"\(?(\w+)", name).group(1) for name in names] == [
        "1", "2", "3", "2", "3", "2", "3", "C", "BP1", "BP2", "BP2", "BP3", "BP4", "BP3", "BP4", "BP3", "BP4",
    ]  # fmt: skip
    for _ in names:
        part(page, "step").click()
    assert "(BP4)" in part(page, "equation").inner_text()
    part(page, "step").click()
    wait_for(page, "document.getElementById('equation').dataset.step === 'update'")
    rows = numbers(page)
    for start in range(0, len(rows), 4):  # w - eta · g = w'
        w, eta, g, after = (whole for _, whole in rows[start : start + 4])
        assert abs(w - eta * g - after) < 1e-15
    part(page, "step").click()
    assert part(page, "equation").get_attribute("data-step") == "x"
    part(page, "back").click()
    part(page, "back").click()
    wait_for(page, "document.getElementById('equation').dataset.step === 'dW4'")  # of the moment before


def test_the_numbers_of_every_weight_and_of_a_neuron(page):
    for layer, (n, below) in enumerate([(2, 2), (3, 2), (2, 3)], start=2):
        for j in range(n):
            for k in range(below):
                part(page, f"edge-{layer}-{j}-{k}").hover()
                text = part(page, "detail").inner_text()
                assert all(f"neuron {n} of layer {at}" in text for n, at in ((k, layer - 1), (j, layer)))
    part(page, "edge-2-1-0").hover()
    text = part(page, "detail").inner_text()
    assert all(words in text for words in ("neuron 0 of layer 1", "neuron 1 of layer 2"))
    _, a, delta, product = (whole for _, whole in numbers(page, "detail"))
    assert a * delta == product
    part(page, "neuron-3-2").hover()
    text = part(page, "detail").inner_text()
    assert "Neuron 2 of layer 3, sigmoid" in text
    for name in ("z", "σ′", "δ"):
        assert name in text


def test_a_tap_keeps_the_numbers_while_it_trains(page):
    part(page, "neuron-2-0").click()
    page.mouse.move(5, 5)
    before = part(page, "detail").inner_text()
    assert "Neuron 0 of layer 2" in before
    part(page, "epoch").click()
    wait_for_epoch(page, 1)
    after = part(page, "detail").inner_text()
    assert "Neuron 0 of layer 2" in after
    assert after != before


def test_the_page_can_be_used_by_keyboard(page):
    page.keyboard.press("ArrowRight")
    assert part(page, "equation").get_attribute("data-step") == "x"
    page.keyboard.press("ArrowRight")
    assert part(page, "equation").get_attribute("data-step") == "z2"
    page.keyboard.press("ArrowLeft")
    assert part(page, "equation").get_attribute("data-step") == "x"
    page.keyboard.press("e")
    wait_for_epoch(page, 1)
    page.keyboard.press(" ")
    wait_for_epoch(page, 5)
    page.keyboard.press(" ")
    wait_for(page, "document.getElementById('run').getAttribute('aria-pressed') === 'false'")
    part(page, "neuron-1-0").focus()
    for key, words in [
        ("ArrowRight", "Neuron 0 of layer 2"),
        ("ArrowDown", "Neuron 1 of layer 2"),
        ("w", "neuron 0 of layer 1 to neuron 1"),
    ]:
        page.keyboard.press(key)
        assert words in part(page, "detail").inner_text()


def test_looking_back_and_forward_shows_the_same_numbers_again(page):
    seen = {0: cost(page)}
    for number in range(1, 5):
        part(page, "epoch").click()
        wait_for_epoch(page, number)
        seen[number] = cost(page)
    for number in (2, 0, 3, 4):
        part(page, "timeline").fill(str(number))
        wait_for(page, f"document.getElementById('epoch').textContent === '{number}'")
        assert cost(page) == seen[number]


def test_settings_change_the_network_and_errors_are_shown(page):
    part(page, "set-hidden").fill("4, 5")
    part(page, "set-hidden").press("Enter")
    part(page, "neuron-3-4").wait_for()
    part(page, "set-activation").select_option("relu")
    page.locator("#network text.label", has_text="relu").first.wait_for()
    part(page, "set-eta").fill("-1")
    part(page, "set-eta").press("Enter")
    wait_for(page, "document.getElementById('message').textContent.includes('eta must be')")
    part(page, "set-hidden").fill("8,x")
    part(page, "set-hidden").press("Enter")
    wait_for(page, """document.getElementById('message').textContent.includes("is 'x'")""")
    part(page, "set-problem").select_option("curve")
    page.get_by_text("A curve measured with noise").wait_for()
    part(page, "set-trainer").select_option("bayesian")
    part(page, "epoch").click()
    wait_for_epoch(page, 1)
    assert "effective" in page.content() or "determine" in page.content()


def test_levenberg_marquardt_shows_its_trials(page):
    part(page, "set-trainer").select_option("lm")
    part(page, "epoch").click()
    wait_for_epoch(page, 1)
    assert "accepted" in part(page, "trials").inner_text()
    assert "Damping" in page.locator("#trials-caption").inner_text()


def test_two_trainers_side_by_side(page):
    part(page, "set-versus").select_option("lm")
    part(page, "view-1").wait_for()
    part(page, "epoch").click()
    wait_for_epoch(page, 1)
    one = cost(page)
    part(page, "trainer-1").click()
    wait_for(page, f"Number(document.getElementById('cost').textContent) !== {one}")
    assert "lm" in page.locator("#cost-legend").inner_text()


def test_points_set_with_the_mouse_and_the_keyboard(page):
    part(page, "set-problem").select_option("points")
    view = part(page, "view-0")
    wait_for(page, "document.getElementById('points-help').hidden === false")
    shown = "document.querySelector('[data-testid=moment]').textContent === 'the start'"
    wait_for(page, shown)
    box = view.bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.1 * box["height"])
    page.locator("#class-b").click()
    view = part(page, "view-0")
    view.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    part(page, "run").click()
    wait_for_epoch(page, 5)
    part(page, "pause").click()


def test_a_digit_drawn_and_read(served, opened):
    page = opened(served(load_problem("digits")).address)
    part(page, "speed").select_option("0")
    part(page, "run").click()
    wait_for_epoch(page, 15)
    part(page, "pause").click()
    pad = part(page, "pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.12 * box["height"])
    page.mouse.down()
    for step in range(1, 20):
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + (0.12 + 0.04 * step) * box["height"])
    page.mouse.up()
    part(page, "answer").get_by_text("It reads").wait_for()  # which digit hangs on how a processor rounds
    page.locator("#pad-clear").click()
    pad.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    part(page, "answer").get_by_text("It reads").wait_for()


def test_the_replay_opens_without_a_server(served, opened, tmp_path):
    server = served(GENERATED["higham"]())
    page = opened(server.address)
    for number in range(1, 7):
        part(page, "epoch").click()
        wait_for_epoch(page, number)
    part(page, "timeline").fill("3")
    wait_for(page, "document.getElementById('epoch').textContent === '3'")
    third = cost(page)
    with page.expect_download() as download:
        part(page, "save").click()
    file = tmp_path / "replay.html"
    download.value.save_as(file)
    server.stop()
    text = file.read_text(encoding="utf-8")
    assert server.guard.token not in text
    assert not re.search(r"(?:src|href)=\"(?!data:)(?!#)", text)
    page = opened(file.as_uri())
    assert epoch(page) == 0
    part(page, "step").click()
    assert part(page, "equation").get_attribute("data-step") == "x"
    part(page, "timeline").fill("3")
    wait_for(page, "document.getElementById('epoch').textContent === '3'")
    assert cost(page) == third
    part(page, "epoch").click()
    wait_for_epoch(page, 4)
    part(page, "run").click()
    wait_for_epoch(page, 6)
    part(page, "edge-2-0-0").hover()
    assert "Weight from" in part(page, "detail").inner_text()
    assert serious_findings(page) == []


def test_a_server_that_ends_leaves_the_page_readable(served, opened):
    server = served(GENERATED["higham"]())
    page = opened(server.address)
    server.stop()
    wait_for(page, "document.getElementById('message').textContent.includes('connection has ended')")
    assert cost(page) > 0


QUICK = [(360, 740, "light", "higham"), (360, 740, "dark", "digits"), (1440, 900, "dark", "higham")]
SIZES = ((360, 740), (768, 1000), (1440, 900))
ALL = [(*size, scheme, name) for size in SIZES for scheme in ("light", "dark") for name in ("higham", "digits")]


@pytest.mark.parametrize(
    ("width", "height", "scheme", "name"),
    [*QUICK, *(pytest.param(*one, marks=pytest.mark.slow) for one in ALL if one not in QUICK)],
)
def test_nothing_sticks_out_and_no_serious_finding_of_axe(served, opened, width, height, scheme, name):
    problem = load_problem(name)
    page = opened(served(problem).address, viewport={"width": width, "height": height}, color_scheme=scheme)
    part(page, "step").click()
    part(page, "step").click()
    part(page, "neuron-2-0").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(251, 250, 248)", "dark": "rgb(22, 24, 28)"}[scheme]
    assert serious_findings(page) == []


def test_the_stop_button_of_a_training_that_is_watched(opened):
    problem, results, watch = GENERATED["curve"](), [], dr.Watch(browser=False)
    held_out = (problem.X[1::2], problem.Y[1::2])

    def train():
        net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
        trainer = dr.GradientDescent(eta=0.05, batch_size=5)
        options = {"trainer": trainer, "epochs": 10**6, "validation_data": held_out, "callbacks": [watch], "seed": 0}
        results.append(dr.train(net, problem.X[::2], problem.Y[::2], engine="numpy", **options))

    thread = threading.Thread(target=train)
    thread.start()
    page = opened(watch.address)
    wait_for_epoch(page, 2)
    assert part(page, "pause").inner_text() == "Stop training"
    part(page, "pause").click()
    thread.join(60)
    assert not thread.is_alive()
    (result,) = results
    assert result.stop_reason == "callback"
    assert result.best_epoch == 1 + int(np.argmin(result.history["validation_cost"]))
    wait_for(page, "document.getElementById('pause').disabled")
    assert epoch(page) == result.epochs
    assert serious_findings(page) == []
    watch.close()
    page.get_by_text("has ended; the last numbers stay here").wait_for()


def test_touch(served, opened):
    page = opened(served(GENERATED["higham"]()).address, viewport={"width": 390, "height": 800}, has_touch=True)
    part(page, "step").tap()
    assert part(page, "equation").get_attribute("data-step") == "x"
    part(page, "neuron-2-1").tap()
    assert "Neuron 1 of layer 2" in part(page, "detail").inner_text()
