"""The record of an activation: its derivatives, its formula, and how each export writes it.

An activation acts on the weighted input of a layer, a = sigma(z) (3). Backpropagation needs sigma'(z) (BP1, BP2),
second-order trainers need sigma''(z). Both take `a` as well, because the forward pass has computed it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import ConfigurationError
from deltarule.network.initializers import get_initializer

DIALECTS = {
    "c": "C",
    "c_slope": "C with error bars",
    "numpy": "Python",
    "octave": "Octave and MATLAB",
    "onnx": "ONNX",
    "st": "Structured Text",
}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
# The step of the differences that check derivatives, and the error allowed: both suit float32.
STEP, ALLOWED = 1e-3, 1e-2


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation: sigma, sigma' and sigma'' as functions of arrays z and a = sigma(z), and how exports write it.

    The functions get arrays of NumPy or of JAX and must return the same kind: write them with the namespace of the
    array, `xp = z.__array_namespace__()`, which is `numpy` or `jax.numpy`.

    Args:
        name: its name in layers, files and on the command line; letters, digits, "-" and "_".
        sigma: z ↦ a = sigma(z) (3).
        slope: (z, a) ↦ sigma'(z).
        curvature: (z, a) ↦ sigma''(z), for Newton-CG and for the acceleration of Levenberg-Marquardt.
        higher: (z, a) ↦ sigma'''(z) and (z, a) ↦ sigma''''(z), for networks fitted to differential equations;
            () if it is not smooth.
        initializer: a name in `deltarule.network.initializers.INITIALIZERS`, the default for its layers.
        words: sigma(z) as a formula for `deltarule trace`.
        slope_words: sigma'(z) as a formula.
        written: sigma in the languages of the exports; a network cannot be exported to a language that is left out.
            "c": an expression in z of C99, or statements that end in a return; `exp` and the other functions of math.h
            become those of the precision. JavaScript is made from it too. "c_slope": sigma' in C, an expression in a,
            for error bars. "st": an expression in z of IEC 61131-3, whose EXP is kept within the range of the type.
            "numpy", "octave": an expression in z, with `np` for NumPy. "onnx": an expression in z whose calls are ONNX
            operators, `z * Sigmoid(z)`, see `deltarule.export.onnx_file`. If the neurons of a layer are mixed, "c" has
            statements that change the array z of n neurons into a in place, "st" statements that do so with a[0] to
            a[LAST]; in the other languages z is (rows, n).
        elementwise: whether each a_j depends on z_j alone. If not, a subclass has to override `times_slope` and
            `slope_tangent`, as `Softmax` does.
        trainable: whether gradient descent can use sigma'.

    Raises:
        ConfigurationError: an argument has the wrong type.
    """

    name: str
    sigma: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]
    initializer: str = "glorot"
    words: str = ""
    slope_words: str = ""
    written: Mapping[str, str] = field(default_factory=dict)
    elementwise: bool = True
    trainable: bool = True
    higher: tuple[Callable[[Array, Array], Array], ...] = ()

    def __post_init__(self):
        if not (isinstance(self.name, str) and NAME.fullmatch(self.name)):
            raise ConfigurationError(
                f"name is {self.name!r}: begin the name with a letter, and go on with letters, digits, - and _."
            )
        for part in ("sigma", "slope", "curvature"):
            if not callable(getattr(self, part)):
                raise ConfigurationError(
                    f"{part} of activation {self.name!r} is {getattr(self, part)!r}: give a function of arrays."
                )
        for part in ("words", "slope_words"):
            if not isinstance(getattr(self, part), str):
                raise ConfigurationError(
                    f"{part} of activation {self.name!r} is {getattr(self, part)!r}: give a text, such as 'max(0, z)'."
                )
        get_initializer(self.initializer)
        if not isinstance(self.written, Mapping):
            raise ConfigurationError(
                f"written of activation {self.name!r} is {self.written!r}: give a dict, such as {{'c': 'tanh(z)'}}."
            )
        for language, text in self.written.items():
            if language not in DIALECTS or not isinstance(text, str) or not text.strip():
                raise ConfigurationError(
                    f"written of activation {self.name!r} holds {text!r} for {language!r}: give texts for "
                    f"{', '.join(map(repr, DIALECTS))}."
                )

    def expression_in(self, language: str) -> str:
        """sigma in the language of an export; a ConfigurationError if `written` has none in it."""
        if language not in self.written:
            raise ConfigurationError(
                f"activation {self.name!r} is not written in {DIALECTS[language]}, so the network cannot be exported "
                f"to it: give its Activation written={{{language!r}: ...}}."
            )
        return self.written[language]

    def times_slope(self, z: Array, a: Array, v: Array) -> Array:
        """sigma'(z) ⊙ v: backwards it turns dC/da into delta (BP2), forwards dz into da."""
        return self.slope(z, a) * v

    def slope_tangent(self, z: Array, a: Array, dz: Array, v: Array, dv: Array) -> Array:
        """The tangent of sigma'(z) v as z moves by dz and v by dv: sigma'(z) ⊙ dv + sigma''(z) ⊙ dz ⊙ v."""
        return self.slope(z, a) * dv + self.curvature(z, a) * dz * v

    def second_tangent(self, z: Array, a: Array, dz: Array, ddz: Array) -> Array:
        """The second derivative of a along a curve with velocity dz and acceleration ddz.

        d²a/dt² = sigma'(z) ⊙ ddz + sigma''(z) ⊙ dz ⊙ dz
        """
        return self.slope_tangent(z, a, dz, dz, ddz)


def check_derivatives(activation: Activation) -> None:
    """Raise a ConfigurationError unless slope, curvature and higher agree with differences of sigma along a line."""
    z = np.array([[-2.713, -1.137, -0.329], [0.271, 1.219, 2.831]])  # kinks are usually at round numbers
    dz = np.array([[1.0, -0.7, 0.4], [0.6, -0.5, 1.0]])

    def at(t: float) -> tuple[np.ndarray, np.ndarray]:
        moved = z + t * dz
        a = np.asarray(activation.sigma(moved))
        if a.shape != z.shape:
            raise ConfigurationError(
                f"sigma of activation {activation.name!r} returns shape {a.shape} for z of shape {z.shape}: return one "
                "number for each neuron."
            )
        return moved, a

    def slope(t: float) -> np.ndarray:
        return np.asarray(activation.times_slope(*at(t), dz))

    def along(f: Callable[[np.ndarray, np.ndarray], np.ndarray], t: float) -> np.ndarray:
        return np.asarray(f(*at(t)))

    lower = (activation.curvature, *activation.higher)
    for part, found, difference in (
        ("slope", slope(0), (at(STEP)[1] - at(-STEP)[1]) / (2 * STEP)),
        (
            "curvature",
            np.asarray(activation.slope_tangent(*at(0), dz, dz, 0 * dz)),
            (slope(STEP) - slope(-STEP)) / (2 * STEP),
        ),
        *(
            ("higher", dz * along(f, 0), (along(below, STEP) - along(below, -STEP)) / (2 * STEP))
            for f, below in zip(activation.higher, lower, strict=False)
        ),
    ):
        if found.shape != z.shape or not np.allclose(found, difference, rtol=ALLOWED, atol=ALLOWED):
            raise ConfigurationError(
                f"{part} of activation {activation.name!r} is not the derivative: at z = {z[0].tolist()} it gives "
                f"{np.ravel(found)[:3].tolist()} along {dz[0].tolist()}, and differences "
                f"{difference[0].tolist()}: correct it."
            )
