"""deltarule's loop on one of its two engines, one epoch a call, as `dr.train` runs it."""

from typing import Any

import deltarule as dr
from deltarule import engine as engines
from deltarule import trees
from deltarule.training.loop import Course, Records


class Epochs:
    """A training that can be continued epoch by epoch; on JAX gradient descent runs in its compiled loop."""

    def __init__(self, engine: str, net: dr.Network, trainer: Any, X: Any, Y: Any, start: list[dict[str, Any]]):
        """`engine` is "numpy" or "jax"; X, Y and the start are NumPy arrays, whose dtype is used for computing."""
        self.engine, self.net, self.trainer = engines.get(engine), net, trainer
        self.dtype, self.first = X.dtype, start
        with self.engine.computing_in(self.dtype):
            rows = self.engine.make_rows(X, Y, None)
        self.course = Course(net, trainer, rows, None, (0,), dr.Stopping(), "cost", ())
        self.begin()

    def begin(self) -> None:
        """Go back to the start."""
        with self.engine.computing_in(self.dtype):
            self.carry = self.course.start(trees.map_leaves(self.engine.put, self.first))

    def run(self, epochs: int = 1) -> Records:
        """Train so many epochs more and return their records, fewer if the training stops."""
        with self.engine.computing_in(self.dtype), self.course.thread_limits():
            self.carry, records, _ = self.course.advance(self.carry, int(self.carry.epoch) + epochs)
            self.engine.wait(trees.leaves(self.carry.state.params))
        return records

    @property
    def stopped(self) -> bool:
        """Whether the trainer has stopped."""
        return int(self.carry.stop) != 0

    @property
    def params(self) -> list[dict[str, Any]]:
        """The current parameters, on the engine."""
        return self.carry.state.params
