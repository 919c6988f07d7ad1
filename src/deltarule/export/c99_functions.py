"""The functions in C99 that an exported network calls: those of the stages, windows and activations that it has."""

from deltarule.export.program import Program

SIGMA = {
    "linear": "return z;",
    "tanh": "return TANH(z);",
    "relu": "return z > 0 ? z : 0;",
    "step": "return z > 0 ? 1 : 0;",
    "softplus": "return (z > 0 ? z : 0) + LOG1P(EXP(z > 0 ? -z : z));",
    "sigmoid": "real e = EXP(z > 0 ? -z : z); /* never overflows */\n    return (z > 0 ? 1 : e) / (1 + e);",
}
SOFTMAX = """\
static void softmax(real *a, int n)
{
    real largest = a[0], sum = 0;
    int j;
    for (j = 1; j < n; j++)
        if (a[j] > largest)
            largest = a[j];
    for (j = 0; j < n; j++) {
        a[j] = EXP(a[j] - largest); /* at most 1 */
        sum += a[j];
    }
    for (j = 0; j < n; j++)
        a[j] /= sum;
}
"""
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
        "pooled": "SQRT(pooled)",
    },
}


def functions(program: Program, precision: str) -> str:
    """Their text; of a network of dense layers only `dense` and its activations."""
    used = [name for stage in program.stages for name in (stage.kind, stage.activation)]
    f = "f" if precision == "float" else ""
    needs = {"tanh": ("TANH",), "softplus": ("EXP", "LOG1P"), "sigmoid": ("EXP",), "softmax": ("EXP",), "l2": ("SQRT",)}
    macros = sorted({macro for name in used for macro in needs.get(name, ())})
    text = "".join(f"#define {macro} {macro.lower()}{f}\n" for macro in macros) + "\n" + DENSE
    if program.views:
        text += "\n" + LOOK.format(seen=max(view.seen for view in program.views))
    for name in dict.fromkeys(used):
        if name == "convolution":
            text += "\n" + CONVOLUTION
        elif name in POOLS:
            text += "\n" + POOL.format(kind=name, **POOLS[name])
        elif name == "softmax":
            text += "\n" + SOFTMAX
        elif name in SIGMA and name != "linear":
            text += f"\nstatic real {name}_of(real z)\n{{\n    {SIGMA[name]}\n}}\n"
    return text
