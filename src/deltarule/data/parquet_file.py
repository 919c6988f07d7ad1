"""Reading a Parquet file into a DataFrame."""

from pathlib import Path
from typing import cast

from deltarule.data.cells import kind_of
from deltarule.data.optional import require
from deltarule.data.raw_table import RawTable, refuse_duplicates
from deltarule.data.table_options import TableOptions
from deltarule.data.written_numbers import Decimal, decimal_sign
from deltarule.errors import DataError, DeltaruleError
from deltarule.machine import require_room


def read_parquet(path: Path, options: TableOptions) -> RawTable:
    """Read a Parquet file.

    Raises:
        DataError: the file is not Parquet, or has a column name twice.
    """
    require("pandas", "a table")
    arrow = require("pyarrow", "a .parquet file")
    parquet = require("pyarrow.parquet", "a .parquet file")
    try:
        with parquet.ParquetFile(path) as file:
            names = [str(name) for name in file.schema_arrow.names]
            refuse_duplicates(path, names)
            # A kilobyte of Parquet can claim billions of equal rows.
            size = 16.0 * file.metadata.num_rows * max(file.metadata.num_columns, 1)
            require_room(f"the columns of {path}", size, "give a smaller file")
            # Without pandas' metadata every reader sees the same plain columns, whoever wrote the file.
            frame = file.read().to_pandas(ignore_metadata=True)
    except DeltaruleError:
        raise
    except (arrow.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{path} cannot be read as Parquet ({reason}): write it with DataFrame.to_parquet") from None
    frame = frame.drop(columns=[name for name in frame.columns if str(name).startswith("__index_level_")])
    texts = [frame[name] for name in frame if kind_of(frame[name]) == "text"]
    decimal = cast(Decimal | None, options.decimal) or decimal_sign(texts)
    return RawTable(frame, decimal, ["decimal commas"] if decimal == "," else [], typed=True)
