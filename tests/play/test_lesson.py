import base64
import json

import numpy as np
import pytest

from deltarule.cli.screen import to_json_types
from deltarule.errors import ConfigurationError, DeltaruleError
from deltarule.play import picture
from deltarule.play.choices import TRAINERS
from deltarule.play.frames import count_known_moments
from deltarule.play.lesson import Lesson
from deltarule.play.problems import GENERATED
from deltarule.play.sources import load_problem


def lesson_of(name="higham", **changes):
    lesson = Lesson(GENERATED[name]())
    if changes:
        lesson.change(changes)
    return lesson


def as_json(message):
    return json.loads(json.dumps(message, allow_nan=False))


def test_a_frame_holds_the_trace_of_its_example_to_the_last_bit():
    lesson = lesson_of()
    lesson.look(3)
    frame = as_json(lesson.frame())
    problem, params = lesson.problem, lesson.learners[0].now.params
    traced = lesson.net.trace(params, problem.X[3], problem.Y[3])
    assert frame["trace"]["cost"] == traced.cost
    for i, layer in enumerate(traced.layers):
        named = {name: array for name, array in layer._asdict().items() if name != "gradients"}
        expected = to_json_types({**params[i], **named, "dW": layer.dW, "db": layer.db})
        assert frame["trace"]["layers"][i] == as_json(expected)


def test_of_wide_layers_some_neurons_are_drawn_and_their_numbers_are_the_same():
    lesson = Lesson(load_problem("digits"))
    shown = lesson.shown
    assert [len(one) for one in shown] == [16, 16, 10]
    frame = as_json(lesson.frame())
    problem = lesson.problem
    x, y = problem.X[lesson.row], problem.Y[lesson.row]
    traced = lesson.net.trace(lesson.learners[0].now.params, x, y)
    assert frame["trace"]["layers"][0]["dW"] == traced.layers[0].dW[np.ix_(shown[1], shown[0])].tolist()
    assert frame["trace"]["layers"][1]["delta"] == traced.layers[1].delta.tolist()


@pytest.mark.parametrize("name", [*GENERATED])
@pytest.mark.parametrize("trainer", TRAINERS)
def test_every_trainer_on_every_problem(name, trainer):
    lesson = lesson_of(name)
    lesson.change({"trainer": trainer})
    for step in (lesson.epoch, lesson.batch, lesson.example, lesson.epoch):
        step()
    as_json(lesson.layout())
    frame = as_json(lesson.frame())
    assert frame["learners"][0]["epoch"] >= 2


def test_a_refused_command_changes_nothing():
    lesson = lesson_of()
    version, choices = lesson.version, lesson.choices
    for changes in ({"hidden": [0]}, {"cost": "huber"}, {"trainer": "bayesian", "cost": "huber"}):
        with pytest.raises(DeltaruleError):
            lesson.change(changes)
    assert (lesson.version, lesson.choices) == (version, choices)


def test_another_trainer_brings_its_own_learning_rate():
    lesson = lesson_of("higham")
    assert lesson.choices.eta == 1.0
    lesson.change({"trainer": "adam"})
    assert lesson.choices.eta == TRAINERS["adam"].eta["classification"]
    lesson.change({"eta": 0.02})
    lesson.change({"trainer": "lm"})
    assert lesson.choices.eta == 0.02  # which lm has not
    lesson.change({"trainer": "sgd"})
    assert lesson.choices.eta == 1.0  # the problem's own
    lesson.change({"trainer": "gd", "eta": 0.3})
    assert lesson.choices.eta == 0.3
    with pytest.raises(ConfigurationError, match="trainer"):
        lesson.change({"trainer": ["sgd"]})


def test_each_of_two_trainers_has_its_own_learning_rate():
    lesson = lesson_of("higham")
    lesson.change({"versus": "adam"})
    adam = TRAINERS["adam"].eta["classification"]
    assert [learner.trainer.eta for learner in lesson.learners] == [1.0, adam]
    lesson.change({"eta": 0.5})
    assert [learner.trainer.eta for learner in lesson.learners] == [0.5, adam]
    lesson.change({"versus_eta": 0.002})
    assert [learner.trainer.eta for learner in lesson.learners] == [0.5, 0.002]
    lesson.change({"versus": "lm"})
    assert lesson.choices.eta == 0.5


def test_numbers_of_a_trainer_change_while_it_runs():
    lesson = lesson_of()
    lesson.epoch()
    params = lesson.learners[0].now.params
    lesson.change({"eta": 0.1})
    assert lesson.learners[0].now.params is params
    lesson.change({"hidden": [5]})
    assert lesson.learners[0].now.epoch == 0


