"""The error bars of an exported regression in C99: the standard deviation of a new measurement.

Each member i of the ensemble has the weight w_i, its own network f_i and the covariance of its parameters (BR5), which
is R_i^T R_i with R_i upper triangular. With g the derivatives of an output by the parameters, found by BP1 to BP4,

    Var f_i = ‖R_i g‖²,   v = sum_i w_i (Var f_i + f_i²) - (sum_i w_i f_i)² + sigma² e^eta

and the standard deviation is √(s² v), e^eta and s² those of (NOISE) in `deltarule.trainers.bayesian.noise_law`.
"""

import re

from deltarule.export.c99_functions import activation_function, in_precision
from deltarule.export.literals import number, wrapped
from deltarule.export.members import Member
from deltarule.export.program import Program
from deltarule.network.activations import get_activation

ENCODED = """\
/* the raw row as the network reads it; -1 where it cannot */
static int encoded(const real *row, real *a)
{{
{body}
}}

"""
LAYERS = """\
typedef struct {
    const real *W, *b;
    int n_out, n_in;
    real (*sigma)(real), (*slope)(real);
} layer;

typedef struct {
    real weight;
    int depth, fixed, n;
    const layer *layers;
    const real *R;
} start;
"""
MEMBER = """\
/* f of one network, layer by layer, and by BP1 to BP4 and R the variance of each output */
static void spread(const start *net, const real *x, real *f, real *variance)
{{
    real a[{depth} + 1][WIDEST], delta[WIDEST], below[WIDEST], g[{n}];
    const int depth = net->depth, fixed = net->fixed, n = net->n;
    int i, j, k, l, o;
    for (j = 0; j < net->layers[0].n_in; j++)
        a[0][j] = x[j];
    for (l = 0; l < depth; l++) {{
        dense(net->layers[l].W, net->layers[l].b, a[l], delta, net->layers[l].n_out, net->layers[l].n_in);
        for (j = 0; j < net->layers[l].n_out; j++)
            a[l + 1][j] = net->layers[l].sigma(delta[j]);
    }}
    for (o = 0; o < {k}; o++) {{
        int at = n;
        f[o] = a[depth][o];
        for (j = 0; j < {k}; j++)
            delta[j] = j == o ? 1 : 0;
        for (l = depth - 1; l >= fixed; l--) {{
            const int n_out = net->layers[l].n_out, n_in = net->layers[l].n_in;
            at -= n_out * n_in + n_out;
            for (j = 0; j < n_out; j++)
                delta[j] *= net->layers[l].slope(a[l + 1][j]);
            for (k = 0; k < n_in; k++) {{
                below[k] = 0;
                for (j = 0; j < n_out; j++) {{
                    g[at + j * n_in + k] = delta[j] * a[l][k];
                    below[k] += net->layers[l].W[j * n_in + k] * delta[j];
                }}
            }}
            for (j = 0; j < n_out; j++)
                g[at + n_out * n_in + j] = delta[j];
            for (k = 0; k < n_in; k++)
                delta[k] = below[k];
        }}
        variance[o] = 0;
        for (i = 0, j = 0; i < n; i++) {{
            real sum = 0;
            for (k = i; k < n; k++)
                sum += net->R[j++] * g[k];
            variance[o] += sum * sum;
        }}
    }}
}}

/* Beside the outputs the standard deviation of a new measurement of each, noise included; returns what {name}_predict
 * does. The interval that holds 95 % of new measurements is out -+ {reach:.4g} deviation. */
int {name}_predict_std(const real row[{columns}], real out[{k}], real deviation[{k}]);
int {name}_predict_std(const real row[{columns}], real out[{k}], real deviation[{k}])
{{
    real x[WIDEST], f[{k}], variance[{k}], first[{k}] = {{0}}, moved[{k}] = {{0}};
    int i, o;
    if ({name}_predict(row, out) < 0 || encoded(row, x) < 0)
        return -1;
    for (o = 0; o < {k}; o++)
        deviation[o] = 0;
    for (i = 0; i < {count}; i++) {{
        spread(&starts[i], x, f, variance);
        for (o = 0; o < {k}; o++) {{
            if (i == 0)
                first[o] = f[o];
            f[o] -= first[o]; /* keeps the digits of small differences */
            moved[o] += starts[i].weight * f[o];
            deviation[o] += starts[i].weight * (variance[o] + f[o] * f[o]);
        }}
    }}
    for (o = 0; o < {k}; o++) {{
        const real *theta = slopes[o], at = first[o] + moved[o];
        real eta = theta[0] + (theta[1] + theta[2] * at) * at;
        for (i = 0; i < {inputs}; i++)
            eta += theta[3 + i] * x[i];
        eta = eta < lowest[o] ? lowest[o] : eta > highest[o] ? highest[o] : eta;
        deviation[o] = {scale}sqrt(grown[o] * (deviation[o] - moved[o] * moved[o] + noise[o] * exp(eta)));
    }}
    return 0;
}}
"""


