"""Rows that a program gives a trained model, a DataFrame or an array, as inputs of its network."""

from typing import Any

import numpy as np

from deltarule.data.cells import listed
from deltarule.data.optional import require
from deltarule.data.schema import Schema
from deltarule.data.table import named_as
from deltarule.data.table_file import as_read, is_frame
from deltarule.data.table_options import AS_FOUND, TableOptions
from deltarule.errors import DataError


def encode_rows(schema: Schema, rows: Any, options: TableOptions = AS_FOUND) -> np.ndarray:
    """The rows as the network reads them, (N, n_1).

    Args:
        schema: of the model.
        rows: of a table a DataFrame with the model's columns by name, in any order and among others; or an array (N,
            columns) in the model's order. Of images (N, count) or (N, *shape) raw pixels. In raw units.
        options: what stands for a missing value.

    """
    if schema.image_shape is not None:
        return schema.encode_inputs(rows, "rows")
    columns: Any = schema.inputs
    if not is_frame(rows):
        values = np.asarray(rows)
        if values.ndim != 2 or values.shape[1] != len(columns):
            found = f"rows have the shape {values.shape}, and the model has {len(columns)} columns"
            names = listed([column.name for column in columns])
            cure = f"give an array (N, {len(columns)}) in the order of {names}, or a DataFrame with these columns"
            raise DataError(f"{found}: {cure}")
        plain = all(column.is_number and not column.imputed for column in columns)
        if plain and values.dtype.kind in "buif" and np.isfinite(values).all():
            mean, std = (np.array([getattr(column, name) for column in columns]) for name in ("mean", "std"))
            return (values - mean) / std
        frame = require("pandas", "a row that is not all numbers").DataFrame(values, columns=[c.name for c in columns])
        rows = frame.infer_objects()
    texts = [column.name for column in columns if not column.is_number]
    return schema.encode_inputs(named_as(schema, as_read(rows, texts, options)), "rows")
