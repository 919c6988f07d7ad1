"""Data: handwritten digits, MNIST and tables, as examples that a network can read.

`load` gives a `DataSet` for training; its `Schema` goes into the model file; `load_raw` encodes new rows with
it.
"""

from typing import TYPE_CHECKING

from deltarule.lazy import lazy_names

if TYPE_CHECKING:
    from deltarule.data.columns import CategoricalColumn as CategoricalColumn
    from deltarule.data.columns import NumericColumn as NumericColumn
    from deltarule.data.columns import Pixels as Pixels
    from deltarule.data.dataset import DataSet as DataSet
    from deltarule.data.dataset import Examples as Examples
    from deltarule.data.dataset import LoadedData as LoadedData
    from deltarule.data.dataset import RawRows as RawRows
    from deltarule.data.dataset import StreamedData as StreamedData
    from deltarule.data.expansion import expand as expand
    from deltarule.data.folder import load_folder as load_folder
    from deltarule.data.mnist import mnist_directories as mnist_directories
    from deltarule.data.schema import Schema as Schema
    from deltarule.data.source import load as load
    from deltarule.data.source import load_raw as load_raw
    from deltarule.data.splitting import split as split
    from deltarule.data.stream import ArrayStream as ArrayStream
    from deltarule.data.stream import ParquetStream as ParquetStream
    from deltarule.data.stream import Stream as Stream
    from deltarule.data.table_options import TableOptions as TableOptions

__all__, __getattr__, __dir__ = lazy_names(__name__)
