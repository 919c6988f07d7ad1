"""A trained network as one function file for Octave and MATLAB (R2016b or later), without toolboxes."""

from deltarule.export.literals import about, in_comment, number, wrapped
from deltarule.export.program import Program, dense_stages

SIGMA = {
    "tanh": "a = tanh(z);",
    "relu": "a = max(z, 0);",
    "step": "a = cast(z > 0, class(z));",
    "softplus": "a = max(z, 0) + log1p(exp(-abs(z)));",
    "linear": "a = z;",
    "sigmoid": "e = exp(-abs(z)); a = ((z > 0) + (z <= 0) .* e) ./ (1 + e);",
    "softmax": "a = exp(z - max(z, [], 2)); a = a ./ sum(a, 2);",
}


def octave_source(program: Program, name: str, precision: str) -> str:
    """The function file's text; the file must be called `name`.m."""
    results = "y" if program.classes is None else "[label, probability]"
    lines = [f"function {results} = {name}(X)", *("% " + line for line in _about(program, name))]
    body = [*_encoding(program, precision)]
    for stage in dense_stages(program):
        n_out, n_in = stage.W.shape
        # reshape fills columns first, so W^T (n_in, n_out) is read from W row by row
        body += [f"W = reshape({_vector(stage.W.ravel(), precision)}, {n_in}, {n_out});"]
        body += [f"z = a * W + {_vector(stage.b, precision)};", SIGMA[stage.activation]]
    body += _result(program, precision)
    lines += ["  " + line for line in body]
    return "\n".join([*lines, "end", ""]).replace("%  ", "% ").replace("% \n", "%\n")


def _about(program: Program, name: str) -> list[str]:
    """The help text."""
    lines = [f"{name.upper()}  A neural network trained and written by deltarule.", ""]
    if program.classes is None:
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
    lines = [
        f"if size(X, 2) ~= {count} || ~all(isfinite(X(:)))",
        f"  error('X must be rows of {count} finite numbers');",
        "end",
        f"X = {kind}(X);",
    ]
    mean, std = ([getattr(c, part) for c in program.columns] for part in ("mean", "std"))
    scaled = f"(X - {_vector(mean, precision)}) ./ {_vector(std, precision)}" if program.scales_inputs else "X"
    lines.append(f"a = {scaled};")
    if not program.has_categories:
        return lines
    lines += ["X = [a, X];", f"a = zeros(size(X, 1), 0, '{kind}');"]
    for j, column in enumerate(program.columns, 1):
        if column.categories is None:
            lines.append(f"a = [a, X(:, {j})];")
        else:
            lines.append(f"part = {kind}(X(:, {count + j}) == 1:{len(column.categories)});")
            lines.append(f"if ~all(any(part, 2)), error('column {j} must hold 1 to {len(column.categories)}'); end")
            lines.append("a = [a, part];")
    return lines


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
