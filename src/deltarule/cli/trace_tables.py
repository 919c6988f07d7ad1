"""The tables of `deltarule trace`: the equations, neurons and weights of each layer."""

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deltarule.errors import format_number, pluralized
from deltarule.network.tracing import equations

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.network.layers import LayerParams
    from deltarule.network.tracing import Trace

MOST_NEURONS, MOST_WEIGHTS = 10, 6  # entries of a vector, and rows and columns of a matrix, shown without --full
NUMBER_WIDTH = 12


def print_trace(model: "TrainedModel", example: str, answer: tuple[Any, Any], traced: "Trace", full: bool) -> None:
    """Print the trace of an example with this target and prediction; `full` leaves nothing out, however wide."""
    console = Console(highlight=False)
    if full:
        widest = max(dW.size // len(dW) for layer in traced.layers for dW in layer.gradients.values())
        console.width = max(console.width, NUMBER_WIDTH * (widest + 2))
    target, prediction = (_in_a_line(value) for value in answer)
    names = ", ".join(model.schema.target_names)
    _line(console, f"{example}: {names} is {target}, and {prediction} is predicted", "bold")
    _line(console, f"cost ({model.net.cost.name}) C_x = {traced.cost:.6g}")
    _line(console, "\nForward pass", "bold cyan")
    _line(console, "  a^1 = x   (1)", "magenta")
    inputs = [Text(name) for name in model.schema.input_names]
    _vectors(console, {"input": inputs, "a^1": traced.x}, full, "k")
    for i in range(len(traced.layers)):
        _layer(console, model, i, traced, full, forward=True)
    _line(console, "\nBackward pass: delta^l = dC/dz^l   (4)", "bold cyan")
    for i in reversed(range(len(traced.layers))):
        _layer(console, model, i, traced, full, forward=False)


def _in_a_line(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return ", ".join(format_number(one, 6) if isinstance(one, float) else str(one) for one in values)


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)


def _layer(console: Console, model: "TrainedModel", i: int, traced: "Trace", full: bool, forward: bool) -> None:
    """Print equations (2) and (3) of one layer, or BP1 or BP2, then BP3 and BP4, each with its numbers."""
    l, layer, kind, last = i + 2, traced.layers[i], model.net.layers[i], i + 1 == len(traced.layers)  # noqa: E741
    activation = getattr(kind, "activation", None)
    shape = f" ({' × '.join(map(str, layer.a.shape))})" * (layer.a.ndim > 1)
    name = f"{type(kind).__name__}, {pluralized(layer.a.size, 'neuron')}{shape}"
    name += f", sigma = {activation}" if activation else ""
    _line(console, f"\nLayer {l}{', the output' * last}: {name}", "bold")
    formulas = equations(model.net, i)
    columns: dict[str, Any] = {"output": [Text(name) for name in model.schema.output_names]} if last else {}
    if forward:
        printed = ["z", "a", "slope"]
        vectors, matrices = _vectors_and_matrices(model.params[i], f"{{}}^{l}", layer.z)
        columns |= {**vectors, f"z^{l}": layer.z, f"a^{l}": layer.a, f"sigma'(z^{l})": layer.slope}
    else:
        printed = ["dC_da", "delta", *(f"d{name}" for name in reversed(layer.gradients) if f"d{name}" in formulas)]
        vectors, matrices = _vectors_and_matrices(layer.gradients, f"dC/d{{}}^{l}", layer.delta)
        columns |= {"y": traced.y, f"a^{l}": layer.a} if last else {}
        columns |= {"∇_a C" if last else f"dC/da^{l}": layer.dC_da, f"sigma'(z^{l})": layer.slope}
        columns |= {f"delta^{l}": layer.delta, **vectors}
    for equation in printed:
        _line(console, f"  {formulas[equation]}", "magenta")
    if not forward:
        _vectors(console, columns, full)
    for name, matrix in matrices.items():
        _matrix(console, name, matrix, full)
    if forward:
        _vectors(console, columns, full)


def _vectors_and_matrices(
    arrays: "LayerParams", symbol: str, z: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Split arrays into those with one number for each neuron or gate and those with more axes, by their symbols."""
    neurons = z.size if z.ndim != 2 else z.shape[1]
    named = {symbol.format(name): np.asarray(array) for name, array in arrays.items()}
    vectors = {name: array for name, array in named.items() if array.ndim == 1 and array.size == neurons}
    return vectors, {name: array for name, array in named.items() if array.ndim > 1}


def _vectors(console: Console, columns: dict[str, Any], full: bool, index: str = "j") -> None:
    """Print vectors side by side, one line for each entry; images are read row by row, sequences step by step.

    Vectors of different lengths, such as z and a of a recurrent layer, have a table for each length.
    """
    arrays = {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}
    lengths = {name: column.size if name in arrays else len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        for length in dict.fromkeys(lengths.values()):
            part = {name: column for name, column in columns.items() if lengths[name] == length}
            _vectors(console, part, full, index)
        return
    steps = next((array.shape for array in arrays.values() if array.ndim == 2), None)
    if steps is not None:
        t, j = np.indices(steps)
        columns = {"t": [Text(str(n)) for n in t.flat], "neuron": [Text(str(n)) for n in j.flat]} | columns
        index = ""
    count = next(iter(lengths.values()))
    shown = count if full else min(count, MOST_NEURONS)
    cells = {
        name: [format_number(float(value), 5) for value in column.flat[:shown]] if name in arrays else column[:shown]
        for name, column in columns.items()
    }
    _tables(console, index, cells, cut=shown < count)
    if shown < count:
        _line(console, f"{shown} of {count}; --full prints all", "dim")


def _matrix(console: Console, name: str, matrix: np.ndarray, full: bool) -> None:
    """Print the first rows and columns of a matrix; an array of more axes has one row for each entry of its first."""
    shape = " × ".join(map(str, matrix.shape))
    matrix = matrix.reshape(len(matrix), -1)
    rows, columns = matrix.shape if full else (min(n, MOST_WEIGHTS) for n in matrix.shape)
    _line(console, f"{name}, {shape}")
    cells = {str(k): [format_number(float(value)) for value in matrix[:rows, k]] for k in range(columns)}
    cells |= {"...": [""] * rows} if columns < matrix.shape[1] else {}
    _tables(console, "j \\ k", cells, cut=rows < matrix.shape[0])


def _tables(console: Console, index: str, columns: dict[str, list[Any]], cut: bool) -> None:
    """Print columns side by side with numbered rows, in as many tables below each other as the screen's width needs.

    A column of numbers is never narrowed, which would cut digits off; only a name wider than the screen is folded.
    """
    first = len(index) + 4  # with the lines and blanks around it
    rest = list(columns.items())
    while rest:
        table, width, count = Table(), first, 0
        table.add_column(Text(index), justify="right", no_wrap=True)
        for name, cells in rest:
            width += max(Text(name).cell_len, *(Text(str(cell)).cell_len for cell in cells)) + 3
            if count and width > console.width:
                break
            table.add_column(Text(name), justify="right", overflow="fold")
            count += 1
        fitting, rest = rest[:count], rest[count:]
        for j in range(len(fitting[0][1])):
            table.add_row(str(j), *(cells[j] for _, cells in fitting))
        if cut:
            table.add_row("...", *("" for _ in fitting))
        console.print(table)
