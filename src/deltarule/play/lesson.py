"""One lesson: a problem, what the user chose, and one or two trainings of it; commands in, frames out.

Nothing here knows of a server: the page's messages come in as dicts and what it draws goes out as dicts.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from deltarule.checks import require_choice
from deltarule.engine.rows import no_time_limit
from deltarule.errors import ConfigurationError
from deltarule.play import picture
from deltarule.play.choices import (
    OF_BATCHES,
    SPEEDS,
    TRAINERS,
    UPDATES,
    WITH_ETA,
    Choices,
    costs_for,
    hidden_activations,
    rate_of,
)
from deltarule.play.frames import Frames, told_by
from deltarule.play.learner import Learner
from deltarule.play.problems import GENERATED, Problem, drawn

MOST_FRAMES = 240  # of a recording
MOST_NUMBERS = 400_000  # in all of them together, so that the file stays below some megabytes
TRAINING = ("trainer", "versus", "eta", "batch_size", "l2")  # what may change while it runs


class Lesson(Frames):
    """The state behind one page: what is chosen, and the trainings that follow from it."""

    def __init__(self, problem: Problem):
        self.own = problem
        self.begin(problem, Choices.of(problem))

    def begin(self, problem: Problem, choices: Choices) -> None:
        """Start anew; where that is refused everything stays as it was.

        Raises:
            DeltaruleError: problem, network and trainers do not go together.
        """
        net = choices.network(problem)
        params = None if problem.given is None else problem.given[1]
        named = choices.trainers(len(problem.X))
        examples = (problem.X, problem.Y)
        learners = [Learner(net, one, examples, problem.validation, choices.seed, params) for _, one in named]
        self.choices = choices
        self.present(problem, net, learners, [name for name, _ in named])
        if problem.given is None:
            self._take_up(0)

    # The page's commands; each returns whether the layout of the page has to be drawn anew.

    def change(self, changes: dict[str, Any]) -> bool:
        """Other settings: of the trainers they act at once, any other begins anew."""
        if "trainer" in changes and "eta" not in changes:
            changes = changes | rate_of(changes["trainer"], self.problem)
        choices = self.choices.with_changes(changes)
        if any(name not in TRAINING for name in changes) or (choices.versus is None) != (self.choices.versus is None):
            self.begin(self.problem, choices)
            return True
        net = choices.network(self.problem)
        if net != self.net:  # Bayesian regularisation has linear outputs
            self.begin(self.problem, choices)
            return True
        named = choices.trainers(len(self.problem.X))
        for learner, (_, trainer) in zip(self.learners, named, strict=True):
            if learner.trainer != trainer:
                learner.retrain(trainer)
        self.choices, self.names, self.examples_of_batch = choices, [name for name, _ in named], []
        return True

    def choose(self, name: Any, points: Any = None) -> bool:
        """Another problem, with what it begins with; `points` are those set with the mouse."""
        require_choice("problem", name, (*GENERATED, "points", self.own.name))
        problem = drawn(points) if name == "points" else self.own if name == self.own.name else GENERATED[name]()
        keep = name == "points" == self.problem.name
        choices = self.choices if keep else Choices.of(problem).with_changes({"seed": self.choices.seed})
        self.begin(problem, choices)
        return True

    def reset(self) -> bool:
        """The same settings from the start."""
        self.begin(self.problem, self.choices)
        return True

    def example(self) -> bool:
        """The next example of the batch; behind the last one the step that the batch asks for."""
        self.moment = None
        batch = self.learners[self.selected].batch_rows().tolist()
        place = batch.index(self.row) + 1 if self.row in batch else 0
        if place == len(batch):
            return self.batch()
        self._take_up(place)
        for learner in self.learners:
            learner.update = None
        return False

    def batch(self) -> bool:
        """One step of each trainer; then the first example of the next batch is looked at."""
        self.moment = None
        for learner in self.learners:
            learner.batch()
        self._take_up(0)
        return False

    def epoch(self, clock: Callable[[], None] = no_time_limit) -> bool:
        """One epoch of each trainer."""
        self.moment, self.examples_of_batch = None, []
        for learner in self.learners:
            learner.epoch(clock)
        return False

    def classify(self, pixels: Any) -> dict[str, Any]:
        """What the network makes of a picture that the user drew, pixels from 0 to 1."""
        n = self.problem.X.shape[1]
        whole = isinstance(pixels, list) and len(pixels) == n and all(type(v) in (int, float) for v in pixels)
        if self.problem.image is None or not whole or not all(0 <= v <= 1 for v in pixels):
            raise ConfigurationError(f"pixels must be {n} numbers from 0 to 1, for a problem of pictures.")
        outputs = self.net(self._at().params, np.array([pixels]))[0]
        return {"kind": "drawn", "outputs": picture.to_json_types(outputs), "answer": int(outputs.argmax())}

    def recording(self) -> dict[str, Any]:
        """The layout and frames of moments of the trainer that is looked at, for a page that needs no server.

        Of many moments some are evenly chosen, the last one always.
        """
        moments, looked_at = self.learners[self.selected].moments, self.moment
        drawn = 2 * sum(a.size * b.size for a, b in zip(self.shown, self.shown[1:], strict=False)) + 2000
        count = min(len(moments), MOST_FRAMES, max(2, MOST_NUMBERS // drawn))
        chosen = np.unique(np.linspace(0, len(moments) - 1, count).round().astype(int)).tolist()
        frames = []
        try:
            for place in chosen:
                self.show(place)
                frames.append(self.frame(told_by(frames[0]) if frames else None))  # the first one tells all the costs
        finally:
            self.moment = looked_at
        return {"layout": self.layout(), "frames": frames, "moments": chosen}

    def _take_up(self, place: int) -> None:
        """Look at an example of the next batch."""
        self.examples_of_batch = self.learners[self.selected].batch_rows().tolist()
        self.row = self.examples_of_batch[place]

    @property
    def ended(self) -> bool:
        """Whether no trainer can go on."""
        return all(learner.ended is not None for learner in self.learners)

    def layout(self) -> dict[str, Any]:
        """The layout, with what is chosen and what can be."""
        found = super().layout()
        for trainer in found["trainers"]:
            trainer["update"] = UPDATES[trainer["name"]]
        return found | {
            "choices": asdict(self.choices),
            "known": {
                "problem": list(dict.fromkeys([self.own.name, *GENERATED, "points"])),
                "activation": hidden_activations(),
                "cost": costs_for(self.problem),
                "trainer": list(TRAINERS),
                "with_eta": WITH_ETA,
                "of_batches": OF_BATCHES,
                "speed": SPEEDS,
            },
        }
