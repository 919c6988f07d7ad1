"""A time-series model as one file of C99: a struct with the last steps, a function that adds one, and the free run."""

from typing import NamedTuple

from deltarule.export.c99 import c_source
from deltarule.export.program import Program

TEXT = """\
/* The last steps, the newest first: y[j - 1] and u[j] are j steps old. */
enum {{ {NAME}_LONGEST = {longest} }};
typedef struct {{
    real y[{kept}][{k}], u[{kept_inputs}][{width}];
}} {name}_state;

/* A measured step: the inputs u and the outputs y. The first {NAME}_LONGEST steps have to be measured. */
void {name}_measure({name}_state *state, const real *u, const real *y);
/* The next step, from its inputs u: fills y and keeps it in place of a measurement. 0, or -1 for values not finite. */
int {name}_step({name}_state *state, const real *u, real *y);
/* The free run: y holds the outputs of the first {NAME}_LONGEST of `steps` steps, and the rest is filled. u is (steps,
 * {m}) and y (steps, {k}), row by row. 0, or -1 where a value is not finite. */
int {name}_simulate(const real *u, real *y, int steps);

static void {name}_shift(real *newest, int kept, int width, const real *values)
{{
    int i;
    for (i = kept * width - 1; i >= width; i--)
        newest[i] = newest[i - width];
    for (i = 0; i < width && i < kept * width; i++)
        newest[i] = values[i];
}}

void {name}_measure({name}_state *state, const real *u, const real *y)
{{
    {name}_shift(state->u[0], {kept_inputs}, {m}, u);
    {name}_shift(state->y[0], {kept}, {k}, y);
}}

int {name}_step({name}_state *state, const real *u, real *y)
{{
    static const int output_lags[] = {{{output_lags}}}, input_lags[] = {{{input_lags}}};
    real row[{columns}];
    int i, j, n = 0;
    {name}_shift(state->u[0], {kept_inputs}, {m}, u);
    for (i = 0; i < {outputs}; i++)
        for (j = 0; j < {k}; j++)
            row[n++] = state->y[output_lags[i] - 1][j];
    for (i = 0; i < {inputs}; i++)
        for (j = 0; j < {m}; j++)
            row[n++] = state->u[input_lags[i]][j];
    if ({name}_predict(row, y) != 0)
        return -1;
{change}    {name}_shift(state->y[0], {kept}, {k}, y);
    return 0;
}}

int {name}_simulate(const real *u, real *y, int steps)
{{
    {name}_state state = {{{{{{0}}}}, {{{{0}}}}}};
    int t;
    for (t = 0; t < steps && t < {NAME}_LONGEST; t++)
        {name}_measure(&state, u + t * {m}, y + t * {k});
    for (; t < steps; t++)
        if ({name}_step(&state, u + t * {m}, y + t * {k}) != 0)
            return -1;
    return 0;
}}

#ifdef {NAME}_MAIN
/* cc -std=c99 -D{NAME}_MAIN {name}.c -lm: a line of {m} inputs and {k} outputs for each step, nan for an output that is
 * not known, which the model then gives; all outputs are written */
#include <stdio.h>

int main(void)
{{
    {name}_state state = {{{{{{0}}}}, {{{{0}}}}}};
    real line[{m} + {k}];
    int given = 0, j;
    while (scanf("{scan}", &line[given]) == 1) {{
        if (++given < {m} + {k})
            continue;
        given = 0;
        if (line[{m}] == line[{m}])
            {name}_measure(&state, line, line + {m});
        else if ({name}_step(&state, line, line + {m}) != 0)
            return 1;
        for (j = 0; j < {k}; j++)
            printf("{print}%c", (double)line[{m} + j], j + 1 < {k} ? ' ' : '\\n');
    }}
    return given == 0 ? 0 : 1;
}}
#endif
"""


class SeriesProgram(NamedTuple):
    """What a time-series model computes.

    Attributes:
        step: from the lagged columns of one step to its outputs, or to their change where `changes`.
        outputs: the output lags.
        inputs: the input lags.
        width: m, how many inputs a step has.
        changes: whether the outputs of one step before are added to what `step` gives.
    """

    step: Program
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    width: int
    changes: bool


def c_series_source(program: SeriesProgram, name: str, precision: str) -> str:
    """The file's text; `name` is a C identifier that begins every public name in it."""
    k, m = program.step.outputs, program.width
    change = f"    for (j = 0; j < {k}; j++)\n        y[j] += state->y[0][j];\n" if program.changes else ""
    scan, show = ("%f", "%.9g") if precision == "float" else ("%lf", "%.17g")
    values = {
        "longest": max((*program.outputs, *program.inputs), default=0),
        "kept": max(program.outputs, default=0) or 1,
        "kept_inputs": max(program.inputs, default=0) + 1,
        "width": max(m, 1),
        "columns": len(program.step.columns),
        "outputs": len(program.outputs),
        "inputs": len(program.inputs) if m else 0,
        "output_lags": ", ".join(map(str, program.outputs or (0,))),
        "input_lags": ", ".join(map(str, program.inputs or (0,))),
    }
    text = TEXT.format(NAME=name.upper(), name=name, k=k, m=m, change=change, scan=scan, print=show, **values)
    return c_source(program.step, name, precision, main=False) + "\n" + text
