"""The functions in C99 that an exported network calls: those of the stages, windows and activations that it has."""

import re

from deltarule.export.program import Program
from deltarule.network.activation import Activation
from deltarule.network.activations import get_activation

# Of math.h; an f at the end of a name makes it that of floats, as it does of a literal.
MATHEMATICS = (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim floor fma "
    "fmax fmin fmod hypot lgamma log log10 log1p log2 pow round sin sinh sqrt tan tanh tgamma trunc"
)
CALL = re.compile(rf"\b({'|'.join(MATHEMATICS.split())})(?=\s*\()")
LITERAL = re.compile(r"(?<![\w.])((?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)(?![\w.])")
DENSE = """\
/* z = W a + b, W row by row */
static void dense(const real *W, const real *b, const real *a, real *z, int n_out, int n_in)
{
    int j, k;
    for (j = 0; j < n_out; j++) {
        real sum = b[j];
        for (k = 0; k < n_in; k++)
            sum += W[j * n_in + k] * a[k];
        z[j] = sum;
    }
}
"""
GATED = """\
/* z = W a + V h + b */
static void gated(const real *W, const real *V, const real *b, const real *a, const real *h, real *z, int rows,
                  int n_in, int n)
{
    int j, k;
    dense(W, b, a, z, rows, n_in);
    for (j = 0; j < rows; j++)
        for (k = 0; k < n; k++)
            z[j] += V[j * n + k] * h[k];
}
"""
MEMORIES = {
    "recurrent": "",  # its activation is a function of its own, called where the layer is
    "lstm": """\
/* i, f, o and g are the four parts of z: c = f c + i g, h = o tanh c */
static void lstm(const real *W, const real *V, const real *b, const real *a, real *h, real *c, real *z, int n_in, int n)
{
    int j;
    gated(W, V, b, a, h, z, 4 * n, n_in, n);
    for (j = 0; j < n; j++) {
        c[j] = sigmoid_of(z[n + j]) * c[j] + sigmoid_of(z[j]) * tanh(z[3 * n + j]);
        h[j] = sigmoid_of(z[2 * n + j]) * tanh(c[j]);
    }
}
""",
    "gru": """\
/* r, u and g are the three parts of z, the last of r h in place of h: h = (1 - u) g + u h */
static void gru(const real *W, const real *V, const real *b, const real *a, real *h, real *z, int n_in, int n)
{
    int j;
    gated(W, V, b, a, h, z, 2 * n, n_in, n);
    for (j = 0; j < n; j++)
        z[j] = sigmoid_of(z[j]) * h[j];
    gated(W + 2 * n * n_in, V + 2 * n * n, b + 2 * n, a, z, z + 2 * n, n, n_in, n);
    for (j = 0; j < n; j++) {
        const real u = sigmoid_of(z[n + j]), g = tanh(z[2 * n + j]);
        h[j] = g + u * (h[j] - g);
    }
}
""",
}
LOOK = """\
/* h x w pixels that move s down and t right over images of H x W pixels of c numbers, from (-top, -left), and stop at
 * high x wide places */
typedef struct {{
    int H, W, c, h, w, s, t, top, left, high, wide;
}} window;

enum {{ SEEN = {seen} }};

/* what the window sees at stop (i, j), `outside` beyond the image; how many of its pixels lie inside */
static int look(const window *at, int i, int j, const real *a, real outside, real *seen)
{{
    int u, v, k, inside = 0;
    for (u = 0; u < at->h; u++)
        for (v = 0; v < at->w; v++) {{
            const int y = i * at->s + u - at->top, x = j * at->t + v - at->left;
            const int in = y >= 0 && y < at->H && x >= 0 && x < at->W;
            for (k = 0; k < at->c; k++)
                *seen++ = in ? a[(y * at->W + x) * at->c + k] : outside;
            inside += in;
        }}
    return inside;
}}
"""
CONVOLUTION = """\
/* z = W a + b at every stop, where a is what the window sees */
static void convolution(const real *W, const real *b, const window *at, const real *a, real *z, int f)
{
    real seen[SEEN];
    int i, j;
    for (i = 0; i < at->high; i++)
        for (j = 0; j < at->wide; j++, z += f) {
            look(at, i, j, a, 0, seen);
            dense(W, b, seen, z, f, at->h * at->w * at->c);
        }
}
"""
POOL = """\
/* the {name} of each channel at every stop */
static void {kind}_pool(const window *at, const real *a, real *z)
{{
    real seen[SEEN];
    int i, j, k, n;
    for (i = 0; i < at->high; i++)
        for (j = 0; j < at->wide; j++, z += at->c) {{
            {look}(at, i, j, a, {start}, seen);
            for (k = 0; k < at->c; k++) {{
                real pooled = {start};
                for (n = k; n < at->h * at->w * at->c; n += at->c)
                    {step}
                z[k] = {pooled};
            }}
        }}
}}
"""
POOLS = {
    "max": {
        "name": "maximum",
        "look": "look",
        "start": "-INFINITY",
        "step": "pooled = seen[n] > pooled ? seen[n] : pooled;",
        "pooled": "pooled",
    },
    "mean": {
        "name": "mean of the pixels inside",
        "look": "const int inside = look",
        "start": "0",
        "step": "pooled += seen[n];",
        "pooled": "pooled / (real)inside",
    },
    "l2": {
        "name": "Euclidean norm",
        "look": "look",
        "start": "0",
        "step": "pooled += seen[n] * seen[n];",
        "pooled": "sqrt(pooled)",
    },
}


def functions(program: Program, precision: str) -> str:
    """Their text; of a network of dense layers only `dense` and its activations.

    Raises:
        ConfigurationError: an activation is not written in C.
    """
    text = "\n" + DENSE
    if program.views:
        text += "\n" + LOOK.format(seen=max(view.seen for view in program.views))
    known = {"dense", "linear"}

    def add(name: str, function: str) -> str:
        written = "" if name in known or not function else "\n" + function
        known.add(name)
        return written

    if program.memories:
        text += "\n" + GATED
    for stage in program.stages:
        if stage.kind in MEMORIES:
            if stage.kind != "recurrent":
                text += add("sigmoid", _activation(get_activation("sigmoid")))
            text += add(stage.kind, MEMORIES[stage.kind])
        else:
            text += add(
                stage.kind, POOL.format(kind=stage.kind, **POOLS[stage.kind]) if stage.kind in POOLS else CONVOLUTION
            )
        text += add(stage.activation, _activation(get_activation(stage.activation)))
    return in_precision(text, precision)


def in_precision(text: str, precision: str) -> str:
    """C of doubles, or the same of floats."""
    return LITERAL.sub(r"\1f", CALL.sub(r"\1f", text)) if precision == "float" else text


def activation_function(name: str) -> str:
    """What the function of an activation is called."""
    return f"{name.replace('-', '_')}_of"


def _activation(activation: Activation) -> str:
    """Of one neuron a function of z; of neurons that are mixed, one that turns z into a in place."""
    body = activation.in_dialect("c").strip()
    if activation.elementwise and not re.search(r"\breturn\b", body):
        body = f"return {body};"
    head = "real {}(real z)" if activation.elementwise else "void {}(real *z, int n)"
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"static {head.format(activation_function(activation.name))}\n{{\n{lines}\n}}\n"
