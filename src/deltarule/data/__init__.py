"""Data: handwritten digits, MNIST and tables, as examples that a network can read.

`load` gives a `DataSet` for training; its `Schema` goes into the model file; `load_raw` encodes new rows with
it.
"""

from typing import TYPE_CHECKING

from deltarule.lazy import names

if TYPE_CHECKING:
    from deltarule.data.columns import CategoricalColumn, NumericColumn
    from deltarule.data.dataset import DataSet, Examples, LoadedData, RawRows, StreamedData
    from deltarule.data.expansion import expand
    from deltarule.data.folder import load_folder
    from deltarule.data.mnist import mnist_directories
    from deltarule.data.pixels import Pixels
    from deltarule.data.schema import Schema
    from deltarule.data.source import load, load_raw
    from deltarule.data.splitting import split
    from deltarule.data.stream import ArrayStream, ParquetStream, Stream
    from deltarule.data.table_options import TableOptions

# Where each name lives; imported when first used, so that an estimator need not wait for the readers of files.
_HOMES = {
    "ArrayStream": "stream",
    "CategoricalColumn": "columns",
    "DataSet": "dataset",
    "Examples": "dataset",
    "LoadedData": "dataset",
    "NumericColumn": "columns",
    "ParquetStream": "stream",
    "Pixels": "pixels",
    "RawRows": "dataset",
    "Schema": "schema",
    "Stream": "stream",
    "StreamedData": "dataset",
    "TableOptions": "table_options",
    "expand": "expansion",
    "load": "source",
    "load_folder": "folder",
    "load_raw": "source",
    "mnist_directories": "mnist",
    "split": "splitting",
}
__all__ = [
    "ArrayStream",
    "CategoricalColumn",
    "DataSet",
    "Examples",
    "LoadedData",
    "NumericColumn",
    "ParquetStream",
    "Pixels",
    "RawRows",
    "Schema",
    "Stream",
    "StreamedData",
    "TableOptions",
    "expand",
    "load",
    "load_folder",
    "load_raw",
    "mnist_directories",
    "split",
]
__getattr__, __dir__ = names(__name__, _HOMES)
