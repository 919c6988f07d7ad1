"""The messages that show trainings on the page: a layout, which stays, and frames with the numbers of a moment."""

from typing import Any

import numpy as np

from deltarule.checks import require_count
from deltarule.errors import ConfigurationError
from deltarule.network.network import Network
from deltarule.network.tracing import equations
from deltarule.play import picture
from deltarule.play.learner import Moment
from deltarule.play.problems import Problem
from deltarule.trainers.base import VERDICTS

SHOWN_OF_RECORD = ("gradient_norm", "lambda", "mu", "radius", "accepted", "rejected", "gamma", "log_evidence")
MOST_NAMES = 100  # of inputs
MOST_POINTS = 600  # examples that are drawn in the plane or on the line


class Frames:
    """The trainings of a network, one or two, as the page shows them.

    Attributes:
        problem: the data.
        net: the network.
        learners: the trainings side by side, each a `Training` of `deltarule.play.learner`, with their `names`.
        version: the number of the current network, by which the page recognises frames of an earlier one.
        shown: the neurons of each layer that are drawn.
        selected: the training whose numbers are drawn.
        row: the position of the example whose numbers are drawn.
        moment: the number of the moment that is drawn, None for the latest.
        examples_of_batch: the positions of the examples of the batch that the user steps through.
    """

    version = 0

    def present(self, problem: Problem, net: Network, learners: list[Any], names: list[str]) -> None:
        """Show these trainings from now on."""
        self.problem, self.net, self.learners, self.names = problem, net, learners, names
        self.shown = picture.shown_neurons(net, problem)
        self.selected, self.row = 0, 0
        self.moment: int | None = None
        self.examples_of_batch: list[int] = []
        self.version += 1

    def look(self, row: Any) -> bool:
        """Draw another example, by its row in the source, which `deltarule trace --row` counts alike."""
        positions = np.flatnonzero(self.problem.rows == require_count("row", row, least=0, most=2**31))
        if not len(positions):
            raise ConfigurationError(
                f"row {row} is not among the {len(self.problem.X):,} training rows of this page: choose another one."
            )
        self.row = int(positions[0])
        self.examples_of_batch = []
        return False

    def select(self, learner: Any) -> bool:
        """Draw the numbers of this training."""
        self.selected = require_count("learner", learner, least=0, most=len(self.learners) - 1)
        return False

    def show(self, moment: Any) -> bool:
        """Draw an earlier moment, or the latest one (None)."""
        last = len(self.learners[self.selected].moments) - 1
        self.moment = None if moment is None else require_count("moment", moment, least=0, most=last)
        self.moment = None if self.moment == last else self.moment
        return False

    def layout(self) -> dict[str, Any]:
        """What stays the same during a training: names, layers, equations, examples."""
        problem, net = self.problem, self.net
        layers = [
            {
                "layer": i + 2,
                "kind": layer.kind,
                "n": int(np.prod(shape)),
                "activation": getattr(layer, "activation", None),
                "shown": self.shown[i + 1].tolist(),
                "equations": equations(net, i),
            }
            for i, (layer, shape) in enumerate(zip(net.layers, net.shapes(problem.X.shape[1:])[1:], strict=True))
        ]
        points = None
        if problem.view in ("plane", "line"):
            drawn = np.unique(np.linspace(0, len(problem.X) - 1, MOST_POINTS).round().astype(int))
            X, Y, labels = problem.X[drawn].round(5), problem.Y[drawn, 0].round(5), problem.labels[drawn]
            points = {"X": X, "Y": Y, "labels": labels}
        return picture.to_json_types(
            {
                "kind": "layout",
                "version": self.version,
                "problem": {
                    "name": problem.name, "title": problem.title, "view": problem.view, "count": len(problem.X),
                    "inputs": problem.inputs[:MOST_NAMES], "outputs": problem.outputs, "classes": problem.classes,
                    "image": problem.image, "box": picture.axis_limits(problem) if points else None, "points": points,
                    "range": [problem.Y.min(), problem.Y.max()],
                    "validated": problem.validation is not None, "given": problem.given is not None,
                },
                "inputs": {"n": problem.width, "shown": self.shown[0]},
                "layers": layers,
                "parameters": sum(array.size for p in self.learners[0].now.params for array in p.values()),
                "cost": net.cost.name,
                "trainers": [
                    {"name": name, "batches": learner.batches}
                    for name, learner in zip(self.names, self.learners, strict=True)
                ],
                "verdicts": VERDICTS,
            }
        )  # fmt: skip

    def frame(self, known: list[tuple[int, int]] | None = None) -> dict[str, Any]:
        """The numbers of the moment that is drawn.

        Args:
            known: for each learner how often its moments had been thinned and how many the page has, so that only the
                others are sent; None sends all.
        """
        moment, learner = self._moment_of(), self.learners[self.selected]
        problem, x = self.problem, self.problem.X[self.row]
        frame: dict[str, Any] = {
            "kind": "frame",
            "version": self.version,
            "selected": self.selected,
            "row": self.row,
            "source_row": int(problem.rows[self.row]),
            "moment": len(learner.moments) - 1 if self.moment is None else self.moment,
            "trace": picture.trace_example(self.net, moment.params, x, problem.Y[self.row], self.shown),
            "learners": [self._learner_numbers(i, known) for i in range(len(self.learners))],
            "batch": {"size": len(self.examples_of_batch), "place": self._position_in_batch()},
        }
        if problem.image is not None:
            frame["pixels"] = picture.as_base64(x)
        if learner.update is not None and self.moment is None:
            named = learner.update._asdict().items()
            frame["update"] = [
                {name: picture.to_json_types(self._shown_part(i, params[i])) for name, params in named}
                for i in range(len(self.net.layers))
            ]
        return frame

    def _shown_part(self, i: int, p: dict[str, Any]) -> dict[str, Any]:
        """The weights and biases of the drawn neurons of a dense layer."""
        neurons, below = self.shown[i + 1], self.shown[i]
        if "W" not in p or p["W"].ndim != 2:
            return {}
        return {"W": p["W"][np.ix_(neurons, below)], "b": p["b"][neurons]}

    def _position_in_batch(self) -> int:
        return self.examples_of_batch.index(self.row) if self.row in self.examples_of_batch else 0

    def _moment_of(self, i: int | None = None) -> Moment:
        """The moment of a learner that is drawn; for the other learner its moment of the nearest epoch."""
        learner = self.learners[self.selected if i is None else i]
        if self.moment is None:
            return learner.now
        if i is None or i == self.selected:
            return learner.moments[self.moment]
        epoch = self._moment_of().epoch
        return min(learner.moments, key=lambda moment: abs(moment.epoch - epoch))

    def _learner_numbers(self, i: int, known: list[tuple[int, int]] | None) -> dict[str, Any]:
        """The numbers of one training."""
        learner, moment = self.learners[i], self._moment_of(i)
        first = known[i][1] if known is not None and known[i][0] == learner.thinned else 0
        record = moment.record
        numbers = {
            "name": self.names[i],
            "from": first,
            "thinned": learner.thinned,
            **learner.costs(first),
            "epoch": moment.epoch,
            "batch": moment.batch,
            "cost": record["training_cost"],
            "validation_cost": record.get("validation_cost"),
            "accuracy": record["training_accuracy"] if self.problem.classes is not None else None,
            "speeds": record["learning_speed"],
            "record": {name: record[name] for name in SHOWN_OF_RECORD if name in record},
            "ended": learner.ended,
            "view": picture.view_problem(self.net, learner.trainer, moment, self.problem, learner.course.rows),
        }
        if "trial_lambda" in record:
            was_made = np.asarray(record["trial_verdict"]) > 0
            numbers["trials"] = {
                name: np.asarray(record[f"trial_{name}"])[was_made] for name in ("lambda", "cost", "gain", "verdict")
            }
        return picture.to_json_types(numbers)


def count_known_moments(frame: dict[str, Any]) -> list[tuple[int, int]]:
    """What a page knows after this frame, for `Frames.frame`."""
    return [(learner["thinned"], learner["from"] + len(learner["epochs"])) for learner in frame["learners"]]
