"""A trained network as one file of C99 that needs libm and nothing else: constant arrays, no heap, no globals."""

from deltarule.export.c99_functions import activation_function, functions
from deltarule.export.c99_series import series_functions
from deltarule.export.literals import about, in_comment, number, wrapped
from deltarule.export.program import Program
from deltarule.export.stages import DenseStage, PoolStage, Stage
from deltarule.network.activations import get_activation

MAIN = """\
#ifdef {NAME}_MAIN
/* cc -std=c99 -D{NAME}_MAIN {name}.c -lm: rows of numbers in, a line of outputs for each */
#include <stdio.h>

int main(void)
{{
    real row[{columns}], out[{outputs}];
    int j, given = 0;
    while (scanf("{scan}", &row[given]) == 1) {{
        if (++given < {columns})
            continue;
        given = 0;
        j = {name}_predict(row, out);
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
    scan, show = ("%f", "%.9g") if real == "float" else ("%lf", "%.17g")
    values = {"NAME": name.upper(), "name": name, "columns": len(program.columns), "outputs": program.outputs}
    parts.append(MAIN.format(scan=scan, print=show, **values))
    return "\n".join(parts)


def _head(program: Program, name: str, real: str) -> str:
    """What the file is, how to call it, and its types."""
    lines = [f"{name}: a neural network trained and written by deltarule.", ""]
    lines += [f"    int {name}_predict(const {real} row[{len(program.columns)}], {real} out[{program.outputs}]);", ""]
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
        if not isinstance(stage, DenseStage):
            view = stage.view
            (top, _), (left, _) = view.margins
            sizes = (*view.image, *view.window.size, *view.window.stride, top, left, *view.stops)
            text += f"static const window at{i} = {{{', '.join(map(str, sizes))}}};\n"
        if not isinstance(stage, PoolStage):
            text += array(f"W{i}", stage.W.ravel(), stage.W.size) + array(f"b{i}", stage.b, len(stage.b))
    if program.scales_outputs:
        text += array("out_mean", [c.mean for c in program.targets], program.outputs)
        text += array("out_std", [c.std for c in program.targets], program.outputs)
    if program.classes is not None:
        labels = wrapped([_string(str(label)) for label in program.classes], "    ")
        text += f"\nextern const char *const {name}_classes[{program.outputs}];\n"
        text += f"const char *const {name}_classes[{program.outputs}] = {{\n{labels}\n}};\n"
    return text


def _predict(program: Program, name: str, precision: str) -> str:
    """The one public function."""
    lines = ["real a[WIDEST], z[WIDEST];", "int j, n = 0;", *_encoding(program)]
    for i, stage in enumerate(program.stages, 2):
        lines += _stage(i, stage)
    k = program.outputs
    if program.classes is None:
        value = "out_mean[j] + out_std[j] * a[j]" if program.scales_outputs else "a[j]"
        lines += [f"for (j = 0; j < {k}; j++)", f"    out[j] = {value};", "return 0;"]
    else:
        lines += ["n = 0;", f"for (j = 1; j < {k}; j++)", "    if (a[j] > a[n])", "        n = j;"]
        lines += [*_probabilities(program, precision), "return n;"]
    body = "\n".join("    " + line for line in lines)
    arguments = f"const real row[{len(program.columns)}], real out[{k}]"
    head = f"enum {{ WIDEST = {program.widest} }};\n\nint {name}_predict({arguments});\n"
    return f"{head}int {name}_predict({arguments})\n{{\n{body}\n}}\n"


def _encoding(program: Program) -> list[str]:
    """The raw row into a, refused where it holds something that the network cannot read."""
    value = "(row[j] - mean[j]) / std[j]" if program.scales_inputs else "row[j]"
    missing, last, known = "", [], "int c, known = 0;"
    if program.has_imputed:
        missing = " && !(imputed[j] && row[j] != row[j])"
        value = f"row[j] == row[j] ? {value} : 0"
        last = ["    if (imputed[j])", "        a[n++] = row[j] == row[j] ? 0 : 1;"]
        known = "int c, known = row[j] != row[j];"
    lines = [
        f"for (j = 0; j < {len(program.columns)}; j++) {{",
        f"    if (!(row[j] - row[j] == 0){missing})",
        "        return -1;",
    ]
    if not program.has_categories:
        return [*lines, f"    a[n++] = {value};", *last, "}"]
    return [
        *lines,
        "    if (categories[j] == 0) {",
        f"        a[n++] = {value};",
        "    } else {",
        f"        {known}",
        "        for (c = 0; c < categories[j]; c++) {",
        "            a[n] = row[j] == (real)c ? 1 : 0;",
        "            known |= a[n++] > 0;",
        "        }",
        "        if (!known)",
        "            return -1;",
        "    }",
        *last,
        "}",
    ]


def _stage(i: int, stage: Stage) -> list[str]:
    """(2) and (3) of layer i, from a into a."""
    if isinstance(stage, DenseStage):
        line = f"dense(W{i}, b{i}, a, z, {stage.n_out}, {stage.n_in});"
    elif isinstance(stage, PoolStage):
        line = f"{stage.kind}_pool(&at{i}, a, z);"
    else:
        line = f"convolution(W{i}, b{i}, &at{i}, a, z, {len(stage.b)});"
    lines = [line, f"for (j = 0; j < {stage.n_out}; j++)"]
    name = activation_function(stage.activation)
    if not get_activation(stage.activation).elementwise:
        return [*lines, "    a[j] = z[j];", f"{name}(a, {stage.n_out});"]
    return [*lines, "    a[j] = z[j];" if stage.activation == "linear" else f"    a[j] = {name}(z[j]);"]


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
