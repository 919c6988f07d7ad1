"""A trained network as one file of Python that needs NumPy and nothing else."""

from deltarule.export.literals import about, in_comment, number, wrapped
from deltarule.export.program import Program
from deltarule.network.activations import get_activation

NUMBERS = """\
def encode(X):
    \"\"\"The raw rows X (N, {columns}) as the network reads them, (N, {inputs}).\"\"\"
    a = np.asarray(X, DTYPE)
    if a.ndim != 2 or a.shape[1] != {columns} or not np.isfinite(a).all():
        raise ValueError("X must be rows of {columns} finite numbers, and has the shape %s" % (a.shape,))
    return {value}
"""
MIXED = """\
def encode(X):
    \"\"\"The raw rows X (N, {columns}) as the network reads them, (N, {inputs}); a category by name or number.\"\"\"
    X = np.asarray(X, object)
    if X.ndim != 2 or X.shape[1] != {columns}:
        raise ValueError("X must be rows of {columns} cells, and has the shape %s" % (X.shape,))
    parts = []
    for j, (categories, imputed) in enumerate(zip(CATEGORIES, IMPUTED)):
        missing = np.array([imputed and (cell is None or cell != cell) for cell in X[:, j]], bool)[:, None]
        if categories is None:
            part = np.where(missing, MEAN[j], X[:, j : j + 1]).astype(DTYPE)
            if not np.isfinite(part).all():
                raise ValueError("column %d holds a number that is not finite" % j)
            parts.append((part - MEAN[j]) / STD[j])
        else:
            known = [(name, float(i)) for i, name in enumerate(categories)]
            part = np.array([[cell == name or cell == i for name, i in known] for cell in X[:, j]], bool)
            part = part.reshape(len(X), len(categories))
            if not (part | missing).any(axis=1).all():
                raise ValueError("column %d must hold one of %s" % (j, categories))
            parts.append(part.astype(DTYPE))
        if imputed:
            parts.append(missing.astype(DTYPE))
    return np.concatenate(parts, axis=1)
"""
DENSE = """\
def dense(a, W, b, sigma):
    return sigma(a @ W.T + b)


"""
SEEN = """\
def seen(a, outside, image, size, stride, margins, stops):
    \"\"\"What a window sees of each image at its stops, (N, H', W', h, w, c); `outside` beyond the image's edge.\"\"\"
    a = np.pad(a.reshape(len(a), *image), ((0, 0), *margins, (0, 0)), constant_values=outside)
    rows, columns = (s * np.arange(n)[:, None] + np.arange(k) for s, n, k in zip(stride, stops, size))
    return a[:, rows[:, None, :, None], columns[None, :, None, :]]


"""
CONVOLUTION = """\
def convolution(a, W, b, sigma, *window):
    z = seen(a, 0, *window).reshape(-1, W.shape[1]) @ W.T + b
    return sigma(z).reshape(len(a), -1)


"""
POOL = """\
def {kind}_pool(a, *window):
    return {value}.reshape(len(a), -1)


"""
POOLS = {
    "max": "seen(a, -np.inf, *window).max(axis=(3, 4))",
    "mean": "(seen(a, 0, *window).sum(axis=(3, 4)) / seen(np.ones_like(a), 0, *window).sum(axis=(3, 4)))",
    "l2": "np.sqrt((seen(a, 0, *window) ** 2).sum(axis=(3, 4)))",
}
SIGMOID = """\
def sigmoid(z):
    return {sigmoid}


"""
MEMORIES = {
    "recurrent": """\
def recurrent(state, a, W, V, b, sigma):
    h = sigma(a @ W.T + state[0] @ V.T + b)
    return h, (h,)


""",
    "lstm": """\
def lstm(state, a, W, V, b, _):
    h, c = state
    i, f, o, g = np.split(a @ W.T + h @ V.T + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, (h, c)


""",
    "gru": """\
def gru(state, a, W, V, b, _):
    (h,), n = state, V.shape[1]
    source = a @ W.T + b
    r, u = np.split(sigmoid(source[:, : 2 * n] + h @ V[: 2 * n].T), 2, axis=1)
    g = np.tanh(source[:, 2 * n :] + (r * h) @ V[2 * n :].T)
    h = g + u * (h - g)
    return h, (h,)


""",
}
STEP = """\
def start(count=1):
    \"\"\"The state of so many sequences before their first step.\"\"\"
    return [tuple(np.zeros((count, n), DTYPE) for n in sizes) for sizes in STATES]


def layers(a, state):
    \"\"\"The outputs of one step a (N, {inputs}), and the state after it.\"\"\"
    after = []
    for memory, (layer, *constants) in zip(state, LAYERS):
        if memory:
            a, memory = layer(memory, a, *constants)
        else:
            a = layer(a, *constants)
        after.append(memory)
    return a, after
"""
RUN_STEPS = """\
def run(X):
    \"\"\"The outputs of the network for raw rows X (N, {columns}), {steps} steps each, (N, {outputs}).\"\"\"
    steps = encode(X).reshape(-1, {steps}, {inputs})
    state = start(len(steps))
    for t in range({steps}):
        a, state = layers(steps[:, t], state)
    return a
"""
RUN_SERIES = """\
def step(X, state=None):
    \"\"\"The outputs (N, {outputs}) after one more step X (N, {columns}) of N series, and the state after it.\"\"\"
    return layers(encode(X), start(len(X)) if state is None else state)


def run(X):
    \"\"\"The outputs of the network for series X (N, steps, {columns}), {given}.\"\"\"
    outputs, state = [], None
    for t in range(np.shape(X)[1]):
        a, state = step(np.asarray(X)[:, t], state)
        outputs.append(a)
    return {returned}
"""
RUN = """\
def run(X):
    \"\"\"The outputs of the network for raw rows X (N, {columns}), (N, {outputs}).\"\"\"
    a = encode(X)
    for layer, *constants in LAYERS:
        a = layer(a, *constants)
    return a
"""
RUN_IN_BLOCKS = """\
def run(X):
    \"\"\"The outputs of the network for raw rows X (N, {columns}), (N, {outputs}), {rows} rows at once.\"\"\"
    X = encode(X)
    outputs = np.empty((len(X), {outputs}), DTYPE)
    for i in range(0, len(X), {rows}):
        a = X[i : i + {rows}]
        for layer, *constants in LAYERS:
            a = layer(a, *constants)
        outputs[i : i + {rows}] = a
    return outputs
"""


