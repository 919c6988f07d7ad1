"""What the page is told of trainings: the layout, which stays, and the frames, which come and go."""

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
MOST_POINTS = 600  # of the plane or the line that are drawn


class Frames:
    """One or more trainings of a network, as the page sees them.

    Attributes:
        problem: what is learnt.
        net: the network.
        learners: its trainings side by side, each a `Training` of `deltarule.play.learner`, by `names`.
        version: counts the networks begun, so that the page can tell what an old frame belonged to.
        shown: the neurons of each layer that are drawn.
        selected: the training whose numbers are drawn.
        row: the example whose numbers are drawn, by its place.
        moment: the moment that is looked back at, None for the latest.
        examples_of_batch: the places of the examples of the batch that is stepped through.
    """

    version = 0

    def present(self, problem: Problem, net: Network, learners: list[Any], names: list[str]) -> None:
        """Show these from now on."""
        self.problem, self.net, self.learners, self.names = problem, net, learners, names
        self.shown = picture.shown_neurons(net, problem)
        self.selected, self.row = 0, 0
        self.moment: int | None = None
        self.examples_of_batch: list[int] = []
        self.version += 1

    def look(self, row: Any) -> bool:
        """Draw the numbers of another example, by its row in the source, as `deltarule trace --row` counts them."""
        places = np.flatnonzero(self.problem.rows == require_count("row", row, least=0, most=2**31))
        if not len(places):
            raise ConfigurationError(f"row {row} is not among the {len(self.problem.X):,} rows that train here.")
        self.row = int(places[0])
        self.examples_of_batch = []
        return False

    def select(self, learner: Any) -> bool:
        """Draw the numbers of one of two trainers."""
        self.selected = require_count("learner", learner, least=0, most=len(self.learners) - 1)
        return False

    def show(self, moment: Any) -> bool:
        """Look back at a moment, or at the latest one (None)."""
        last = len(self.learners[self.selected].moments) - 1
        self.moment = None if moment is None else require_count("moment", moment, least=0, most=last)
        self.moment = None if self.moment == last else self.moment
        return False

    def layout(self) -> dict[str, Any]:
        """All that stays the same while it trains: names, layers, equations, examples."""
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
            some = np.unique(np.linspace(0, len(problem.X) - 1, MOST_POINTS).round().astype(int))
            points = {"X": problem.X[some].round(5), "Y": problem.Y[some, 0].round(5), "labels": problem.labels[some]}
        return picture.to_json_types(
            {
                "kind": "layout",
                "version": self.version,
                "problem": {
                    "name": problem.name, "title": problem.title, "view": problem.view, "count": len(problem.X),
                    "inputs": problem.inputs[:MOST_NAMES], "outputs": problem.outputs, "classes": problem.classes,
                    "image": problem.image, "box": picture.box_of(problem) if points else None, "points": points,
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

    def frame(self, told: list[tuple[int, int]] | None = None) -> dict[str, Any]:
        """The numbers of the moment that is looked at.

        Args:
            told: for each learner how often its moments had been thinned and how many were known, so that only the
                others are sent; None sends all.
        """
        moment, learner = self._at(), self.learners[self.selected]
        problem, x = self.problem, self.problem.X[self.row]
        frame: dict[str, Any] = {
            "kind": "frame",
            "version": self.version,
            "selected": self.selected,
            "row": self.row,
            "source_row": int(problem.rows[self.row]),
            "moment": len(learner.moments) - 1 if self.moment is None else self.moment,
            "trace": picture.trace_of(self.net, moment.params, x, problem.Y[self.row], self.shown),
            "learners": [self._told(i, told) for i in range(len(self.learners))],
            "batch": {"size": len(self.examples_of_batch), "place": self._place()},
        }
        if problem.image is not None:
            frame["pixels"] = picture.packed(x)
        if learner.update is not None and self.moment is None:
            named = learner.update._asdict().items()
            frame["update"] = [
                {name: picture.to_json_types(self._cut(i, params[i])) for name, params in named}
                for i in range(len(self.net.layers))
            ]
        return frame

    def _cut(self, i: int, p: dict[str, Any]) -> dict[str, Any]:
        """The weights and biases of the neurons that are drawn, of a dense layer."""
        here, below = self.shown[i + 1], self.shown[i]
        if "W" not in p or p["W"].ndim != 2:
            return {}
        return {"W": p["W"][np.ix_(here, below)], "b": p["b"][here]}

    def _place(self) -> int:
        return self.examples_of_batch.index(self.row) if self.row in self.examples_of_batch else 0

    def _at(self, i: int | None = None) -> Moment:
        """The moment that is looked at, of a learner; of the other one that of the same epoch, or its nearest."""
        learner = self.learners[self.selected if i is None else i]
        if self.moment is None:
            return learner.now
        if i is None or i == self.selected:
            return learner.moments[self.moment]
        epoch = self._at().epoch
        return min(learner.moments, key=lambda one: abs(one.epoch - epoch))

    def _told(self, i: int, told: list[tuple[int, int]] | None) -> dict[str, Any]:
        """One training's numbers."""
        learner, moment = self.learners[i], self._at(i)
        known = told[i][1] if told is not None and told[i][0] == learner.thinned else 0
        record = moment.record
        found = {
            "name": self.names[i],
            "from": known,
            "thinned": learner.thinned,
            **learner.costs(known),
            "epoch": moment.epoch,
            "batch": moment.batch,
            "cost": record["training_cost"],
            "validation_cost": record.get("validation_cost"),
            "accuracy": record["training_accuracy"] if self.problem.classes is not None else None,
            "speeds": record["learning_speed"],
            "record": {name: record[name] for name in SHOWN_OF_RECORD if name in record},
            "ended": learner.ended,
            "view": picture.view_of(self.net, learner.trainer, moment, self.problem, learner.course.rows),
        }
        if "trial_lambda" in record:
            made = np.asarray(record["trial_verdict"]) > 0
            found["trials"] = {
                name: np.asarray(record[f"trial_{name}"])[made] for name in ("lambda", "cost", "gain", "verdict")
            }
        return picture.to_json_types(found)


def told_by(frame: dict[str, Any]) -> list[tuple[int, int]]:
    """What a page that has been sent this frame knows of the costs, for the next one."""
    return [(one["thinned"], one["from"] + len(one["epochs"])) for one in frame["learners"]]
