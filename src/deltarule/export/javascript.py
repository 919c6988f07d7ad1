"""A trained network as one file of JavaScript, for Node.js and for browsers, without packages."""

import re

from deltarule.errors import ConfigurationError
from deltarule.export.c99_functions import CALL
from deltarule.export.literals import about, in_comment, number, wrapped
from deltarule.export.program import Program, require_dense
from deltarule.network.activations import Activation, get_activation

# What C's functions are called in Math; those that are missing here have the same name, or are not there.
MATH = {"fabs": "abs", "fmax": "max", "fmin": "min"}
ABSENT = ("copysign", "erf", "erfc", "exp2", "fdim", "fma", "fmod", "lgamma", "tgamma")
BODY = """\
/* z = W a + b, W row by row, and a = sigma(z) of every neuron */
function layer(W, b, sigma, a) {{
  const z = b.map((sum, j) => {{
    for (let k = 0; k < a.length; k++) sum += W[j * a.length + k] * a[k];
    return sum;
  }});
  return sigma(z);
}}

/* The raw row, numbers, a category by its number from 0{missing}, as the network reads it. */
function encode(row) {{
  if (row.length !== {columns}) throw new RangeError("row must hold {columns} numbers");
  return row.flatMap((x, j) => {{
    {imputed}if (!Number.isFinite(x)) throw new RangeError(`row[${{j}}] is ${{x}}, no finite number`);
    {categories}return [{scaled}{present}];
  }});
}}

/* The outputs of the network. */
function run(row) {{
  return LAYERS.reduce((a, [W, b, sigma]) => layer(W, b, sigma, a), encode(row));
}}
"""
REGRESSION = """\
/* The targets of a raw row, in their units: an array of {k}. */
function predict(row) {{
  return run(row){units};
}}

const exported = {{ predict }};
"""
CLASSIFICATION = """\
/* The probability of each of CLASSES for a raw row: an array of {k}. */
function predictProba(row) {{
  const a = run(row){positive};
  const sum = a.reduce((s, p) => s + p, 0);
  return a.map((p) => p / sum);
}}

/* The most probable of CLASSES. */
function predict(row) {{
  const a = run(row);
  return CLASSES[a.indexOf(Math.max(...a))];
}}

const exported = {{ predict, predictProba, CLASSES }};
"""


def javascript_source(program: Program, name: str, precision: str) -> str:
    """The file's text; in a browser the functions are those of the object `name`.

    Raises:
        ConfigurationError: the network takes images, or an activation cannot be written.
    """
    require_dense(program, "JavaScript")
    parts = [_head(program, name), _constants(program, precision), _body(program)]
    k = program.outputs
    if program.classes is None:
        units = ".map((a, j) => OUT_MEAN[j] + OUT_STD[j] * a)" if program.scales_outputs else ""
        parts.append(REGRESSION.format(k=k, units=units))
    else:
        positive = "" if program.sums_to_one else ".map((p) => Math.max(p, 2.2250738585072014e-308))"
        parts.append(CLASSIFICATION.format(k=k, positive=positive))
    last = f'if (typeof module === "object") module.exports = exported;\nelse globalThis.{name} = exported;\n'
    return "\n".join([*parts, last])


def _head(program: Program, name: str) -> str:
    lines = [f"{name}: a neural network trained and written by deltarule.", ""]
    lines += [f'Node.js: const {name} = require("./{name}.js"); in a page: <script src="{name}.js"></script>. Then', ""]
    if program.classes is None:
        lines += [f"  {name}.predict(row) gives, in the units of the training data:"]
        lines += [f"    {line}" for line in about(program.targets, 0)]
    else:
        lines += [f"  {name}.predict(row) gives the class, {name}.predictProba(row) the probability of each:"]
        lines += [f"    {j}: {in_comment(label)}" for j, label in enumerate(program.classes)]
    lines += ["row, raw:", *(f"    {line}" for line in about(program.columns, 0))]
    return "/* " + "\n * ".join(lines).replace(" \n", "\n") + '\n */\n"use strict";\n'


