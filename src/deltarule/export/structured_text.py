"""A trained network as IEC 61131-3 Structured Text, for PLCs: a function block of constant arrays and loops."""

import re

from deltarule.export.literals import about, in_comment, number, wrapped
from deltarule.export.program import Program, require_dense
from deltarule.network.activations import get_activation
from deltarule.network.layers.stages import Stage

# e^z within the range of the type, so that no z faults
EXPONENTIAL = """\
FUNCTION {name}_exp : {real}
VAR_INPUT
    z : {real};
END_VAR
    {name}_exp := EXP(LIMIT(-{range}, z, {range}));
END_FUNCTION
"""
ACTIVATION = """\
FUNCTION {function} : {real}
VAR_INPUT
    z : {real};
END_VAR
    {function} := {value};
END_FUNCTION
"""
BLOCK = """\
FUNCTION_BLOCK {name}
VAR_INPUT
    row : ARRAY[0..{last_column}] OF {real};
END_VAR
VAR_OUTPUT
    out : ARRAY[0..{last_output}] OF {real};
    status : DINT;
END_VAR
VAR
    a : ARRAY[0..{last_neuron}] OF {real};
    z : ARRAY[0..{last_neuron}] OF {real};
    i : DINT;
    j : DINT;
    k : DINT;
    n : DINT;
    total : {real};
    largest : {real};
    missing : BOOL;
END_VAR
VAR CONSTANT
{constants}
END_VAR
{body}
END_FUNCTION_BLOCK
"""
DENSE = """\
FOR j := 0 TO {last_out} DO
    total := b{i}[j];
    FOR k := 0 TO {last_in} DO
        total := total + W{i}[j * {n_in} + k] * a[k];
    END_FOR;
    z[j] := total;
END_FOR;"""
EACH = """\
FOR j := 0 TO {last_out} DO
    a[j] := {value};
END_FOR;"""
CLASS = """\
k := 0;
total := 0.0;
FOR j := 0 TO {last} DO
    IF a[j] > a[k] THEN
        k := j;
    END_IF;
    total := total + a[j];
END_FOR;
FOR j := 0 TO {last} DO
    out[j] := a[j] / total;
END_FOR;
status := k;"""


def structured_text(program: Program, name: str, precision: str) -> str:
    """The file's text; the function block is called `name`.

    Raises:
        ConfigurationError: the network takes images, or an activation is not written in Structured Text.
    """
    require_dense(program, "Structured Text")
    real = "REAL" if precision == "float" else "LREAL"
    parts = [_head(program, name, real)]
    functions = [_activation(stage.activation, name, real) for stage in program.stages]
    text = "\n".join(dict.fromkeys(function for function in functions if function))
    body = "\n".join("    " + line if line else line for line in _body(program, name, real))
    used = f"{name}_exp(" in text + body
    if used:
        parts.append(EXPONENTIAL.format(name=name, real=real, range="80.0" if precision == "float" else "700.0"))
    parts += [text] if text else []
    parts.append(
        BLOCK.format(
            name=name,
            real=real,
            last_column=len(program.columns) - 1,
            last_output=program.outputs - 1,
            last_neuron=program.widest - 1,
            constants=_constants(program, precision, real),
            body=body,
        )
    )
    return "\n".join(parts)


def _head(program: Program, name: str, real: str) -> str:
    lines = [f"{name}: a neural network trained and written by deltarule, IEC 61131-3 Structured Text.", ""]
    lines += [f"Declare an instance, predictor : {name}; in each cycle call predictor(row := measured); and"]
    lines += [f"read predictor.out, {real}."]
    if program.classes is None:
        lines += ["predictor.status is 0, or -1 where row holds no finite number or no known category, and out stays."]
        lines += ["out, in the units of the training data:", *(f"    {line}" for line in about(program.targets, 0))]
    else:
        lines += ["predictor.status is the number of the most probable class, or -1 where row holds no finite "]
        lines += ["number or no known category, and out stays. out has the probability of each class:"]
        lines += [f"    {j}: {in_comment(label)}" for j, label in enumerate(program.classes)]
    lines += ["row, raw:", *(f"    {line}" for line in about(program.columns, 0))]
    text = "\n   ".join(lines).replace(" \n", "\n")
    return f"(* {re.sub(r'[(*][*)]', lambda two: ' '.join(two[0]), text)}\n*)\n"


