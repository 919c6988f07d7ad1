"""Reading the parts of a schema from JSON that may be damaged, foreign or hostile."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, get_args

from deltarule.data.cells import shown
from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.pixels import Pixels
from deltarule.errors import DataError

KINDS: dict[str, Any] = {kind.kind: kind for kind in (NumericColumn, CategoricalColumn, Pixels)}


def column_from_json(item: Mapping[str, Any]) -> Any:
    """Read what a column's `to_json` wrote; whatever is not that is a DataError."""
    kind = KINDS.get(entry(item, "kind", str))
    if kind is None:
        raise DataError(f"the schema has a column of the kind {shown(item['kind'])}: it must be {', '.join(KINDS)}")
    given: dict[str, Any] = {}
    for field in fields(kind):
        first, *others = get_args(field.type) or (field.type,)  # tuple[int, ...] is a list; float | None may be absent
        if field.name in item or field.default is MISSING:
            many = Ellipsis in others
            given[field.name] = tuple(list_of(item, field.name, first)) if many else entry(item, field.name, first)
    return kind(**given)


def entry(description: Mapping[str, Any], key: str, kind: Any) -> Any:
    """Take one entry of the type `kind` from a JSON object, else a DataError; a number is finite, and no bool."""
    if key not in description:
        raise DataError(f"the schema lacks the entry {key!r}: the model file is damaged or not deltarule's")
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
    """Take one entry that is a list of items of the given type or types, numbers finite."""
    items = entry(description, key, list)
    for item in items:
        if not isinstance(item, kinds) or (isinstance(item, float) and not math.isfinite(item)):
            raise DataError(f"the schema's entry {key!r} holds {shown(item)}, which cannot stand there")
    return items