def numpy_source(program: Program, name: str, precision: str) -> str:
    """The module's text."""
    sizes = {"columns": len(program.columns), "inputs": program.inputs, "outputs": program.outputs}
    dtype = "np.float32" if precision == "float" else "np.float64"
    value = "(a - MEAN) / STD" if program.scales_inputs else "a"
    encode = MIXED.format(**sizes) if _is_mixed(program) else NUMBERS.format(value=value, **sizes)
    parts = [_head(program, name), f"import numpy as np\n\nDTYPE = {dtype}\n", _constants(program, precision)]
    run = _run(program, sizes)
    return "\n".join(
        [*parts, "\n" + _functions(program) + _layers(program, precision), "\n" + encode, "\n" + run, _public(program)]
    )


def _run(program: Program, sizes: dict[str, int]) -> str:
    """The function that takes raw rows to outputs; of sequences step by step."""
    if program.series is None:
        return RUN_IN_BLOCKS.format(rows=program.rows_at_once, **sizes) if program.views else RUN.format(**sizes)
    if not program.is_step:
        return STEP.format(**sizes) + "\n\n" + RUN_STEPS.format(steps=program.steps, **sizes)
    every = program.gives_every_step
    given = f"(N, steps, {program.outputs})" if every else f"of the last step, (N, {program.outputs})"
    returned = "np.stack(outputs, axis=1)" if every else "outputs[-1]"
    return STEP.format(**sizes) + "\n\n" + RUN_SERIES.format(given=given, returned=returned, **sizes)


def _is_mixed(program: Program) -> bool:
    """Whether a column is more than a number that is always there."""
    return program.has_categories or program.has_imputed


def _head(program: Program, name: str) -> str:
    lines = [f'"""{name}: a neural network trained and written by deltarule.', ""]
    if program.classes is None:
        lines += ["predict(X) gives, for raw rows X, these columns in the units of the training data:"]
        lines += [f"    {line}" for line in about(program.targets, 0)]
    else:
        lines += ["predict(X) gives the class of each raw row of X, predict_proba(X) the probability of each class:"]
        lines += [f"    {j}: {in_comment(label)}" for j, label in enumerate(program.classes)]
    lines += ["The columns of X:", *(f"    {line}" for line in about(program.columns, 0))]
    return "\n".join([*lines, '"""', ""])


