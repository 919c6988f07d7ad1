"""Reading the parts of a schema from JSON that may be damaged, foreign or hostile."""

import math
from collections.abc import Mapping
from typing import Any

from deltarule.data.cells import shown
from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.pixels import Pixels
from deltarule.errors import DataError


def entry(description: Mapping[str, Any], key: str, kind: type) -> Any:
    """Take one entry of the type `kind` from a JSON object; a bool is no number here.

    Raises:
        DataError: the entry is missing or of another type, or a number is not finite.
    """
    if key not in description:
        raise DataError(
            f"the schema lacks the entry {key!r}: the model file is damaged or was not written by deltarule"
        )
    value = description[key]
    kinds = (int, float) if kind is float else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
        raise DataError(f"the schema's entry {key!r} holds {shown(value)}, but must be of the type {kind.__name__}")
    if kind is not float:
        return value
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DataError(f"the schema's entry {key!r} holds {shown(value)}, but must be finite")
    return number


def list_of(description: Mapping[str, Any], key: str, kinds: Any) -> list[Any]:
    """Take one entry that is a list of items of the given type or types.

    Raises:
        DataError: the entry is missing or no list, or an item is of another type or not finite.
    """
    items = entry(description, key, list)
    for item in items:
        if not isinstance(item, kinds) or (isinstance(item, float) and not math.isfinite(item)):
            raise DataError(f"the schema's entry {key!r} holds {shown(item)}, which cannot stand there")
    return items


def column_from_json(item: Mapping[str, Any]) -> NumericColumn | CategoricalColumn | Pixels:
    """Read what a column's or the pixels' `to_json` wrote.

    Raises:
        DataError: the kind is unknown, or an entry is missing, of a wrong type or outside its domain.
    """
    kind = entry(item, "kind", str)
    imputed = "imputed" in item and entry(item, "imputed", bool)
    if kind == "numeric":
        low, high = (entry(item, end, float) if end in item else None for end in ("low", "high"))
        mean, std = entry(item, "mean", float), entry(item, "std", float)
        return NumericColumn(entry(item, "name", str), mean, std, low, high, imputed)
    if kind == "categorical":
        return CategoricalColumn(entry(item, "name", str), tuple(list_of(item, "categories", str)), imputed)
    if kind == "pixels":
        shape = list_of(item, "shape", int)
        return Pixels(entry(item, "count", int), entry(item, "scale", float), tuple(shape), entry(item, "dtype", str))
    raise DataError(f"the schema has a column of the kind {shown(kind)}: it must be numeric, categorical or pixels")
