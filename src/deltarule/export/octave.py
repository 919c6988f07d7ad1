"""A trained network as one function file for Octave and MATLAB (R2016b or later), without toolboxes."""

from math import prod

from deltarule.export.literals import about, in_comment, number, wrapped
from deltarule.export.program import Program
from deltarule.network.activations import get_activation
from deltarule.network.layers.stages import Stage

SEEN = """
function p = seen(a, outside, image, kernel, stride, margins, stops)
  % What a window sees at its stops, (h w c, stops of all rows of a); `outside` beyond the image's edge.
  H = image(1); W = image(2); c = image(3);
  images = outside + zeros(c, W + sum(margins(3:4)), H + sum(margins(1:2)), size(a, 1), class(a));
  images(:, margins(3) + (1:W), margins(1) + (1:H), :) = reshape(a.', c, W, H, []);
  x = (1:kernel(2)).' + stride(2) * (0:stops(2) - 1);
  y = (1:kernel(1)).' + stride(1) * (0:stops(1) - 1);
  p = reshape(images(:, x, y, :), [c, size(x), size(y), size(a, 1)]);
  p = reshape(permute(p, [1, 2, 4, 3, 5, 6]), c * prod(kernel), []);
end
"""
POOLS = {
    "max": "max({seen}, [], 2)",
    "mean": "sum({seen}, 2) ./ sum({ones}, 2)",
    "l2": "sqrt(sum({seen} .^ 2, 2))",
}


def octave_source(program: Program, name: str, precision: str) -> str:
    """The function file's text; the file must be called `name`.m."""
    results, inputs = "y" if program.classes is None else "[label, probability]", "X"
    if program.is_step:
        results, inputs = "[y, state]", "X, state"
    lines = [f"function {results} = {name}({inputs})", *("% " + line for line in _about(program, name))]
    body = [*_encoding(program, precision)]
    for i, stage in enumerate(program.stages, 2):
        if stage.arrays:
            n_out, n_in = stage.W.shape
            # reshape fills columns first, so W^T (n_in, n_out) is read from W row by row
            body += [f"W{i} = reshape({_vector(stage.W.ravel(), precision)}, {n_in}, {n_out});"]
            body += [f"b{i} = {_vector(stage.b, precision)};"]
        if stage.states:
            body += [f"V{i} = reshape({_vector(stage.V.ravel(), precision)}, {stage.n_out}, {len(stage.b)});"]
    layers = [line for i, stage in enumerate(program.stages, 2) for line in _stage(i, stage)]
    if program.series is not None:
        layers = _in_steps(program, layers, precision)
    body += _in_blocks(program, layers, precision) if program.views else layers
    body += _result(program, precision)
    lines += ["  " + line for line in body]
    text = "\n".join([*lines, "end", ""]).replace("%  ", "% ").replace("% \n", "%\n")
    return text + SEEN if program.views else text


def _about(program: Program, name: str) -> list[str]:
    """The help text."""
    lines = [f"{name.upper()}  A neural network trained and written by deltarule.", ""]
    if program.is_step:
        which = "of every step" if program.gives_every_step else "after its last step"
        lines += [f"[y, state] = {name}(X) goes through a series X, one step a row, and gives the outputs {which}:"]
        lines += [f"  {line}" for line in about(program.targets, 1)]
        lines += [f"[y, state] = {name}(X, state) goes on from there."]
    elif program.classes is None:
        lines += [f"y = {name}(X) gives, for raw rows X, in the units of the training data, the columns:"]
        lines += [f"  {line}" for line in about(program.targets, 1)]
    else:
        lines += [f"[label, probability] = {name}(X) gives the class of each raw row of X and the probability of each:"]
        lines += [f"  {j}: {in_comment(label)}" for j, label in enumerate(program.classes, 1)]
    return [*lines, "The columns of X, categories by their numbers:", *(f"  {c}" for c in about(program.columns, 1))]