def _array(values, precision: str) -> str:
    return f"np.array([\n{wrapped([number(v, precision) for v in values], '    ')}\n], DTYPE)"


def _constants(program: Program, precision: str) -> str:
    text = ""
    if program.scales_inputs or _is_mixed(program):
        text += f"MEAN = {_array([c.mean for c in program.columns], precision)}\n"
        text += f"STD = {_array([c.std for c in program.columns], precision)}\n"
    if _is_mixed(program):
        listed = [repr(c.categories) for c in program.columns]
        text += f"CATEGORIES = [\n{wrapped(listed, '    ')}\n]\n"
        text += f"IMPUTED = [\n{wrapped([str(c.imputed) for c in program.columns], '    ')}\n]\n"
    if program.scales_outputs:
        text += f"OUT_MEAN = {_array([c.mean for c in program.targets], precision)}\n"
        text += f"OUT_STD = {_array([c.std for c in program.targets], precision)}\n"
    if program.classes is not None:
        text += f"CLASSES = np.array([\n{wrapped([repr(label) for label in program.classes], '    ')}\n])\n"
    return text


def _functions(program: Program) -> str:
    """What the layers that occur call."""
    kinds = dict.fromkeys(stage.kind for stage in program.stages)
    text = DENSE + (SEEN if program.views else "")
    if "sigmoid" in program.activations and program.memories:
        text += SIGMOID.format(sigmoid=get_activation("sigmoid").in_dialect("numpy"))
    text += "".join(MEMORIES.get(kind, "") for kind in kinds)
    if "convolution" in kinds:
        text += CONVOLUTION
    return text + "".join(POOL.format(kind=kind, value=POOLS[kind]) for kind in kinds if kind in POOLS)


def _layers(program: Program, precision: str) -> str:
    """A function for each layer, and its constants: W, b and sigma, and the window."""
    text = "LAYERS = []\n"
    for stage in program.stages:
        window = ""
        if (view := stage.view) is not None:
            parts = (view.image, view.window.size, view.window.stride, view.margins, view.stops)
            window = ", " + ", ".join(map(str, parts))
        if not stage.arrays:
            text += f"LAYERS.append(({stage.kind}_pool{window}))\n"
            continue
        n_out, n_in = stage.W.shape
        sigma = f"lambda z: {get_activation(stage.activation).in_dialect('numpy')}"
        text += f"W = {_array(stage.W.ravel(), precision)}.reshape({n_out}, {n_in})\n"
        text += f"b = {_array(stage.b, precision)}\n"
        V = ""
        if stage.states:
            text += f"V = {_array(stage.V.ravel(), precision)}.reshape({len(stage.b)}, {stage.n_out})\n"
            V = ", V"
        text += f"LAYERS.append(({stage.kind}, W{V}, b, {sigma}{window}))  # {stage.activation}\n"
    if program.series is not None:
        states = [(s.n_out,) * len(s.states) for s in program.stages]
        text += f"STATES = {states}  # the numbers that each layer remembers from step to step\n"
    return text


def _public(program: Program) -> str:
    if program.classes is None:
        k, value = program.outputs, "OUT_MEAN + OUT_STD * run(X)" if program.scales_outputs else "run(X)"
        doc = f"The targets of raw rows X (N, {len(program.columns)}), (N, {k})."
        if program.is_step:
            doc = "The targets of series X, as `run` takes and gives them."
        return f'\ndef predict(X):\n    """{doc}"""\n    return {value}\n'
    value = "return run(X)"
    if not program.sums_to_one:
        value = "p = np.maximum(run(X), np.finfo(DTYPE).tiny)\n    return p / p.sum(axis=1, keepdims=True)"
    proba = (
        f'\ndef predict_proba(X):\n    """The probability of each of CLASSES, (N, {program.outputs})."""\n    {value}\n'
    )
    doc = '"""The most probable of CLASSES for each row, (N,)."""'
    return f"{proba}\n\ndef predict(X):\n    {doc}\n    return CLASSES[np.argmax(run(X), axis=1)]\n"