def _constants(program: Program, precision: str, real: str) -> str:
    """The arrays."""

    def array(title: str, values, kind: str = real) -> str:
        cells = [_literal(v, precision) if kind == real else str(v) for v in values]
        return f"    {title} : ARRAY[0..{len(cells) - 1}] OF {kind} := [\n{wrapped(cells, '        ')}\n    ];"

    arrays = []
    if program.scales_inputs:
        arrays += [array(title, [getattr(c, title) for c in program.columns]) for title in ("mean", "std")]
    if program.has_categories:
        arrays.append(array("categories", [len(c.categories or ()) for c in program.columns], "DINT"))
    if program.has_imputed:
        arrays.append(array("imputed", ["TRUE" if c.imputed else "FALSE" for c in program.columns], "BOOL"))
    for i, stage in enumerate(program.stages, 2):
        W, b = stage.W, stage.b
        arrays += [array(f"W{i}", W.ravel()), array(f"b{i}", b)]
    if program.scales_outputs:
        arrays += [array(f"out_{part}", [getattr(c, part) for c in program.targets]) for part in ("mean", "std")]
    return "\n".join(arrays)


def _literal(value: float, precision: str) -> str:
    """A number that reads back as this LREAL or REAL: the standard wants a point before an exponent, 1.0e-05."""
    return re.sub(r"^(-?\d+)e", r"\1.0e", number(value, precision))


def _body(program: Program, name: str, real: str) -> list[str]:
    lines = ["status := 0;", "n := 0;", *_encoding(program, real), "IF status < 0 THEN", "    RETURN;", "END_IF;"]
    for i, stage in enumerate(program.stages, 2):
        lines += _stage(i, stage, name)
    k = program.outputs
    if program.classes is not None:
        # within a REAL: compilers may refuse smaller numbers
        positive = EACH.format(last_out=k - 1, value="MAX(a[j], 1.0E-37)").splitlines()
        return [*lines, *([] if program.sums_to_one else positive), *CLASS.format(last=k - 1).splitlines()]
    value = "out_mean[j] + out_std[j] * a[j]" if program.scales_outputs else "a[j]"
    return [*lines, *EACH.format(last_out=k - 1, value=value).replace("a[j] :=", "out[j] :=", 1).splitlines()]


def _encoding(program: Program, real: str) -> list[str]:
    """The raw row into a, with status -1 where it holds something that the network cannot read."""
    value = "(row[i] - mean[i]) / std[i]" if program.scales_inputs else "row[i]"
    number = [f"a[n] := {value};", "n := n + 1;"]
    if program.has_imputed:
        number = ["IF missing THEN", "    a[n] := 0.0;", "ELSE", f"    {number[0]}", "END_IF;", number[1]]
    bad = "NOT (row[i] - row[i] = 0.0)"
    lines = [f"FOR i := 0 TO {len(program.columns) - 1} DO"]
    if program.has_imputed:
        lines.append("    missing := imputed[i] AND (row[i] <> row[i]);")
        bad = f"NOT missing AND ({bad})"
    lines += [f"    IF {bad} THEN", "        status := -1;", "    END_IF;"]
    if program.has_categories:
        known = "missing" if program.has_imputed else "FALSE"
        lines += [
            "    IF categories[i] > 0 THEN",
            f"        k := SEL({known}, -1, 0);",
            "        FOR j := 0 TO categories[i] - 1 DO",
            "            a[n] := 0.0;",
            f"            IF row[i] = DINT_TO_{real}(j) THEN",
            "                a[n] := 1.0;",
            "                k := j;",
            "            END_IF;",
            "            n := n + 1;",
            "        END_FOR;",
            "        IF k < 0 THEN",
            "            status := -1;",
            "        END_IF;",
            "    ELSE",
            *("        " + line for line in number),
            "    END_IF;",
        ]
    else:
        lines += ["    " + line for line in number]
    if program.has_imputed:
        lines += [
            "    IF imputed[i] THEN",
            "        a[n] := SEL(missing, 0.0, 1.0);",
            "        n := n + 1;",
            "    END_IF;",
        ]
    return [*lines, "END_FOR;"]


def _stage(i: int, stage: Stage, name: str) -> list[str]:
    """(2) and (3) of layer i, from a into a."""
    last_out, n_in = stage.n_out - 1, stage.n_in
    lines = DENSE.format(i=i, last_out=last_out, last_in=n_in - 1, n_in=n_in).splitlines()
    sigma = get_activation(stage.activation)
    if not sigma.elementwise:
        lines += EACH.format(last_out=last_out, value="z[j]").splitlines()
        return lines + _in_range(sigma.in_dialect("st"), name).replace("LAST", str(last_out)).splitlines()
    value = "z[j]" if stage.activation == "linear" else f"{_function(stage.activation, name)}(z[j])"
    return lines + EACH.format(last_out=last_out, value=value).splitlines()


def _function(activation: str, name: str) -> str:
    return f"{name}_{activation.replace('-', '_')}"


def _activation(activation: str, name: str, real: str) -> str | None:
    """The function of an elementwise activation."""
    sigma = get_activation(activation)
    if not sigma.elementwise or activation == "linear":
        return None
    value = _in_range(sigma.in_dialect("st"), name)
    return ACTIVATION.format(function=_function(activation, name), real=real, value=value)


def _in_range(text: str, name: str) -> str:
    """The text with an e^z that never overflows."""
    return re.sub(r"\bEXP\(", f"{name}_exp(", text)