def _vector(values, precision: str) -> str:
    """A row vector."""
    text = f"[ ...\n{wrapped([number(v, precision) for v in values], '    ', end=' ...')} ...\n  ]"
    return f"single({text})" if precision == "float" else text


def _encoding(program: Program, precision: str) -> list[str]:
    """Raw rows into a."""
    count = len(program.columns)
    kind = "single" if precision == "float" else "double"
    lines = [f"X = {kind}(X);"]
    finite = "isfinite(X)"
    if program.has_imputed:
        flags = f"[{' '.join(str(int(c.imputed)) for c in program.columns)}]"
        lines = [*lines, f"missing = isnan(X) & {flags};"]
        finite = "isfinite(X) | missing"
    lines = [
        f"if size(X, 2) ~= {count}, error('X must have {count} columns'); end",
        *lines,
        f"if ~all(all({finite})), error('X must be rows of {count} finite numbers'); end",
    ]
    mean, std = ([getattr(c, part) for c in program.columns] for part in ("mean", "std"))
    scaled = f"(X - {_vector(mean, precision)}) ./ {_vector(std, precision)}" if program.scales_inputs else "X"
    lines.append(f"a = {scaled};")
    if program.has_imputed:
        lines.append("a(missing) = 0;")
    if not program.has_categories and not program.has_imputed:
        return lines
    lines += ["X = [a, X];", f"a = zeros(size(X, 1), 0, '{kind}');"]
    for j, column in enumerate(program.columns, 1):
        if column.categories is None:
            lines.append(f"a = [a, X(:, {j})];")
        else:
            lines.append(f"part = {kind}(X(:, {count + j}) == 1:{len(column.categories)});")
            known = f"any(part, 2) | missing(:, {j})" if column.imputed else "any(part, 2)"
            lines.append(f"if ~all({known}), error('column {j} must hold 1 to {len(column.categories)}'); end")
            lines.append("a = [a, part];")
        if column.imputed:
            lines.append(f"a = [a, {kind}(missing(:, {j}))];")
    return lines


def _stage(i: int, stage: Stage) -> list[str]:
    """(2) and (3) of layer i, from a into a."""
    if stage.states:
        return _memory(i, stage)
    if (view := stage.view) is None:
        return [f"z = a * W{i} + b{i};", _activated(stage.activation)]
    (top, bottom), (left, right) = view.margins
    parts = (view.image, view.window.size, view.window.stride, (top, bottom, left, right), view.stops)
    window = ", ".join(f"[{' '.join(map(str, part))}]" for part in parts)
    if not stage.arrays:
        outside = "-Inf" if stage.kind == "max" else "0"
        of_channels = f"{view.image[2]}, {prod(view.window.size)}, []"
        seen = f"reshape(seen(a, {outside}, {window}), {of_channels})"
        ones = f"reshape(seen(ones(size(a), class(a)), 0, {window}), {of_channels})"
        return [f"a = reshape({POOLS[stage.kind].format(seen=seen, ones=ones)}, [], size(a, 1)).';"]
    return [
        f"z = reshape(W{i}.' * seen(a, 0, {window}) + b{i}.', [], size(a, 1)).';",
        _activated(stage.activation),
    ]


def _memory(i: int, stage: Stage) -> list[str]:
    """One step of a layer with a memory, from a and its state into both."""
    n, source, sigmoid = stage.n_out, f"a * W{i} + b{i}", get_activation("sigmoid").in_dialect("octave")
    if stage.kind == "recurrent":
        return [f"z = {source} + h{i} * V{i};", _activated(stage.activation), f"h{i} = a;"]
    if stage.kind == "lstm":
        return [
            f"source = {source} + h{i} * V{i};",
            f"z = source(:, 1:{3 * n}); gates = {sigmoid};",
            f"c{i} = gates(:, {n + 1}:{2 * n}) .* c{i} + gates(:, 1:{n}) .* tanh(source(:, {3 * n + 1}:end));",
            f"h{i} = gates(:, {2 * n + 1}:end) .* tanh(c{i}); a = h{i};",
        ]
    return [
        f"source = {source};",
        f"z = source(:, 1:{2 * n}) + h{i} * V{i}(:, 1:{2 * n}); gates = {sigmoid};",
        f"g = tanh(source(:, {2 * n + 1}:end) + (gates(:, 1:{n}) .* h{i}) * V{i}(:, {2 * n + 1}:end));",
        f"h{i} = g + gates(:, {n + 1}:end) .* (h{i} - g); a = h{i};",
    ]


