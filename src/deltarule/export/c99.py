"""A trained network as one file of C99 that needs libm and nothing else: constant arrays, no heap, no globals."""

from deltarule.export.c99_error_bars import error_bars_source
from deltarule.export.c99_functions import activation_function, functions
from deltarule.export.c99_series import series_functions
from deltarule.export.literals import about, in_comment, number, wrapped
from deltarule.export.program import Program
from deltarule.network.activations import get_activation
from deltarule.network.layers.stages import Stage

MAIN = """\
#ifdef {NAME}_MAIN
/* cc -std=c99 -D{NAME}_MAIN {name}.c -lm: rows of numbers in, a line of outputs for each */
#include <stdio.h>

int main(void)
{{
    real row[{columns}], out[{outputs}];
    int j, given = 0;{begin}
    while (scanf("{scan}", &row[given]) == 1) {{
        if (++given < {columns})
            continue;
        given = 0;
        j = {call}row, out);
        printf("%d", j);
        for (j = 0; j < {outputs}; j++)
            printf(" {print}", (double)out[j]);
        printf("\\n");
    }}
    return given == 0 ? 0 : 1;
}}
#endif
"""


def c_source(program: Program, name: str, precision: str) -> str:
    """The file's text, with a `main` to try it by; `name` is a C identifier that begins every public name in it."""
    real = "float" if precision == "float" else "double"
    parts = [_head(program, name, real), functions(program, precision), _arrays(program, name, precision)]
    parts.append(_predict(program, name, precision))
    if program.recursion is not None:
        return "\n".join([*parts, series_functions(program, name, precision)])
    if program.members:
        parts.append(error_bars_source(program, name, precision, _encoding(program)))
    scan, show = ("%f", "%.9g") if real == "float" else ("%lf", "%.17g")
    values = {"NAME": name.upper(), "name": name, "columns": len(program.columns), "outputs": program.outputs}
    values |= {"call": f"{name}_predict(", "begin": ""}
    if program.is_step:  # the rows are the steps of one series
        values |= {"call": f"{name}_step(&state, ", "begin": f"\n    {name}_state state;\n    {name}_start(&state);"}
    parts.append(MAIN.format(scan=scan, print=show, **values))
    return "\n".join(parts)


def _head(program: Program, name: str, real: str) -> str:
    """What the file is, how to call it, and its types."""
    lines = [f"{name}: a neural network trained and written by deltarule.", ""]
    arguments = f"const {real} row[{len(program.columns)}], {real} out[{program.outputs}]);"
    if program.is_step:
        lines += [f"    void {name}_start({name}_state *s);", f"    int {name}_step({name}_state *s, {arguments}", ""]
        lines += ["go through a series of any length: start sets the state before the first step, and step takes one"]
        given = (
            "each step" if program.gives_every_step else "the last step; before it they are those of a shorter series"
        )
        lines += [f"after the other. The network gives the outputs of {given}. Step", ""]
    else:
        lines += [f"    int {name}_predict({arguments}", ""]
    if program.classes is None:
        lines += [
            "fills out and returns 0, or returns -1 where the row holds no finite number or no known category.",
            "",
        ]
        lines += ["out, in the units of the training data:", *(f"    {line}" for line in about(program.targets, 0))]
    else:
        lines += [
            "fills out with the probability of each class and returns the number of the most probable one, or -1 "
        ]
        lines += [f"where the row holds no finite number or no known category. {name}_classes has their names.", ""]
        lines += ["classes:", *(f"    {j}: {in_comment(label)}" for j, label in enumerate(program.classes))]
    lines += ["row, raw:", *(f"    {line}" for line in about(program.columns, 0))]
    return "/* " + "\n * ".join(lines).replace(" \n", "\n") + f"\n */\n#include <math.h>\n\ntypedef {real} real;\n"