def error_bars_source(program: Program, name: str, precision: str, encoding: list[str]) -> str:
    """The constants of the members and the function `name`_predict_std, which come behind `name`_predict.

    Args:
        program: with members.
        name: of the file.
        precision: "double" or "float".
        encoding: the statements that read a raw row into a.

    Raises:
        ConfigurationError: the slope of an activation is not written in C.
    """
    members, columns = program.members, len(program.columns)
    suffix = "f" if precision == "float" else ""

    def array(title: str, values) -> str:
        literals = [number(v, precision) + suffix for v in values]
        return f"static const real {title}[{len(literals)}] = {{\n{wrapped(literals, '    ')}\n}};\n"

    body = "\n".join("    " + line for line in ("int j, n = 0;", *encoding, "return 0;"))
    text = (
        ENCODED.format(body=body)
        + LAYERS
        + "".join(_slope(a, precision) for a in dict.fromkeys(s.activation for m in members for s in m.stages))
    )
    starts = []
    for i, member in enumerate(members):
        layers = []
        for j, stage in enumerate(member.stages):
            text += array(f"start{i}_W{j + 2}", stage.W.ravel()) + array(f"start{i}_b{j + 2}", stage.b)
            sigma = activation_function(stage.activation)
            sizes = f"{stage.n_out}, {stage.n_in}"
            layers.append(f"    {{start{i}_W{j + 2}, start{i}_b{j + 2}, {sizes}, {sigma}, slope_{sigma}}}")
        text += array(f"start{i}_R", member.root)
        text += f"static const layer start{i}_layers[{len(layers)}] = {{\n" + ",\n".join(layers) + "\n};\n"
        weight = number(member.weight, precision) + suffix
        depth, n = len(layers), _parameters(member)
        starts.append(f"    {{{weight}, {depth}, {member.fixed}, {n}, start{i}_layers, start{i}_R}}")
    text += f"static const start starts[{len(starts)}] = {{\n" + ",\n".join(starts) + "\n};\n\n"
    depth, n = max(len(m.stages) for m in members), max(map(_parameters, members))
    k, inputs = members[0].stages[-1].n_out, members[0].stages[0].n_in
    assert program.scatter is not None
    for title, values in zip(("noise", "grown", "lowest", "highest"), program.scatter.ends, strict=True):
        text += array(title, values)
    slopes = [[number(v, precision) + suffix for v in row] for row in program.scatter.slopes]
    rows = ",\n".join("    {" + ", ".join(row) + "}" for row in slopes)
    text += f"static const real slopes[{k}][{3 + inputs}] = {{\n{rows}\n}};\n\n"
    scale = "out_std[o] * " if program.scales_outputs else ""
    code = MEMBER.format(
        depth=depth,
        n=n,
        k=k,
        name=name,
        columns=columns,
        count=len(members),
        reach=program.reach,
        scale=scale,
        inputs=inputs,
    )
    return text + (re.sub(r"\b(sqrt|exp)\(", r"\1f(", code) if suffix else code)


def _parameters(member: Member) -> int:
    return sum(stage.W.size + len(stage.b) for stage in member.stages[member.fixed :])


def _slope(activation: str, precision: str) -> str:
    """sigma' as a function of a, and of a linear layer the identity, which the rest of the file does without."""
    name = activation_function(activation)
    text = f"static real {name}(real z)\n{{\n    return z;\n}}\n\n" if activation == "linear" else ""
    body = get_activation(activation).in_dialect("c_slope")
    unused = "" if re.search(r"\ba\b", body) else "    (void)a;\n"
    code = f"static real slope_{name}(real a)\n{{\n{unused}    return {body};\n}}\n\n"
    return text + in_precision(code, precision)