def _in_steps(program: Program, layers: list[str], precision: str) -> list[str]:
    """The layers, step after step: of a series each row is a step, else each row holds all steps."""
    kind, steps, f = "single" if precision == "float" else "double", program.steps, program.inputs
    parts = {f"{state}{i}": m.n_out for i, m in program.memories.items() for state in m.states}
    count = "1" if program.is_step else "size(X, 1)"
    zeros = [f"{part} = zeros({count}, {n}, '{kind}');" for part, n in parts.items()]
    if not program.is_step:
        taken = f"  a = X(:, (t - 1) * {f} + (1:{f}));"
        return ["X = a;", *zeros, f"for t = 1:{steps}", taken, *("  " + line for line in layers), "end"]
    given = [f"{part} = state{{{j}}};" for j, part in enumerate(parts, 1)]
    lines = ["if nargin < 2", *("  " + line for line in zeros), "else", *("  " + line for line in given), "end"]
    lines += [f"X = a; outputs = zeros(size(X, 1), {program.outputs}, '{kind}');", "for t = 1:size(X, 1)"]
    lines += ["  a = X(t, :);", *("  " + line for line in layers), "  outputs(t, :) = a;", "end"]
    return [
        *lines,
        f"state = {{{', '.join(parts)}}};",
        "a = outputs;" if program.gives_every_step else "a = outputs(end, :);",
    ]


def _activated(activation: str) -> str:
    """(3), as the activation's record writes it."""
    return f"a = {get_activation(activation).in_dialect('octave')};"


def _in_blocks(program: Program, layers: list[str], precision: str) -> list[str]:
    """The layers, of so many rows at once."""
    kind = "single" if precision == "float" else "double"
    return [
        f"X = a; outputs = zeros(size(X, 1), {program.outputs}, '{kind}');",
        f"for first = 1:{program.rows_at_once}:size(X, 1)",
        f"  block = first:min(first + {program.rows_at_once - 1}, size(X, 1));",
        "  a = X(block, :);",
        *("  " + line for line in layers),
        "  outputs(block, :) = a;",
        "end",
        "a = outputs;",
    ]


def _result(program: Program, precision: str) -> list[str]:
    """Units, or the class and the probabilities."""
    if program.classes is None:
        mean, std = ([getattr(c, part) for c in program.targets] for part in ("mean", "std"))
        return [
            f"y = {_vector(mean, precision)} + {_vector(std, precision)} .* a;" if program.scales_outputs else "y = a;"
        ]
    lines = ["[~, place] = max(a, [], 2);"]
    if isinstance(program.classes[0], str):
        listed = wrapped([_string(label) for label in program.classes], "    ", end=" ...")
        lines.append(f"classes = {{ ...\n{listed} ...\n  }};")
    else:
        numbers = ["true" if v is True else "false" if v is False else repr(v) for v in program.classes]
        lines.append(f"classes = [ ...\n{wrapped(numbers, '    ', end=' ...')} ...\n  ];")
    lines.append("label = reshape(classes(place), [], 1);")
    if not program.sums_to_one:
        lines.append("a = max(a, realmin(class(a)));")
    return [*lines, "probability = a;" if program.sums_to_one else "probability = a ./ sum(a, 2);"]


def _string(text: str) -> str:
    """A text in single quotes; what is not printable becomes a question mark."""
    return "'" + "".join(c if c.isprintable() else "?" for c in text).replace("'", "''") + "'"
