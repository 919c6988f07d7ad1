import json
import threading

import numpy as np
import pytest

import deltarule as dr
from deltarule.play.problems import GENERATED
from deltarule.play.watch import Names
from play.conftest import heard, sent

pytest.importorskip("uvicorn")
client = pytest.importorskip("websockets.sync.client")


@pytest.fixture
def watch():
    watch = dr.Watch(browser=False)
    yield watch
    watch.close()


def connected(watch):
    return client.connect(watch.address.replace("http", "ws").replace("/?", "/socket?"), open_timeout=20)


def trained(watch, engine="numpy", epochs=30, trainer=None, **options):
    problem = GENERATED["curve"]()
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
    X, Y = problem.X, problem.Y
    trainer = trainer or dr.LevenbergMarquardt()
    return dr.train(
        net, X[::2], Y[::2], trainer=trainer, epochs=epochs, seed=0, engine=engine, callbacks=[watch], **options
    )


def held_out():
    problem = GENERATED["curve"]()
    return problem.X[1::2], problem.Y[1::2]


def test_a_page_follows_the_training_to_its_end(watch, engine):
    result = trained(watch, engine, validation_data=held_out())
    with connected(watch) as page:
        layout = heard(page, "layout")
        assert layout["watch"] is True
        assert layout["problem"]["validated"] is True
        frame = heard(page, "frame")
    (learner,) = frame["learners"]
    assert learner["ended"] == result.message
    assert learner["epochs"] == result.history["epoch"].tolist()
    assert learner["costs"] == result.history["cost"].tolist()
    assert learner["validation"] == result.history["validation_cost"].tolist()
    assert learner["record"]["lambda"] == result.history["lambda"][-1]
    assert "view" in learner
    assert "trials" in learner


def test_watching_changes_no_number(watch):
    watched, alone = trained(watch), trained(print_nothing)
    for name, values in alone.history.items():
        np.testing.assert_array_equal(values, watched.history[name])


def print_nothing(record):
    return False


def test_the_numbers_of_a_frame_are_those_of_the_parameters(watch):
    trainer = dr.GradientDescent(eta=0.1)
    result = trained(watch, epochs=5, trainer=trainer)
    with connected(watch) as page:
        frame = heard(page, "frame")
    W = frame["trace"]["layers"][0]["W"]
    assert result.params[0]["W"].tolist() == W


def test_the_button_ends_the_training_and_the_best_parameters_are_kept(watch):
    results = []

    def train():
        trainer = dr.GradientDescent(eta=0.05, batch_size=5)
        results.append(trained(watch, epochs=10**6, trainer=trainer, validation_data=held_out()))

    thread = threading.Thread(target=train)
    thread.start()
    with connected(watch) as page:
        while heard(page, "frame")["learners"][0]["epoch"] < 3:
            pass
        sent(page, do="pause")
        thread.join(30)
        assert not thread.is_alive()
        while (frame := heard(page, "frame"))["learners"][0]["ended"] is None:
            pass
    (result,) = results
    assert result.stop_reason == "callback"
    assert "stopped on its page" in result.message
    assert frame["learners"][0]["ended"] == result.message
    assert result.best_epoch == 1 + int(np.argmin(result.history["validation_cost"]))
    assert frame["running"] is False


def test_inputs_outputs_and_the_trainer_have_the_names_that_the_watch_was_given(watch):
    watch.names = Names(("speed",), ("force",), "adam")
    trained(watch, epochs=1, trainer=dr.GradientDescent(eta=0.1))
    with connected(watch) as page:
        layout = heard(page, "layout")
    assert layout["problem"]["inputs"] == ["speed"]
    assert layout["problem"]["outputs"] == ["force"]
    assert layout["trainers"][0]["name"] == "adam"
    assert layout["problem"]["title"] == f"adam on {len(GENERATED['curve']().X[::2])} examples"


def test_one_watch_may_see_several_trainings(watch):
    trained(watch)
    with connected(watch) as page:
        assert heard(page, "layout")["version"] == 1
        second = trained(watch, epochs=3)
        while (frame := heard(page, "frame"))["learners"][0]["ended"] != second.message:
            pass
    assert frame["learners"][0]["epochs"] == [1, 2, 3]


def test_a_watching_page_has_no_other_commands(watch):
    trained(watch, epochs=2)
    with connected(watch) as page:
        heard(page, "frame")
        for command in ("run", "epoch", "change", "choose", "save"):
            sent(page, do=command)
            assert repr(command) in heard(page, "error")["text"]
        sent(page, do="look", row=1)
        while heard(page, "frame")["row"] != 1:
            pass


def test_a_page_in_a_notebook(watch):
    html = watch._repr_html_()
    assert "<iframe" in html
    assert watch.address.replace("&", "&amp;") in html


def test_a_classifier_of_images_is_watched(watch):
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(40, 6, 6, 1)), np.eye(3)[random.integers(0, 3, 40)]
    layers = [dr.Convolution(2, (3, 3), "tanh"), dr.Flatten(), dr.Dense(3, "softmax")]
    net = dr.Network(layers, cost="log-likelihood")
    dr.train(net, X, Y, trainer=dr.GradientDescent(eta=0.1, batch_size=10), epochs=2, engine="numpy", callbacks=[watch])
    with connected(watch) as page:
        layout, frame = heard(page, "layout"), heard(page, "frame")
    assert [layer["kind"] for layer in layout["layers"]] == ["Convolution", "Flatten", "Dense"]
    assert np.sum(frame["learners"][0]["view"]["confusion"]) == 40
    json.dumps(frame, allow_nan=False)
