"""A model's card: what the network is, how it was trained and how good it is, a few words for each subject."""

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule import trees
from deltarule.errors import ModelFileError, format_number, pluralized
from deltarule.inspection.report import Evidence, collect_evidence, diagram, html_report
from deltarule.models.candidates import name_with_count
from deltarule.models.metrics import describe_scores, scores_of_part
from deltarule.models.plan import describe_network, sizes_of

if TYPE_CHECKING:
    from deltarule.data.schema import Schema
    from deltarule.models.model import Model

PARTS = {"train": "training", "validation": "validation", "test": "test"}
ENGINES = {"numpy": "NumPy", "jax": "JAX"}


def card(model: "Model") -> dict[str, str]:
    """The words by subject, without the subjects that the model file does not know."""
    training, schema = model.training, model.schema
    metrics = training.get("metrics") or {}
    scores = {part: scores_of_part(metrics, part) for part in ("validation", "test")}
    entries = {
        "data": _data(training),
        "columns": None if schema is None else ", ".join(_column_names(schema)),
        "target": None if schema is None else ", ".join(schema.target_names),
        "network": _network(model),
        "cost": model.net.cost.describe("standard deviations"),
        "trainer": training.get("trainer"),
        "engine": ENGINES.get(training.get("engine", "")),
        "networks": _networks_trained(training),
        "stopped": training.get("stopped") or training.get("message") or training.get("stop_reason"),
        "kept": training.get("kept") or _epochs(training),
        "training cost": None if training.get("training_cost") is None else format_number(training["training_cost"]),
        "noise": _noise(model),
        "unknowns": _unknowns(training),
        "residuals": _residuals(training),
        "effective parameters": _effective_parameters(training),
        **{part: describe_scores(of_part) if of_part else None for part, of_part in scores.items()},
        "seed": training.get("seed"),
        "versions": ", ".join(f"{name} {words}" for name, words in (training.get("versions") or {}).items()) or None,
    }
    return {name: str(words) for name, words in entries.items() if words is not None}


def headline(model: "Model") -> str:
    """The targets, the inputs and the test scores, in a line."""
    if model.schema is None:
        return f"{_network(model)}, without columns: inputs and outputs are the network's own numbers"
    inputs = ", ".join(_column_names(model.schema))
    inputs = inputs if len(inputs) <= 60 else pluralized(len(model.schema.inputs), "column")
    words = f"{', '.join(model.schema.target_names)} from {inputs}"
    scores = scores_of_part(model.training.get("metrics") or {}, "test")
    return f"{words}; test {describe_scores(scores).replace(chr(10), ', ')}" if scores else words


def render_report(model: "Model", evidence: Evidence | None = None, more: dict[str, str] | None = None) -> str:
    """The report, an HTML page, with further entries `more` of the card.

    Without `evidence`, predictions for rows with known targets, it takes the examples that the model holds, if any.
    """
    if model.schema is None:
        raise ModelFileError("the model has no columns, and a report is about them: train it with deltarule.fit_table")
    if evidence is None and model.examples:
        evidence = _gather_own_examples(model, model.schema)
    file = model.training.get("source") if model.path is None else model.path.name
    title = ": ".join(filter(None, (", ".join(model.schema.target_names), file)))
    if model.path is not None:
        more = (more or {}) | {"Model's SHA-256": sha256(model.path.read_bytes()).hexdigest()}
    rows = {name[0].upper() + name[1:]: words for name, words in card(model).items()} | (more or {})
    network = diagram(model.net, model.params, model.schema)
    return html_report(title, model.schema, rows, model.training, evidence, network)


def gather_evidence(model: "Model", X: Any, Y: Any, name: str, parts: Any = None, rows: Any = None) -> Evidence:
    """The model's predictions for encoded rows with known targets, which the report calls `name`.

    `parts` and `rows` are the part and the number of each row.
    """
    assert model.schema is not None
    return collect_evidence(model.net, model.params, model.schema, X, Y, name, model.error_bars, parts, rows)


