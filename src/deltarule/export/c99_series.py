"""The more that the C99 of a time-series model has: a struct of the last steps, a step, and the free run."""

from deltarule.export.literals import number
from deltarule.export.program import Program

TEXT = """\
/* The last steps, the newest first: y[j - 1] and u[j] are j steps old. Each of {M} networks is fed its own outputs. */
enum {{ {NAME}_LONGEST = {longest} }};
typedef struct {{
    real y[{kept}][{own}], u[{kept_inputs}][{width}];
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
    real each[{own}];
    int i;
    for (i = 0; i < {own}; i++)
        each[i] = y[i % {k}];
    {name}_shift(state->u[0], {kept_inputs}, {m}, u);
    {name}_shift(state->y[0], {kept}, {own}, each);
}}

int {name}_step({name}_state *state, const real *u, real *y)
{{
    static const int output_lags[] = {{{output_lags}}}, input_lags[] = {{{input_lags}}};
    static const real weights[] = {{{weights}}};
    real row[{columns}], each[{own}];
    int i, j, n = 0;
    {name}_shift(state->u[0], {kept_inputs}, {m}, u);
    for (i = 0; i < {outputs}; i++)
        for (j = 0; j < {own}; j++)
            row[n++] = state->y[output_lags[i] - 1][j];
    for (i = 0; i < {inputs}; i++)
        for (j = 0; j < {m}; j++)
            row[n++] = state->u[input_lags[i]][j];
    if ({name}_predict(row, each) != 0)
        return -1;
{change}    {name}_shift(state->y[0], {kept}, {own}, each);
    for (j = 0; j < {k}; j++) {{
        y[j] = 0;
        for (i = 0; i < {M}; i++)
            y[j] += weights[i] * each[i * {k} + j];
    }}
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


def series_functions(program: Program, name: str, precision: str) -> str:
    """Their text; `name` is a C identifier that begins every public name in it."""
    recursion = program.recursion
    assert recursion is not None
    own, m, M = program.outputs, recursion.width, len(recursion.weights)
    k, suffix = own // M, "f" if precision == "float" else ""
    change = f"    for (j = 0; j < {own}; j++)\n        each[j] += state->y[0][j];\n" if recursion.changes else ""
    scan, show = ("%f", "%.9g") if precision == "float" else ("%lf", "%.17g")
    values = {
        "weights": ", ".join(number(weight, precision) + suffix for weight in recursion.weights),
        "longest": max((*recursion.outputs, *recursion.inputs), default=0),
        "kept": max(recursion.outputs, default=0) or 1,
        "kept_inputs": max(recursion.inputs, default=0) + 1,
        "width": max(m, 1),
        "columns": len(program.columns),
        "outputs": len(recursion.outputs),
        "inputs": len(recursion.inputs) if m else 0,
        "output_lags": ", ".join(map(str, recursion.outputs or (0,))),
        "input_lags": ", ".join(map(str, recursion.inputs or (0,))),
    }
    names = {"NAME": name.upper(), "name": name, "M": M, "own": own, "k": k, "m": m}
    return TEXT.format(change=change, scan=scan, print=show, **names, **values)
