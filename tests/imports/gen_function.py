"""Function files in the form in which MATLAB's genFunction writes them, of random networks, for Octave to run."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FUNCTIONS = {
    "mapminmax_apply": "function y = mapminmax_apply(x,settings)\n  y = bsxfun(@minus,x,settings.xoffset);\n"
    "  y = bsxfun(@times,y,settings.gain);\n  y = bsxfun(@plus,y,settings.ymin);\nend\n",
    "mapminmax_reverse": "function x = mapminmax_reverse(y,settings)\n  x = bsxfun(@minus,y,settings.ymin);\n"
    "  x = bsxfun(@rdivide,x,settings.gain);\n  x = bsxfun(@plus,x,settings.xoffset);\nend\n",
    "mapstd_apply": "function y = mapstd_apply(x,settings)\n  y = bsxfun(@minus,x,settings.xoffset);\n"
    "  y = bsxfun(@times,y,settings.gain);\n  y = bsxfun(@plus,y,settings.ymean);\nend\n",
    "mapstd_reverse": "function x = mapstd_reverse(y,settings)\n  x = bsxfun(@minus,y,settings.ymean);\n"
    "  x = bsxfun(@rdivide,x,settings.gain);\n  x = bsxfun(@plus,x,settings.xoffset);\nend\n",
    "removeconstantrows_apply": "function y = removeconstantrows_apply(x,settings)\n  y = x(settings.keep,:);\nend\n",
    "removeconstantrows_reverse": "function x = removeconstantrows_reverse(y,settings)\n  Q = size(y,2);\n"
    "  x = nan(settings.xrows,Q);\n  x(settings.keep,:) = y;\n"
    "  x(settings.remove,:) = repmat(settings.constants,1,Q);\nend\n",
    "tansig_apply": "function a = tansig_apply(n,~)\n  a = 2 ./ (1 + exp(-2*n)) - 1;\nend\n",
    "logsig_apply": "function a = logsig_apply(n,~)\n  a = 1 ./ (1 + exp(-n));\nend\n",
    "poslin_apply": "function a = poslin_apply(n,~)\n  a = max(0,n);\n  a(isnan(n)) = nan;\nend\n",
    "elliotsig_apply": "function a = elliotsig_apply(n,~)\n  a = n ./ (1 + abs(n));\nend\n",
    "softmax_apply": "function a = softmax_apply(n,~)\n  nmax = max(n,[],1);\n  n = bsxfun(@minus,n,nmax);\n"
    "  numerator = exp(n);\n  denominator = sum(numerator,1);\n  denominator(denominator == 0) = 1;\n"
    "  a = bsxfun(@rdivide,numerator,denominator);\nend\n",
}


@dataclass(frozen=True)
class Net:
    """A network to be written: its sizes from the inputs on, and what is done to rows before and after it."""

    sizes: tuple[int, ...]
    transfer: tuple[str, ...]
    inputs: tuple[str, ...] = ("mapminmax",)
    outputs: tuple[str, ...] = ("mapminmax",)
    constant_inputs: tuple[int, ...] = ()  # of so many more raw rows, from 1
    constant_outputs: tuple[int, ...] = ()
    cells: bool = True  # the form for cells of time steps, genFunction's default
    samples_in_rows: bool = False
    old: bool = False  # settings as x1_step1_xoffset, before structs
    centre: float = 0.0  # of raw rows
    seed: int = field(default=0)

    @property
    def raw_inputs(self) -> int:
        return self.sizes[0] + len(self.constant_inputs)


# Every transfer function, one to three layers, several outputs, constant inputs and outputs, each form of the file.
NETS = {
    "fitnet": Net((2, 10, 1), ("tansig", "purelin")),
    "two_hidden": Net((3, 6, 5, 2), ("tansig", "logsig", "purelin"), seed=1),
    "patternnet": Net((4, 8, 3), ("tansig", "softmax"), outputs=(), seed=2),
    "old_patternnet": Net((4, 5, 2), ("tansig", "tansig"), cells=False, old=True, seed=3),
    "one_layer": Net((3, 2), ("purelin",), inputs=("mapstd",), outputs=("mapstd",), cells=False, seed=4),
    "constant_inputs": Net(
        (3, 7, 1), ("elliotsig", "purelin"), ("removeconstantrows", "mapminmax"), constant_inputs=(2, 4), seed=5
    ),
    "constant_outputs": Net(
        (2, 5, 3),
        ("poslin", "purelin"),
        outputs=("removeconstantrows", "mapminmax"),
        constant_outputs=(1, 4),
        samples_in_rows=True,
        seed=6,
    ),
    "poslin_logsig": Net((2, 9, 1), ("poslin", "logsig"), outputs=(), cells=False, seed=7),
    "three_layers": Net((5, 6, 4, 3), ("elliotsig", "poslin", "softmax"), ("mapstd",), outputs=(), seed=8),
    "far_from_zero": Net((2, 6, 1), ("logsig", "purelin"), centre=1e6, seed=9),
}


def matrix(values: np.ndarray) -> str:
    """As mat2str writes it, with 20 digits."""
    rows = np.atleast_2d(values)
    text = ";".join(" ".join(f"{cell:.20g}" for cell in row) for row in rows)
    return text if rows.size == 1 else f"[{text}]"


def raw_rows(net: Net, count: int = 40) -> np.ndarray:
    """Rows for it, (count, raw_inputs), some of them outside the range."""
    random = np.random.default_rng(100 + net.seed)
    X = net.centre + (np.arange(net.raw_inputs) + 1) * random.uniform(-1.5, 1.5, (count, net.raw_inputs))
    for row in net.constant_inputs:
        X[:, row - 1] = 7.5
    return X


def write(net: Net, name: str, folder: Path) -> Path:
    """The file NAME.m."""
    random = np.random.default_rng(net.seed)
    n_in, n_out, L = net.sizes[0], net.sizes[-1], len(net.transfer)
    lines = ["% Input 1", *_settings("x1", net.inputs, n_in, net.constant_inputs, random, net.centre)]
    for i in range(1, L + 1):
        W = random.normal(0, 1.5 / np.sqrt(net.sizes[i - 1]), (net.sizes[i], net.sizes[i - 1]))
        lines += [f"% Layer {i}", f"b{i} = {matrix(random.normal(size=(net.sizes[i], 1)))};"]
        lines += [f"{'IW' if i == 1 else 'LW'}{i}_{i - 1 or 1} = {matrix(W)};"]
    lines += ["% Output 1", *_settings("y1", net.outputs, n_out, net.constant_outputs, random, 0.0)[::-1]]
    raw, processed, result = ("X{1,ts}", "Xp1", "Y{1,ts}") if net.cells else ("x1", "xp1", "y1")
    turned = [f"{raw} = {raw}';"] if net.samples_in_rows else []
    body = [*turned, *_chain(raw, processed, [f"{step}_apply" for step in net.inputs], "x1")]
    for i, transfer in enumerate(net.transfer, 1):
        read = f"IW1_1*{processed}" if i == 1 else f"LW{i}_{i - 1}*a{i - 1}"
        z = f"repmat(b{i},1,Q) + {read}"
        body.append(f"a{i} = {z};" if transfer == "purelin" else f"a{i} = {transfer}_apply({z});")
    body += _chain(f"a{L}", result, [f"{step}_reverse" for step in net.outputs[::-1]], "y1", backwards=True)
    body += [f"{result} = {result}';"] if net.samples_in_rows else []
    across = 1 if net.samples_in_rows else 2
    shape = f"Qx{net.raw_inputs}" if net.samples_in_rows else f"{net.raw_inputs}xQ"
    if net.cells:
        head = [f"function [Y,Xf,Af] = {name}(X,~,~)", f"%   Each X{{1,ts}} = {shape} matrix, input #1 at timestep ts."]
        before = ["isCellX = iscell(X);", "if ~isCellX", "  X = {X};", "end", "TS = size(X,2); % timesteps"]
        before += ["if ~isempty(X)", f"  Q = size(X{{1}},{across}); % samples/series", "else", "  Q = 0;", "end"]
        before += ["Y = cell(1,TS);", "for ts=1:TS"]
        after = ["end", "Xf = cell(1,0);", f"Af = cell({L},0);", "if ~isCellX", "  Y = cell2mat(Y);", "end", "end"]
    else:
        head = [f"function [y1] = {name}(x1)", f"%   x = {shape} matrix, input #1"]
        before, after = [f"Q = size(x1,{across}); % samples"], ["end"]
    called = [each for each in FUNCTIONS if f"{each}(" in "\n".join(body)]
    text = [
        *head,
        "% ===== NEURAL NETWORK CONSTANTS =====",
        *lines,
        "% ===== SIMULATION ========",
        *before,
        *body,
        *after,
    ]
    source = (
        "\n".join(text) + "\n\n% ===== MODULE FUNCTIONS ========\n\n" + "\n".join(FUNCTIONS[each] for each in called)
    )
    if net.old:
        source = _as_before_structs(source)
    path = folder / f"{name}.m"
    path.write_text(source)
    return path


def _settings(side: str, steps, n: int, constant, random, centre: float) -> list[str]:
    lines = []
    kept = [row for row in range(1, n + len(constant) + 1) if row not in constant]
    for number, step in enumerate(steps, 1):
        name = f"{side}_step{number}"
        if step == "removeconstantrows":
            lines.append(f"{name}.keep = {matrix(np.array(kept))};")
            if side == "y1":
                lines += [f"{name}.xrows = {n + len(constant)};", f"{name}.remove = {matrix(np.array(constant))};"]
                lines.append(f"{name}.constants = {matrix(3.25 * np.arange(1, len(constant) + 1)[:, None])};")
            continue
        spread = np.array(kept)[:, None] if side == "x1" else 10.0 ** np.arange(n)[:, None]
        low = centre - spread * random.uniform(0.8, 1.2, (n, 1))
        if step == "mapminmax":
            gain = 2 / (spread * random.uniform(1.8, 2.2, (n, 1)))
            lines += [f"{name}.xoffset = {matrix(low)};", f"{name}.gain = {matrix(gain)};", f"{name}.ymin = -1;"]
        else:
            lines += [f"{name}.xoffset = {matrix(low + spread)};", f"{name}.gain = {matrix(1.7 / spread)};"]
            lines.append(f"{name}.ymean = 0;")
    return lines


def _chain(start: str, end: str, functions: list[str], side: str, backwards: bool = False) -> list[str]:
    """Statements that apply one function after the other."""
    if not functions:
        return [f"{end} = {start};"]
    lines = []
    for i, function in enumerate(functions, 1):
        step = len(functions) + 1 - i if backwards else i
        target = end if i == len(functions) else "temp"
        lines.append(f"{target} = {function}({start},{side}_step{step});")
        start = target
    return lines


def _as_before_structs(source: str) -> str:
    """mapminmax_apply(x,settings_gain,settings_xoffset,settings_ymin), as files of 2013 have it."""
    for side in ("x1_step1", "y1_step1"):
        source = source.replace(f",{side})", f",{side}_gain,{side}_xoffset,{side}_ymin)").replace(
            f"{side}.", f"{side}_"
        )
    return source.replace(",settings)", ",settings_gain,settings_xoffset,settings_ymin)").replace(
        "settings.", "settings_"
    )
