"""The loops over time of recurrent layers: forward step by step, the errors back (BPTT), and their derivatives.

`Recurrent`, `GRU` and `LSTM` define one step: the next state, its tangents, and how errors go back through it.
`ThroughTime` leads from step to step. Sequences are (m, T, features): time is always the axis before the last, and
axes may come before (m, T), with an entry for each residual or parameter.

    delta_t = dC/dz_t, computed back from the last step to the first                              (BPTT)
    S_t = dh_t/dp, computed forward with the sequence, with the parameters on the first axis      (RTRL)
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network.layers import places
from deltarule.network.layers.base import LayerParams, Pass, Shape, Tangents
from deltarule.network.layers.gated import Gated, GateInputs
from deltarule.network.layers.stages import Stage, as_doubles

State = tuple[Array, ...]
Step = tuple[State, tuple[Array, ...]]  # the state after a step, and the outputs of the step


class Run(NamedTuple):
    """What a layer saves of its sequences for the backward pass."""

    ends: Array | None  # the last step of each sequence, (m,); None if all have T steps
    steps: tuple[Array, ...]  # `values_type` of all steps, (m, T, ·) each


class ThroughTime(Gated):
    """A recurrent layer. A subclass defines `step`, its derivatives, and the named tuples of what they return."""

    unit_tangents: ClassVar[bool] = True
    states: ClassVar[int] = 1  # how many arrays make the state: h, or h and c
    values_type: ClassVar[Any]  # of `step`: z, h, before (h_{t-1}) and more
    tangents_type: ClassVar[Any]  # of `step_tangent`: the tangents of z, h, before and more
    errors_type: ClassVar[Any]  # of `step_back`: delta and more

    def step(self, V: Array, state: State, source: Array) -> Step:
        """The next state and `values_type`, from z_t = source + V h_{t-1} with source = W x_t + b."""
        raise NotImplementedError

    def step_tangent(self, V: Array, dstate: State, values: Any, source: Array) -> Step:
        """The tangent of the next state and `tangents_type`, from dz_t = source + V dh_{t-1}."""
        raise NotImplementedError

    def step_second(self, V: Array, ddstate: State, values: Any, tangents: Any, source: Array) -> Step:
        """The second derivative of the next state and (ddz_t, ddh_t), from ddz_t = source + V ddh_{t-1}."""
        raise NotImplementedError

    def step_back(self, V: Array, error: State, values: Any, dC_dh: Array) -> Step:
        """The error of the state before and `errors_type`, from the error of the state after and dC/dh_t."""
        raise NotImplementedError

    def step_back_tangent(
        self, V: Array, dV: Array, derror: State, values: Any, tangents: Any, errors: Any, ddC_dh: Array
    ) -> Step:
        """The tangent of the error of the state before, and (ddelta_t,)."""
        raise NotImplementedError

    def state_inputs(self, steps: Any) -> tuple[Array, ...]:
        """What each group of rows of V multiplies, from `values_type`, or its tangent, from `tangents_type`."""
        return (steps.before,)

    def stage(self, params: LayerParams, input_shape: Shape) -> Stage:
        arrays, states = as_doubles(params), ("h", "c")[: self.states]
        return Stage(self.kind.lower(), arrays["W"].shape[1], self.n, self.sigma.name, arrays, states=states)

    def saved_numbers(self, input_shape: Shape) -> int:
        """The size of `values_type`: g n numbers for z and for the gates, n for each of the others."""
        return input_shape[0] * self.n * (2 * self.gates + len(self.values_type._fields))

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: LayerParams, a_prev: Array, ends: Array | None = None
    ) -> Pass:
        """z_t and h_t of every step, from a state of zeros; `ends` is the last step of each sequence, or None for T."""
        V = params["V"]
        source = places.product(params["W"], a_prev) + params["b"]

        def step(state: State, s: Array) -> Step:
            return self.step(V, state, s)

        steps = self.values_type(*engine.of(source).scan(step, self._zero_state(source), (source,)))
        run = Run(ends, tuple(steps))
        return Pass(params, GateInputs(a_prev, self.state_inputs(steps)), steps.z, self._output(run, steps.h), run)

    def error(self, values: Pass, dC_da: Array) -> Array:
        """delta_t = dC/dz_t (BPTT)."""
        return self._back(values, dC_da)[0]

    def tangent(self, values: Pass, dparams: LayerParams, da_prev: Array | None) -> Tangents:
        """dz_t = dW x_t + dV h_{t-1} + db + W dx_t + V dh_{t-1}, and the tangents of the state."""
        run, inputs, V = values.memory, values.a_prev, values.params["V"]
        source = places.product(dparams["W"], inputs.x) + self._times_V(dparams["V"], inputs.h) + dparams["b"]
        if da_prev is not None:
            source = source + places.product(values.params["W"], da_prev)

        def step(state: State, *each: Array) -> Step:
            return self.step_tangent(V, state, self.values_type(*each[:-1]), each[-1])

        tangents = self.tangents_type(*self._scan(step, (*run.steps, source)))
        dinputs = GateInputs(da_prev, self.state_inputs(tangents))
        return Tangents(dparams, dinputs, tangents.z, self._output(run, tangents.h), tuple(tangents))

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        """ddz_t = 2 dW dx_t + 2 dV dh_{t-1} + W ddx_t + V ddh_{t-1}, and the second derivative of the state."""
        assert tangents.dparams is not None
        run, V, dinputs = values.memory, values.params["V"], tangents.da_prev
        source = 2 * self._times_V(tangents.dparams["V"], dinputs.h)
        if dinputs.x is not None:
            source = source + 2 * places.product(tangents.dparams["W"], dinputs.x)
        if dda_prev is not None:
            source = source + places.product(values.params["W"], dda_prev)

        def step(state: State, *each: Array) -> Step:
            values, tangents, _ = self._parts(each)
            return self.step_second(V, state, values, tangents, each[-1])

        ddz, ddh = self._scan(step, (*run.steps, *tangents.memory, source))
        return ddz, self._output(run, ddh)

    def error_tangent(self, values: Pass, tangents: Tangents, dC_da: Array, ddC_da: Array) -> Array:
        """The tangent of delta_t: each step of (BPTT) differentiated once more."""
        assert tangents.dparams is not None
        run, V, dV = values.memory, values.params["V"], tangents.dparams["V"]
        back = self._back(values, dC_da)

        def step(state: State, *each: Array) -> Step:
            values, tangents, errors = self._parts(each)
            return self.step_back_tangent(V, dV, state, values, tangents, self.errors_type(*errors), each[-1])

        arrays = (*run.steps, *tangents.memory, *back, self._at_steps(run, ddC_da))
        return self._scan(step, arrays, reverse=True)[0]

    def unit_tangent(self, values: Pass, da_prev: Array | None) -> tuple[Any, Array]:
        """dh_t for a unit change of each parameter (RTRL): those of the layers below, then V, W and b."""
        run, inputs, (xp, G) = values.memory, values.a_prev, (values.z.__array_namespace__(), values.z.shape[-1])
        V, eye, count = values.params["V"], xp.eye(G, dtype=values.z.dtype), len(run.steps)
        below = () if da_prev is None else (places.product(values.params["W"], da_prev),)

        def step(state: State, *each: Array) -> Step:
            x, h = each[count], each[count + 1 : count + 1 + len(inputs.h)]
            own = [places.units(one, eye[rows]) for rows, one in zip(self.rows, h, strict=True)]
            own += [places.units(x, eye), xp.broadcast_to(eye[:, None], (G, len(x), G))]
            source = xp.concatenate([*each[count + 1 + len(h) :], *own])
            state, tangents = self.step_tangent(V, state, self.values_type(*each[:count]), source)
            return state, (self.tangents_type(*tangents).h,)

        entries = sum(p.size for p in values.params.values()) + (0 if da_prev is None else len(da_prev))
        arrays = (*run.steps, inputs.x, *inputs.h, *below)
        (dh,) = self._scan(step, arrays, self._zero_state(values.z, entries))
        return None, self._output(run, dh)

    # From step to step

    def _zero_state(self, like: Array, *front: int) -> State:
        """A state of zeros for sequences like these, with further axes in front."""
        zero = like.__array_namespace__().zeros((*front, *like.shape[:-2], self.n), dtype=like.dtype)
        return (zero,) * self.states

    def _scan(
        self, step: Callable[..., Step], arrays: Sequence[Array], state: State | None = None, reverse: bool = False
    ) -> tuple[Array, ...]:
        """The outputs of all steps, forward or back; with `truncate` no derivative passes from piece to piece."""
        last = arrays[-1]
        state = self._zero_state(last) if state is None else state
        E, T = engine.of(last), last.shape[-2]
        if self.truncate is None or self.truncate >= T:
            return E.scan(step, state, arrays, reverse)
        goes_on = E.put((np.arange(T) % self.truncate != 0)[:, None], last.dtype)

        def cut(state: State, goes_on: Array, *each: Array) -> Step:
            if not reverse:
                return step(tuple(goes_on * part for part in state), *each)
            state, outputs = step(state, *each)
            return tuple(goes_on * part for part in state), outputs

        return E.scan(cut, state, (goes_on, *arrays), reverse)

    def _parts(self, each: tuple[Array, ...]) -> tuple[Any, Any, tuple[Array, ...]]:
        """The `values_type` and `tangents_type` at the front of a step's arrays, and the others but the last."""
        first = len(self.values_type._fields)
        second = first + len(self.tangents_type._fields)
        return self.values_type(*each[:first]), self.tangents_type(*each[first:second]), each[second:-1]

    def _back(self, values: Pass, dC_da: Array) -> tuple[Array, ...]:
        """`errors_type` of all steps."""
        run, V = values.memory, values.params["V"]

        def step(state: State, *each: Array) -> Step:
            return self.step_back(V, state, self.values_type(*each[:-1]), each[-1])

        return self._scan(step, (*run.steps, self._at_steps(run, dC_da)), reverse=True)

    # From all steps to the output of the layer

    def _output(self, run: Run, h: Array) -> Array:
        """All of h (..., m, T, n), or only the last step of each sequence."""
        if self.sequences:
            return h
        return h[..., -1, :] if run.ends is None else (self._at_end(run) * h).sum(axis=-2)

    def _at_steps(self, run: Run, dC_da: Array) -> Array:
        """dC/dh_t from dC/da; if the layer gives only the last step, it is 0 at the others."""
        return dC_da if self.sequences else self._at_end(run) * dC_da[..., None, :]

    def _at_end(self, run: Run) -> Array:
        """1 at the last step of each sequence and 0 elsewhere, (m, T, 1) or (T, 1)."""
        h = self.values_type(*run.steps).h
        steps = h.__array_namespace__().arange(h.shape[-2])
        last = len(steps) - 1 if run.ends is None else run.ends[:, None]
        return (steps == last)[..., None].astype(h.dtype)