def test_looking_back_and_forward_again():
    lesson = lesson_of()
    frames = [as_json(lesson.frame())]
    for _ in range(5):
        lesson.epoch()
        frames.append(as_json(lesson.frame()))
    lesson.show(2)
    back = as_json(lesson.frame())
    assert back["moment"] == 2
    assert back["trace"] == frames[2]["trace"]
    assert back["learners"][0]["view"] == frames[2]["learners"][0]["view"]
    lesson.show(5)
    assert lesson.moment is None
    lesson.show(1)
    lesson.epoch()
    assert lesson.frame()["moment"] == 6
    with pytest.raises(ConfigurationError, match="moment"):
        lesson.show(99)


def test_only_new_moments_are_sent():
    lesson = lesson_of()
    told = count_known_moments(lesson.frame())
    lesson.epoch()
    (learner,) = lesson.frame(told)["learners"]
    assert learner["from"] == 1
    assert len(learner["costs"]) == 1
    (learner,) = lesson.frame()["learners"]
    assert len(learner["costs"]) == 2


def test_examples_of_a_batch_come_one_after_the_other_and_then_the_update():
    lesson = lesson_of(batch_size=3)
    rows, seen = lesson.learners[0].next_batch().tolist(), []
    while lesson.learners[0].update is None:
        seen.append(lesson.row)
        lesson.example()
    assert seen == rows
    assert lesson.row == lesson.learners[0].next_batch()[0]
    frame = as_json(lesson.frame())
    assert frame["learners"][0]["batch"] == 1
    update = frame["update"]
    for layer in update:
        moved = np.array(layer["before"]["W"]) - lesson.choices.eta * np.array(layer["gradient"]["W"])
        np.testing.assert_allclose(moved, layer["after"]["W"], rtol=0, atol=1e-15)


def test_two_trainers_begin_at_the_same_point():
    lesson = lesson_of(versus="lm")
    one, other = lesson.learners
    for left, right in zip(one.now.params, other.now.params, strict=True):
        np.testing.assert_array_equal(left["W"], right["W"])
    lesson.epoch()
    frame = as_json(lesson.frame())
    assert [learner["name"] for learner in frame["learners"]] == ["sgd", "lm"]
    assert frame["learners"][0]["cost"] != frame["learners"][1]["cost"]
    lesson.select(1)
    assert as_json(lesson.frame())["trace"] != frame["trace"]


def test_trials_of_levenberg_marquardt_are_told_with_their_verdicts():
    lesson = lesson_of("circles", trainer="lm")
    lesson.epoch()
    (learner,) = as_json(lesson.frame())["learners"]
    trials, verdicts = learner["trials"], lesson.layout()["verdicts"]
    assert verdicts[trials["verdict"][-1]] == "accepted"
    assert len(trials["lambda"]) == learner["record"]["accepted"] + learner["record"]["rejected"]


def test_regions_are_what_the_network_answers():
    lesson = lesson_of()
    view = lesson.frame()["learners"][0]["view"]
    labels = np.frombuffer(base64.b64decode(view["label"]), np.uint8).reshape(picture.GRID, picture.GRID)
    x0, x1, y0, y1 = picture.axis_limits(lesson.problem)
    net, params = lesson.net, lesson.learners[0].now.params
    corners = net(params, [[x0, y1], [x1, y1], [x0, y0], [x1, y0]]).argmax(axis=1)
    np.testing.assert_array_equal(labels[[0, 0, -1, -1], [0, -1, 0, -1]], corners)


def test_bayesian_regularisation_has_a_band_that_is_wider_where_there_are_no_data():
    lesson = lesson_of("curve", trainer="bayesian")
    for _ in range(15):
        lesson.epoch()
    view = lesson.frame()["learners"][0]["view"]
    width = np.array(view["high"]) - np.array(view["low"])
    x = np.array(view["x"])
    assert width[np.abs(x) < 0.1].mean() > 2 * width[np.abs(x - 0.6) < 0.2].mean()
    assert (np.array(view["highest"]) > np.array(view["high"])).all()


def test_a_drawn_digit_is_read_as_the_network_reads_it():
    lesson = Lesson(load_problem("digits"))
    pixels = lesson.problem.X[5].tolist()
    answer = as_json(lesson.classify(pixels))
    expected = lesson.net(lesson.learners[0].now.params, [pixels])[0]
    np.testing.assert_array_equal(answer["outputs"], expected)
    assert answer["answer"] == expected.argmax()
    for wrong in (None, [], pixels[1:], [2.0] * 64, ["1"] * 64, [None] * 64):
        with pytest.raises(ConfigurationError, match="pixels must be 64"):
            lesson.classify(wrong)
