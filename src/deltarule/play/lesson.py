"""A lesson: a problem, the user's settings, and one or two trainings. Commands come in and frames go out, as dicts."""

from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.checks import require_choice
from deltarule.engine.rows import no_time_limit
from deltarule.errors import ConfigurationError
from deltarule.play import picture
from deltarule.play.choices import (
    BATCH_TRAINERS,
    ETA_TRAINERS,
    SPEEDS,
    TRAINERS,
    UPDATES,
    Choices,
    costs_for,
    default_eta,
    hidden_activations,
)
from deltarule.play.frames import Frames, count_known_moments
from deltarule.play.learner import Learner
from deltarule.play.problems import GENERATED, Problem, points_problem

MOST_FRAMES = 240  # of a recording
MOST_NUMBERS = 400_000  # in all frames of a recording, which keeps the file below some megabytes
TRAINING = ("trainer", "versus", "eta", "versus_eta", "batch_size", "l2")  # settings that may change during a training


class Lesson(Frames):
    """The state of one page: the settings, and the trainings by these settings."""

    def __init__(self, problem: Problem):
        self.initial_problem = problem
        self.begin(problem, Choices.of(problem))

    def begin(self, problem: Problem, choices: Choices) -> None:
        """Start new trainings; nothing changes if this fails.

        Raises:
            DeltaruleError: problem, network and trainers do not fit together.
        """
        net = choices.network(problem)
        params = None if problem.given is None else problem.given[1]
        trainers = choices.trainers(len(problem.X))
        fixed = (problem.X, problem.Y), problem.validation, choices.seed, params
        learners = [Learner(net, trainer, *fixed) for _, trainer in trainers]
        self.choices = choices
        self.present(problem, net, learners, [name for name, _ in trainers])
        if problem.given is None:
            self._show_example(0)

    # The commands of the page. Each returns whether the page needs a new layout.

    def change(self, changes: dict[str, Any]) -> bool:
        """Change settings: those of the trainers act at once, any other starts new trainings."""
        for name, rate in (("trainer", "eta"), ("versus", "versus_eta")):
            if changes.get(name) is not None and rate not in changes:
                eta = default_eta(changes[name], self.problem)
                changes = changes if eta is None else changes | {rate: eta}
        choices = self.choices.with_changes(changes)
        if any(name not in TRAINING for name in changes) or (choices.versus is None) != (self.choices.versus is None):
            self.begin(self.problem, choices)
            return True
        if choices.network(self.problem) != self.net:  # Bayesian regularisation has linear outputs
            self.begin(self.problem, choices)
            return True
        trainers = choices.trainers(len(self.problem.X))
        for learner, (_, trainer) in zip(self.learners, trainers, strict=True):
            if learner.trainer != trainer:
                learner.retrain(trainer)
        self.choices, self.names, self.examples_of_batch = choices, [name for name, _ in trainers], []
        return True

    def choose(self, name: Any, points: Any = None) -> bool:
        """Choose another problem with its own settings; `points` are the points that the user set."""
        require_choice("problem", name, (*GENERATED, "points", self.initial_problem.name))
        if name == "points":
            problem = points_problem(points)
        else:
            problem = self.initial_problem if name == self.initial_problem.name else GENERATED[name]()
        keeps_settings = name == "points" == self.problem.name
        choices = self.choices if keeps_settings else Choices.of(problem).with_changes({"seed": self.choices.seed})
        self.begin(problem, choices)
        return True

    def reset(self) -> bool:
        """Start again with the same settings."""
        self.begin(self.problem, self.choices)
        return True

    def example(self) -> bool:
        """Draw the next example of the batch; after the last one, make the step of the batch."""
        self.moment = None
        batch = self.learners[self.selected].next_batch().tolist()
        position = batch.index(self.row) + 1 if self.row in batch else 0
        if position == len(batch):
            return self.batch()
        self._show_example(position)
        for learner in self.learners:
            learner.update = None
        return False

    def batch(self) -> bool:
        """Make one step with each trainer, and draw the first example of the next batch."""
        self.moment = None
        for learner in self.learners:
            learner.batch()
        self._show_example(0)
        return False

    def epoch(self, clock: Callable[[], None] = no_time_limit) -> bool:
        """Train for one epoch with each trainer."""
        self.moment, self.examples_of_batch = None, []
        for learner in self.learners:
            learner.epoch(clock)
        return False

    def classify(self, pixels: Any) -> dict[str, Any]:
        """Classify an image that the user drew, with pixels from 0 to 1."""
        n = self.problem.X.shape[1]
        are_numbers = isinstance(pixels, list) and len(pixels) == n and all(type(v) in (int, float) for v in pixels)
        if self.problem.image is None or not are_numbers or not all(0 <= v <= 1 for v in pixels):
            raise ConfigurationError(f"pixels must be {n} numbers from 0 to 1, and the problem must have images.")
        outputs = self.net(self._moment_of().params, np.array([pixels]))[0]
        return {"kind": "drawn", "outputs": picture.to_json_types(outputs), "answer": int(outputs.argmax())}

    def recording(self) -> dict[str, Any]:
        """The layout and the frames of the selected training, for a page that needs no server.

        Of many moments some are chosen evenly, and always the last one.
        """
        moments, shown_moment = self.learners[self.selected].moments, self.moment
        weights = sum(a.size * b.size for a, b in pairwise(self.shown))
        count = min(len(moments), MOST_FRAMES, max(2, MOST_NUMBERS // (2 * weights + 2000)))
        chosen = np.unique(np.linspace(0, len(moments) - 1, count).round().astype(int)).tolist()
        frames = []
        try:
            for moment in chosen:
                self.show(moment)
                known = count_known_moments(frames[0]) if frames else None  # the first frame has all the costs
                frames.append(self.frame(known))
        finally:
            self.moment = shown_moment
        return {"layout": self.layout(), "frames": frames, "moments": chosen}

    def _show_example(self, position: int) -> None:
        """Draw an example of the next batch."""
        self.examples_of_batch = self.learners[self.selected].next_batch().tolist()
        self.row = self.examples_of_batch[position]

    @property
    def ended(self) -> bool:
        """Whether no trainer can go on."""
        return all(learner.ended is not None for learner in self.learners)

    def layout(self) -> dict[str, Any]:
        """The layout with the settings and their possible values."""
        layout = super().layout()
        for trainer in layout["trainers"]:
            trainer["update"] = UPDATES[trainer["name"]]
        return layout | {
            "choices": asdict(self.choices),
            "known": {
                "problem": list(dict.fromkeys([self.initial_problem.name, *GENERATED, "points"])),
                "activation": hidden_activations(),
                "cost": costs_for(self.problem),
                "trainer": list(TRAINERS),
                "with_eta": ETA_TRAINERS,
                "of_batches": BATCH_TRAINERS,
                "speed": SPEEDS,
            },
        }
