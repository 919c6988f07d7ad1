"""The walk through time of layers with a memory: forward step by step, the errors back (BPTT), and their derivatives.

`Recurrent`, `GRU` and `LSTM` say what one step does with z_t and the state, how the next state moves, and how errors
go back through it; what is written here leads from step to step. Sequences are (m, T, features): the time is always
the axis before the last, and axes may stand in front, with an entry for each residual or parameter.

    delta_t = dC/dz_t, carried back from the last step to the first                               (BPTT)
    S_t = dh_t/dp, carried forward with the sequence, one entry of the first axis a parameter     (RTRL)
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network.layers import places
from deltarule.network.layers.base import LayerParams, Pass, Shape, Tangents
from deltarule.network.layers.gated import Gated, Taken
from deltarule.network.layers.stages import Stage, as_doubles

State = tuple[Array, ...]
Step = tuple[State, tuple[Array, ...]]  # the state after a step, and what is kept of it


class Run(NamedTuple):
    """What a layer keeps of its sequences for the way back."""

    ends: Array | None  # the last step of each sequence, (m,); None where all have T steps
    kept: tuple[Array, ...]  # `values_type` of every step, (m, T, ·) each


class ThroughTime(Gated):
    """A kind gives `step`, its derivatives, and the three named tuples of what they keep of each step."""

    unit_tangents: ClassVar[bool] = True
    states: ClassVar[int] = 1  # arrays that make the state: h, or h and c
    values_type: ClassVar[Any]  # of `step`: z, h, before (h_{t-1}) and so on
    tangents_type: ClassVar[Any]  # of `step_tangent`: how z, h, before and so on move
    errors_type: ClassVar[Any]  # of `step_back`: delta and so on

    def step(self, V: Array, state: State, source: Array) -> Step:
        """z_t = source + V h_{t-1}, where source is W x_t + b, and the next state; keeps `values_type`."""
        raise NotImplementedError

    def step_tangent(self, V: Array, dstate: State, values: Any, source: Array) -> Step:
        """dz_t = source + V dh_{t-1}, and how the next state moves; keeps `tangents_type`."""
        raise NotImplementedError

    def step_second(self, V: Array, ddstate: State, values: Any, tangents: Any, source: Array) -> Step:
        """ddz_t = source + V ddh_{t-1}, and the next state's second derivative; keeps (ddz_t, ddh_t)."""
        raise NotImplementedError

    def step_back(self, V: Array, error: State, values: Any, dC_dh: Array) -> Step:
        """The error of the state before, from that of the state after and dC/dh_t; keeps `errors_type`."""
        raise NotImplementedError

    def step_back_tangent(
        self, V: Array, dV: Array, derror: State, values: Any, tangents: Any, errors: Any, ddC_dh: Array
    ) -> Step:
        """How the error of the state before moves; keeps (ddelta_t,)."""
        raise NotImplementedError

    def multiplied(self, steps: Any) -> tuple[Array, ...]:
        """What each group of V's rows multiplies, of `values_type`, or how it moves, of `tangents_type`."""
        return (steps.before,)

    def stage(self, params: LayerParams, input_shape: Shape) -> Stage:
        arrays, states = as_doubles(params), ("h", "c")[: self.states]
        return Stage(self.kind.lower(), arrays["W"].shape[1], self.n, self.sigma.name, arrays, states=states)

    def saved_numbers(self, input_shape: Shape) -> int:
        """Those of `values_type`: z is g n numbers, and gates too, each of the others n."""
        return input_shape[0] * self.n * (2 * self.gates + len(self.values_type._fields))

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: LayerParams, a_prev: Array, ends: Array | None = None
    ) -> Pass:
        """z_t and h_t of every step, from a state of zeros; `ends` is each sequence's last step, if they differ."""
        V = params["V"]
        source = places.product(params["W"], a_prev) + params["b"]

        def step(state: State, s: Array) -> Step:
            return self.step(V, state, s)

        kept = self.values_type(*engine.of(source).scan(step, self._rest(source), (source,)))
        run = Run(ends, tuple(kept))
        return Pass(params, Taken(a_prev, self.multiplied(kept)), kept.z, self._given(run, kept.h), run)

    def error(self, values: Pass, dC_da: Array) -> Array:
        """delta_t = dC/dz_t (BPTT)."""
        return self._back(values, dC_da)[0]

    def tangent(self, values: Pass, dparams: LayerParams, da_prev: Array | None) -> Tangents:
        """dz_t = dW x_t + dV h_{t-1} + db + W dx_t + V dh_{t-1}, and how the state moves with it."""
        run, taken, V = values.memory, values.a_prev, values.params["V"]
        source = places.product(dparams["W"], taken.x) + self._times_V(dparams["V"], taken.h) + dparams["b"]
        if da_prev is not None:
            source = source + places.product(values.params["W"], da_prev)

        def step(state: State, *each: Array) -> Step:
            return self.step_tangent(V, state, self.values_type(*each[:-1]), each[-1])

        tangents = self.tangents_type(*self._walk(step, (*run.kept, source)))
        taken = Taken(da_prev, self.multiplied(tangents))
        return Tangents(dparams, taken, tangents.z, self._given(run, tangents.h), tuple(tangents))

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        """ddz_t = 2 dW dx_t + 2 dV dh_{t-1} + W ddx_t + V ddh_{t-1}, and how the state bends with it."""
        assert tangents.dparams is not None
        run, V, taken = values.memory, values.params["V"], tangents.da_prev
        source = 2 * self._times_V(tangents.dparams["V"], taken.h)
        if taken.x is not None:
            source = source + 2 * places.product(tangents.dparams["W"], taken.x)
        if dda_prev is not None:
            source = source + places.product(values.params["W"], dda_prev)

        def step(state: State, *each: Array) -> Step:
            values, tangents, _ = self._parts(each)
            return self.step_second(V, state, values, tangents, each[-1])

        ddz, ddh = self._walk(step, (*run.kept, *tangents.memory, source))
        return ddz, self._given(run, ddh)

    def error_tangent(self, values: Pass, tangents: Tangents, dC_da: Array, ddC_da: Array) -> Array:
        """How delta_t moves: each step of (BPTT) differentiated once more."""
        assert tangents.dparams is not None
        run, V, dV = values.memory, values.params["V"], tangents.dparams["V"]
        back = self._back(values, dC_da)

        def step(state: State, *each: Array) -> Step:
            values, tangents, errors = self._parts(each)
            return self.step_back_tangent(V, dV, state, values, tangents, self.errors_type(*errors), each[-1])

        arrays = (*run.kept, *tangents.memory, *back, self._at_steps(run, ddC_da))
        return self._walk(step, arrays, reverse=True)[0]

    def unit_tangent(self, values: Pass, da_prev: Array | None) -> tuple[Any, Array]:
        """dh_t as each parameter moves by one (RTRL): those of the layers below, then V, W and b of this one."""
        run, taken, (xp, G) = values.memory, values.a_prev, (values.z.__array_namespace__(), values.z.shape[-1])
        V, eye, count = values.params["V"], xp.eye(G, dtype=values.z.dtype), len(run.kept)
        below = () if da_prev is None else (places.product(values.params["W"], da_prev),)

        def step(state: State, *each: Array) -> Step:
            x, h = each[count], each[count + 1 : count + 1 + len(taken.h)]
            own = [places.units(one, eye[rows]) for rows, one in zip(self.rows, h, strict=True)]
            own += [places.units(x, eye), xp.broadcast_to(eye[:, None], (G, len(x), G))]
            source = xp.concatenate([*each[count + 1 + len(h) :], *own])
            state, tangents = self.step_tangent(V, state, self.values_type(*each[:count]), source)
            return state, (self.tangents_type(*tangents).h,)

        entries = sum(p.size for p in values.params.values()) + (0 if da_prev is None else len(da_prev))
        arrays = (*run.kept, taken.x, *taken.h, *below)
        (dh,) = self._walk(step, arrays, self._rest(values.z, entries))
        return None, self._given(run, dh)

    # From step to step

    def _rest(self, like: Array, *front: int) -> State:
        """A state of zeros for sequences like these, and for each entry of the axes in front."""
        zero = like.__array_namespace__().zeros((*front, *like.shape[:-2], self.n), dtype=like.dtype)
        return (zero,) * self.states

    def _walk(
        self, step: Callable[..., Step], arrays: Sequence[Array], state: State | None = None, reverse: bool = False
    ) -> tuple[Array, ...]:
        """What is kept of each step forwards or back; with `truncate` no derivative passes from piece to piece."""
        last = arrays[-1]
        state = self._rest(last) if state is None else state
        E, T = engine.of(last), last.shape[-2]
        if self.truncate is None or self.truncate >= T:
            return E.scan(step, state, arrays, reverse)
        goes_on = E.put((np.arange(T) % self.truncate != 0)[:, None], last.dtype)

        def cut(state: State, goes_on: Array, *each: Array) -> Step:
            if not reverse:
                return step(tuple(goes_on * part for part in state), *each)
            state, kept = step(state, *each)
            return tuple(goes_on * part for part in state), kept

        return E.scan(cut, state, (goes_on, *arrays), reverse)

    def _parts(self, each: tuple[Array, ...]) -> tuple[Any, Any, tuple[Array, ...]]:
        """One step's `values_type` and `tangents_type`, and what follows them but the last."""
        first = len(self.values_type._fields)
        second = first + len(self.tangents_type._fields)
        return self.values_type(*each[:first]), self.tangents_type(*each[first:second]), each[second:-1]

    def _back(self, values: Pass, dC_da: Array) -> tuple[Array, ...]:
        """`errors_type` of every step."""
        run, V = values.memory, values.params["V"]

        def step(state: State, *each: Array) -> Step:
            return self.step_back(V, state, self.values_type(*each[:-1]), each[-1])

        return self._walk(step, (*run.kept, self._at_steps(run, dC_da)), reverse=True)

    # From all steps to what the layer gives

    def _given(self, run: Run, h: Array) -> Array:
        """Of h (..., m, T, n) all of it, or each sequence's last step."""
        if self.sequences:
            return h
        return h[..., -1, :] if run.ends is None else (self._at_end(run) * h).sum(axis=-2)

    def _at_steps(self, run: Run, dC_da: Array) -> Array:
        """dC/dh_t from above: 0 but at the last step where only that is given."""
        return dC_da if self.sequences else self._at_end(run) * dC_da[..., None, :]

    def _at_end(self, run: Run) -> Array:
        """1 at the last step of each sequence, (m, T, 1) or (T, 1)."""
        h = self.values_type(*run.kept).h
        steps = h.__array_namespace__().arange(h.shape[-2])
        last = len(steps) - 1 if run.ends is None else run.ends[:, None]
        return (steps == last)[..., None].astype(h.dtype)
