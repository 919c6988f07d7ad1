"""`from_matlab`: a network that MATLAB trained, with its scaling, as a model of deltarule."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deltarule.errors import ConfigurationError
from deltarule.imports.matlab_file import read_mat
from deltarule.imports.matlab_function import read_function
from deltarule.models.model import Model

READERS = {".m": read_function, ".mat": read_mat}


def from_matlab(
    path: str | os.PathLike,
    *,
    inputs: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
) -> Model:
    """The network in a file of MATLAB, which gives the same numbers here.

    Args:
        path: a function file (.m) that genFunction wrote, or a .mat file with IW, LW, b and the settings of mapminmax
            or mapstd; docs/tutorials/leaving-matlab.md says how to save one. The .m file is read as text, never run.
        inputs: the names of the columns, in MATLAB's order of rows; x1, x2, ... if None.
        targets: the names of the outputs; y, or y1, y2, ... if None.
        classes: the labels of softmax outputs; 1, 2, ... if None.

    Raises:
        ModelFileError: the file cannot be read, or holds what has no counterpart here, by name: delays, a cascade,
            another transfer function or processing step.
        ConfigurationError: the path ends in neither .m nor .mat, or names are not as many as columns.
    """
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise ConfigurationError(
            f"{path} is no network of MATLAB: give a file that genFunction wrote, which ends in .m, or a .mat file "
            "with net.IW, net.LW and net.b."
        )
    record = {"imported_from": "MATLAB", "file": path.name}
    return READERS[path.suffix.lower()](path).model(record, inputs, targets, classes)