def _gather_own_examples(model: "Model", schema: "Schema") -> Evidence:
    """The model's predictions for the examples that it holds, by part; for images only those of the test part."""
    parts = {part: rows for part, rows in model.examples.items() if len(rows)}
    if schema.image_shape is not None:
        parts = {"test": parts["test"]}
    X, Y, rows = (np.concatenate([getattr(part, name) for part in parts.values()]) for name in ("X", "Y", "rows"))
    names = np.repeat(list(parts), [len(part) for part in parts.values()])
    known = np.isfinite(Y).all(axis=1)  # of several targets some may be missing
    source = model.training.get("source") or "the table that trained it"
    return gather_evidence(model, X[known], Y[known], source, names[known], rows[known])


def _column_names(schema: "Schema") -> list[str]:
    """The names of the raw columns; for images their shape."""
    if schema.image_shape is not None:
        return [f"pixels {' x '.join(map(str, schema.image_shape))}"]
    return [str(getattr(column, "name", "")) for column in schema.inputs]


def _data(training: dict[str, Any]) -> str | None:
    examples, source = training.get("examples") or {}, training.get("source")
    sizes = [f"{examples[part]:,} {words}" for part, words in PARTS.items() if part in examples]
    counts = f"{', '.join(sizes)} example{'s' if examples.get('test') != 1 else ''}" if sizes else None
    return ": ".join(words for words in (source, counts) if words) or None


def _network(model: "Model") -> str:
    """The layers and the number of parameters; for an average those of each network and of the one that is saved."""
    shape, training = model.net.input_shape(model.params), model.training
    sizes = sizes_of(model.net, shape[0]) if shape is not None and len(shape) == 1 else ()
    count = pluralized(trees.size(model.params), "parameter")
    best, n, starts = (training.get(name) for name in ("network_of_a_start", "parameters_of_a_start", "starts"))
    if best is None or n is None or starts is None or starts < 2:
        return f"{describe_network(model.net, sizes)}, {count}"
    names = training.get("networks") or [best] * starts
    members = "; ".join(name_with_count(name, names) for name in dict.fromkeys(names))
    several = f"{starts} networks, {members}" if len(set(names)) > 1 else members
    each = "" if training.get("networks") else f", of {pluralized(n, 'parameter')} each"
    return f"the average of {several}{each}; it is saved as one network {'-'.join(map(str, sizes))}, {count}"


def _epochs(training: dict[str, Any]) -> str | None:
    """The kept epoch, for files whose record lacks "kept"."""
    epochs, best = training.get("epochs"), training.get("best_epoch")
    return None if epochs is None else f"epoch {best} of {epochs}" if best else f"{pluralized(epochs, 'epoch')}"


def _networks_trained(training: dict[str, Any]) -> str | None:
    """How many networks were trained for an average, in how many epochs."""
    count = training.get("networks_trained", 1)
    return f"{count} trained, {pluralized(training['epochs_of_all'], 'epoch')} in all" if count > 1 else None


def _unknowns(training: dict[str, Any]) -> str | None:
    """The estimated coefficients of differential equations, each with its standard error."""
    errors = training.get("standard_errors") or {}
    of = {
        name: " (undetermined)" if error is None else f" ± {format_number(error, 2)}" for name, error in errors.items()
    }
    words = [f"{name} {format_number(v, 5)}{of.get(name, '')}" for name, v in (training.get("unknowns") or {}).items()]
    return f"{', '.join(words)}{' (± a standard error)' if errors else ''}" if words else None


def _residuals(training: dict[str, Any]) -> str | None:
    """The residual of each differential equation."""
    residuals = zip(training.get("residual_maps") or (), training.get("residual_rms") or (), strict=False)
    words = [f"{equation['name']} {format_number(rms, 2)}" for equation, rms in residuals]
    return f"{', '.join(words)} (root mean squares)" if words else None


def _noise(model: "Model") -> str | None:
    std, schema = model.training.get("noise_std"), model.schema
    if schema is None or not isinstance(std, list) or len(std) != len(schema.target_names):
        return None
    return ", ".join(
        f"{format_number(value, 3)} of {name}" for name, value in zip(schema.target_names, std, strict=True)
    )


def _effective_parameters(training: dict[str, Any]) -> str | None:
    gamma, n, evidence = (
        training.get(name) for name in ("effective_parameters", "parameters_of_a_start", "log_evidence")
    )
    if gamma is None or n is None:
        return None
    return f"{gamma:.1f} of the {n:,} of one network; log evidence {format_number(evidence, 6)}"