def _array(values, precision: str) -> str:
    return f"[\n{wrapped([number(v, precision) for v in values], '  ')}\n]"


def _constants(program: Program, precision: str) -> str:
    text = ""
    if program.scales_inputs:
        text += f"const MEAN = {_array([c.mean for c in program.columns], precision)};\n"
        text += f"const STD = {_array([c.std for c in program.columns], precision)};\n"
    if program.has_categories:
        text += f"const CATEGORIES = {[len(c.categories or ()) for c in program.columns]};\n"
    if program.has_imputed:
        text += f"const IMPUTED = {[int(c.imputed) for c in program.columns]};\n"
    if program.scales_outputs:
        text += f"const OUT_MEAN = {_array([c.mean for c in program.targets], precision)};\n"
        text += f"const OUT_STD = {_array([c.std for c in program.targets], precision)};\n"
    if program.classes is not None:
        text += f"const CLASSES = [\n{wrapped([_value(label) for label in program.classes], '  ')}\n];\n"
    for activation in dict.fromkeys(stage.activation for stage in program.stages):
        text += _activation(get_activation(activation))
    text += "const LAYERS = [\n"
    for stage in program.stages:
        W, b = _array(stage.W.ravel(), precision), _array(stage.b, precision)
        text += f"[{W}, {b}, {_function(stage.activation)}],\n"
    return text + "];\n"


def _body(program: Program) -> str:
    """Encoding and layers."""
    scaled = "(x - MEAN[j]) / STD[j]" if program.scales_inputs else "x"
    imputed = categories = present = missing = ""
    if program.has_imputed:
        missing = ", NaN where an imputed cell is missing"
        width = "Math.max(1, CATEGORIES[j])" if program.has_categories else "1"
        imputed = f"if (IMPUTED[j] && Number.isNaN(x)) return [...Array({width}).fill(0), 1];\n    "
        present = ", ...(IMPUTED[j] ? [0] : [])"
    if program.has_categories:
        categories = (
            "if (CATEGORIES[j]) {\n      if (!(Number.isInteger(x) && x >= 0 && x < CATEGORIES[j]))\n"
            "        throw new RangeError(`row[${j}] is ${x}, no known category`);\n"
            "      const ones = Array.from({ length: CATEGORIES[j] }, (_, c) => (c === x ? 1 : 0));\n"
            f"      return {'IMPUTED[j] ? [...ones, 0] : ' if program.has_imputed else ''}ones;\n    }}\n    "
        )
    return BODY.format(
        columns=len(program.columns),
        scaled=scaled,
        imputed=imputed,
        categories=categories,
        present=present,
        missing=missing,
    )


def _function(activation: str) -> str:
    return f"{activation.replace('-', '_')}_of"


def _activation(activation: Activation) -> str:
    """A function of z, all neurons of a layer; C's text of the activation serves, for its expressions are JavaScript's.

    Raises:
        ConfigurationError: it calls a function that Math has not.
    """
    body = activation.in_dialect("c").strip()
    absent = [name for name in CALL.findall(body) if name in ABSENT]
    if absent:
        raise ConfigurationError(
            f"activation {activation.name!r} calls {absent[0]}, which Math of JavaScript has not: export to another "
            "language."
        )
    body = re.sub(r"\b(?:real|int)\b(?=\s+\w)", "let", body)
    body = CALL.sub(lambda call: f"Math.{MATH.get(call[1], call[1])}", body)
    name = _function(activation.name)
    if not activation.elementwise:
        lines = "\n".join(f"  {line}" for line in body.splitlines())
        return f"function {name}(z) {{\n  const n = z.length;\n{lines}\n  return z;\n}}\n"
    if not re.search(r"\breturn\b", body):
        body = f"return {body};"
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"function {name}(all) {{\n  return all.map((z) => {{\n{lines}\n  }});\n}}\n"


def _value(label: object) -> str:
    """A class as a literal of JavaScript, in ASCII."""
    import json

    return json.dumps(label)
