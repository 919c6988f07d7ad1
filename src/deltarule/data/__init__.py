"""Digits, MNIST, tables and folders as examples for a network: `load` returns a `DataSet`, `load_raw` new rows.

A table goes through these modules, in this order: `source` takes its name, `table_options` what the user says about it;
`table_file` opens the file (`text_file` finds a text file's encoding, separator and header) and `cells` parses numbers
and units; `table_columns` decides which columns are targets and inputs, and whether the task is a classification;
`columns` and `labels` encode each column, and `schema` holds them all for the model file; `table` splits the rows
(`splitting`), measures the training rows (`moments`) and builds the `DataSet` of `dataset`; `table_checks` looks for
duplicates, leakage and codes of missing values. Beside them: `images` reads digits and MNIST, `expansion` adds copies
of images; `folder` reads a folder as a `stream`; `series`, `dates` and `lagged` make time series; `optional` imports
pandas.
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
    from deltarule.data.images import mnist_directories as mnist_directories
    from deltarule.data.schema import Schema as Schema
    from deltarule.data.source import load as load
    from deltarule.data.source import load_raw as load_raw
    from deltarule.data.splitting import split as split
    from deltarule.data.stream import ArrayStream as ArrayStream
    from deltarule.data.stream import ParquetStream as ParquetStream
    from deltarule.data.stream import Stream as Stream
    from deltarule.data.table_options import TableOptions as TableOptions

__all__, __getattr__, __dir__ = lazy_names(__name__)