def _arrays(program: Program, name: str, precision: str) -> str:
    """The constants."""

    def array(title: str, values, size: int) -> str:
        literals = [number(v, precision) + ("f" if precision == "float" else "") for v in values]
        return f"static const real {title}[{size}] = {{\n{wrapped(literals, '    ')}\n}};\n"

    text = ""
    if program.scales_inputs:
        text += array("mean", [c.mean for c in program.columns], len(program.columns))
        text += array("std", [c.std for c in program.columns], len(program.columns))
    if program.has_categories:
        counts = [str(len(c.categories or ())) for c in program.columns]
        text += "/* the number of categories of each column, 0 for a number */\n"
        text += f"static const int categories[{len(counts)}] = {{\n{wrapped(counts, '    ')}\n}};\n"
    if program.has_imputed:
        flags = [str(int(c.imputed)) for c in program.columns]
        text += "/* whether a column may be missing, as NaN */\n"
        text += f"static const int imputed[{len(flags)}] = {{\n{wrapped(flags, '    ')}\n}};\n"
    for i, stage in enumerate(program.stages, 2):
        if (view := stage.view) is not None:
            (top, _), (left, _) = view.margins
            sizes = (*view.image, *view.window.size, *view.window.stride, top, left, *view.stops)
            text += f"static const window at{i} = {{{', '.join(map(str, sizes))}}};\n"
        for name_of, values in stage.arrays.items():
            text += array(f"{name_of}{i}", values.ravel(), values.size)
    if program.scales_outputs:
        text += array("out_mean", [c.mean for c in program.targets], program.outputs)
        text += array("out_std", [c.std for c in program.targets], program.outputs)
    if program.classes is not None:
        labels = wrapped([_string(str(label)) for label in program.classes], "    ")
        text += f"\nextern const char *const {name}_classes[{program.outputs}];\n"
        text += f"const char *const {name}_classes[{program.outputs}] = {{\n{labels}\n}};\n"
    return text


def _predict(program: Program, name: str, precision: str) -> str:
    """The public functions: the one that predicts, and of a series what sets its state."""
    k, head = program.outputs, f"enum {{ WIDEST = {program.widest} }};\n\n"
    arguments = f"const real row[{len(program.columns)}], real out[{k}]"
    stages = [line for i, stage in enumerate(program.stages, 2) for line in _stage(i, stage)]
    if program.series is None:
        lines = ["real a[WIDEST], z[WIDEST];", "int j, n = 0;", *_encoding(program), *stages]
        called = f"int {name}_predict({arguments})"
    else:
        head += _state(program, name)
        called = f"int {name}_step({name}_state *s, {arguments})"
        lines = ["real a[WIDEST], z[WIDEST];", "int j, n = 0;", *_encoding(program), *stages]
        if not program.is_step:
            called = f"int {name}_predict({arguments})"
            lines = [f"real a[WIDEST], z[WIDEST], x[{program.steps * program.inputs}];", "int j, t, n = 0;"]
            lines += [f"{name}_state state, *s = &state;", *_encoding(program, "x"), f"{name}_start(s);"]
            lines += [f"for (t = 0; t < {program.steps}; t++) {{"]
            lines += [f"    for (j = 0; j < {program.inputs}; j++)", f"        a[j] = x[t * {program.inputs} + j];"]
            lines += [*("    " + line for line in stages), "}"]
    if program.classes is None:
        value = "out_mean[j] + out_std[j] * a[j]" if program.scales_outputs else "a[j]"
        lines += [f"for (j = 0; j < {k}; j++)", f"    out[j] = {value};", "return 0;"]
    else:
        lines += ["n = 0;", f"for (j = 1; j < {k}; j++)", "    if (a[j] > a[n])", "        n = j;"]
        lines += [*_probabilities(program, precision), "return n;"]
    body = "\n".join("    " + line for line in lines)
    return f"{head}{called};\n{called}\n{{\n{body}\n}}\n"


def _state(program: Program, name: str) -> str:
    """What goes from step to step, and the function that sets it to zeros."""
    parts = [(f"{state}{i}", m.n_out) for i, m in program.memories.items() for state in m.states]
    fields = "\n".join(f"    real {part}[{n}];" for part, n in parts)
    zeros = "\n".join(f"    for (j = 0; j < {n}; j++)\n        s->{part}[j] = 0;" for part, n in parts)
    kind = "static void" if not program.is_step else f"void {name}_start({name}_state *s);\nvoid"
    return (
        f"/* what is remembered from step to step */\ntypedef struct {{\n{fields}\n}} {name}_state;\n\n"
        f"{kind} {name}_start({name}_state *s)\n{{\n    int j;\n{zeros}\n}}\n\n"
    )


