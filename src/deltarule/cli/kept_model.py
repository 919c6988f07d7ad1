"""Where a network goes if a model file is there already: never in the place of one that is better on the same rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.errors import ModelFileError
from deltarule.models.metrics import in_words, measure, of_part

if TYPE_CHECKING:
    from deltarule.data import DataSet

HELD_OUT = ("validation", "test")


def place_for(path: Path, data: "DataSet", metrics: dict[str, Any]) -> tuple[Path, str]:
    """Where to save a network with these metrics, and a few words of why if it is not `path`.

    That is `path`, unless a file there holds a network that is better on the validation or the test rows, or cannot be
    compared with it: then the first of NAME-search, NAME-search-2, ... of which neither is true. `metrics` are those of
    the training record.
    """
    place, why, number = path, "", 1
    while (reason := _reason_to_keep(place, data, metrics)) is not None:
        why = why or f"; {path} stays, for {reason}"
        place = path.with_stem(f"{path.stem}-search" + (f"-{number}" if number > 1 else ""))
        number += 1
    return place, why


def _reason_to_keep(path: Path, data: "DataSet", metrics: dict[str, Any]) -> str | None:
    """Why the file must not be replaced, or None if it may be."""
    from deltarule.models.model import load_model

    if not path.exists():
        return None
    try:
        model: Any = load_model(path)
    except ModelFileError:
        return "it is no model file"
    # Rows are the same, and encoded alike, where the schema is: its scaling is measured on the training rows.
    if getattr(model, "schema", None) != data.schema:  # a time series has none
        return "it was trained on other rows or columns"
    for part in HELD_OUT:
        examples = getattr(data, part)
        before = measure(model.net, model.params, data.schema, examples.X, examples.Y)
        name = "accuracy" if data.schema.classes is not None else "r2"
        after = of_part(metrics, part)
        if before[name] is not None and after[name] is not None and before[name] > after[name]:
            return f"its network is better on the {part} rows ({in_words(before)}, not {in_words(after)})"
    return None
