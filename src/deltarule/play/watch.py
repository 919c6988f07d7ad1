"""`Watch`: show a training in the browser while it runs, as MATLAB's training window does."""

import time
from html import escape
from typing import Any, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.engine.rows import Rows
from deltarule.play.frames import Frames
from deltarule.play.learner import Moment, Training, cost_curves, scores
from deltarule.play.problems import Problem
from deltarule.training.loop import Carry, Course
from deltarule.training.session import TrainingResult

MOST_ROWS = 2000  # examples that are drawn and scored for the page


class Names(NamedTuple):
    """What the page calls the network's inputs and outputs, and the trainer; empty where it has to number them."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    trainer: str = ""


class Watched(Training):
    """A training that runs outside the page: its latest moment, and its costs."""

    ended: str | None = None

    def __init__(self, course: Course, carry: Carry):
        self.course, self.records = course, []
        count = min(int(course.rows.count), MOST_ROWS)
        self.rows = Rows(np.asarray(course.rows.x)[:count], np.asarray(course.rows.y)[:count], None, count)
        self.look(carry, [])

    def look(self, carry: Carry, records: list[dict[str, Any]]) -> None:
        """Take the state of the training after epochs with these records."""
        self.records += records
        state = trees.map_leaves(np.asarray, carry.state)
        record = self.records[-1] if self.records else {}
        record = record | scores(self.course.net, state.params, self.rows)
        self.moments = [Moment(int(carry.epoch), 0, state, record)]

    def costs(self, first: int) -> dict[str, Any]:
        """The curves of the training's own records from number `first` on."""
        records = self.records[first:]
        epochs = [float(record["epoch"]) for record in records]
        return cost_curves(records, self.now.record if self.records else {}, epochs, "cost")


class WatchFrames(Frames):
    """The layout and the frames of a training that is watched."""

    def __init__(self, course: Course, watched: Watched, names: Names):
        X, Y = watched.rows.x, watched.rows.y
        classes = course.net.cost.for_classes or course.net.output_activation.name == "softmax"
        k = Y.shape[1]
        labels = tuple(map(str, range(k if k > 1 else 2)))
        outputs = labels[:k] if classes else ("y",) if k == 1 else tuple(f"y{j}" for j in range(k))
        inputs = tuple(f"x{k}" for k in range(X[0].size))
        inputs = names.inputs if len(names.inputs) == len(inputs) else inputs
        outputs = names.outputs if len(names.outputs) == k else outputs
        labels = (names.outputs if len(names.outputs) == len(labels) else labels) if classes else None
        trainer = names.trainer or type(course.trainer).__name__
        problem = Problem(
            "watched", f"{trainer} on {int(course.rows.count):,} examples", X, Y, inputs, outputs, labels,
            np.arange(len(X)), validation=None if course.validation is None else (X[:0], Y[:0]),
        )  # fmt: skip
        self.present(problem, course.net, [watched], [trainer])

    def layout(self) -> dict[str, Any]:
        """The layout of a page that only watches."""
        return super().layout() | {"watch": True}


class Watch:
    """A callback of `dr.train` that shows the training in the browser, with a button to stop it.

    The page shows the training and validation cost, the gradient, the damping, predictions over targets, the network
    with its numbers, and the equations of any example. The button stops the training after the current epochs; with
    validation data the best parameters are returned, as always.

    Args:
        port: 0 takes any free port.
        browser: whether to open the page in a browser; its address is `address`. A notebook shows the page below a cell
            that ends with this object.

    Raises:
        ConfigurationError: the port cannot be opened, or the packages of the extra "play" are missing.

    >>> import deltarule as dr
    >>> watch = dr.Watch(browser=False)
    >>> result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=9, callbacks=[watch])  # doctest: +SKIP
    >>> watch.close()
    """

    def __init__(self, port: int = 0, browser: bool = True):
        from deltarule.play.watch_server import WatchServer

        self.frames: WatchFrames | None = None
        self.names = Names()
        self.seen = False  # whether a page has shown the end of the training
        self.stopped = False  # whether the page's button was pressed
        self.records: list[dict[str, Any]] = []
        self.server = WatchServer(self, port)
        self.thread = self.server.start()
        if browser:
            self.server.open_browser()

    @property
    def address(self) -> str:
        """The address to open in a browser on this machine."""
        return self.server.address

    def __call__(self, record: dict[str, Any]) -> bool:
        """Take an epoch's record; return whether to stop the training."""
        self.records.append(record)
        return self.stopped

    def look(self, course: Course, carry: Carry) -> None:
        """Take the state of the training, and show it."""
        records, self.records = self.records, []
        if self.frames is None or self.frames.learners[0].course is not course:
            self.frames, self.stopped, self.seen = WatchFrames(course, Watched(course, carry), self.names), False, False
        else:
            self.frames.learners[0].look(carry, records)
        self.server.notify()

    def ended(self, result: TrainingResult) -> None:
        """Show the end of the training; the page is served as long as this process lives."""
        if self.frames is not None:
            self.frames.learners[0].ended = result.message
            self.server.notify()

    def end_training(self) -> None:
        """Stop the training after the current epochs."""
        self.stopped = True

    def close(self, wait: float = 0.0) -> None:
        """Stop the server; open pages keep what they show.

        Args:
            wait: seconds to wait until a page has shown the end of the training.
        """
        until = time.monotonic() + wait
        while not self.seen and time.monotonic() < until:
            time.sleep(0.05)
        self.server.stop()
        self.thread.join(10)

    def _repr_html_(self) -> str:
        """The page inside a notebook."""
        return f'<iframe src="{escape(self.address)}" width="100%" height="900" style="border: 0"></iframe>'