def _encoding(program: Program, a: str = "a") -> list[str]:
    """The raw row into an array, refused where it holds something that the network cannot read."""
    value = "(row[j] - mean[j]) / std[j]" if program.scales_inputs else "row[j]"
    missing, last, known = "", [], "int c, known = 0;"
    if program.has_imputed:
        missing = " && !(imputed[j] && row[j] != row[j])"
        value = f"row[j] == row[j] ? {value} : 0"
        last = ["    if (imputed[j])", f"        {a}[n++] = row[j] == row[j] ? 0 : 1;"]
        known = "int c, known = row[j] != row[j];"
    lines = [
        f"for (j = 0; j < {len(program.columns)}; j++) {{",
        f"    if (!(row[j] - row[j] == 0){missing})",
        "        return -1;",
    ]
    if not program.has_categories:
        return [*lines, f"    {a}[n++] = {value};", *last, "}"]
    return [
        *lines,
        "    if (categories[j] == 0) {",
        f"        {a}[n++] = {value};",
        "    } else {",
        f"        {known}",
        "        for (c = 0; c < categories[j]; c++) {",
        f"            {a}[n] = row[j] == (real)c ? 1 : 0;",
        f"            known |= {a}[n++] > 0;",
        "        }",
        "        if (!known)",
        "            return -1;",
        "    }",
        *last,
        "}",
    ]


def _stage(i: int, stage: Stage) -> list[str]:
    """(2) and (3) of layer i, from a into a."""
    if stage.states:
        return _memory(i, stage)
    if stage.kind == "dense":
        line = f"dense(W{i}, b{i}, a, z, {stage.n_out}, {stage.n_in});"
    elif not stage.arrays:
        line = f"{stage.kind}_pool(&at{i}, a, z);"
    else:
        line = f"convolution(W{i}, b{i}, &at{i}, a, z, {len(stage.b)});"
    lines = [line, f"for (j = 0; j < {stage.n_out}; j++)"]
    name = activation_function(stage.activation)
    if not get_activation(stage.activation).elementwise:
        return [*lines, "    a[j] = z[j];", f"{name}(a, {stage.n_out});"]
    return [*lines, "    a[j] = z[j];" if stage.activation == "linear" else f"    a[j] = {name}(z[j]);"]


def _memory(i: int, stage: Stage) -> list[str]:
    """One step of a layer with a memory, from a into its state and a."""
    n, sizes = stage.n_out, f"{stage.n_in}, {stage.n_out}"
    if stage.kind == "recurrent":
        sigma = "z[j]" if stage.activation == "linear" else f"{activation_function(stage.activation)}(z[j])"
        line = f"gated(W{i}, V{i}, b{i}, a, s->h{i}, z, {n}, {sizes});"
        return [line, f"for (j = 0; j < {n}; j++)", f"    a[j] = s->h{i}[j] = {sigma};"]
    states = "".join(f"s->{state}{i}, " for state in stage.states)
    line = f"{stage.kind}(W{i}, V{i}, b{i}, a, {states}z, {sizes});"
    return [line, f"for (j = 0; j < {n}; j++)", f"    a[j] = s->h{i}[j];"]


def _probabilities(program: Program, precision: str) -> list[str]:
    """Outputs that need not sum to one are divided by their sum."""
    k = program.outputs
    if program.sums_to_one:
        return [f"for (j = 0; j < {k}; j++)", "    out[j] = a[j];"]
    tiny = "1.17549435e-38f" if precision == "float" else "2.2250738585072014e-308"
    return [
        "z[0] = 0;",
        f"for (j = 0; j < {k}; j++) {{",
        f"    out[j] = a[j] > {tiny} ? a[j] : {tiny};",
        "    z[0] += out[j];",
        "}",
        f"for (j = 0; j < {k}; j++)",
        "    out[j] /= z[0];",
    ]


def _string(text: str) -> str:
    """A C string in ASCII: other bytes of its UTF-8 as three octal digits, and no trigraphs."""
    plain = {ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
    return '"' + "".join(plain.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in text.encode()) + '"'
