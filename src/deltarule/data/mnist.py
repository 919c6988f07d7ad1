"""MNIST: 70,000 handwritten digits of 28x28 pixels, from a folder, the user's cache, or a mirror.

Rows 0..59,999 are the training files' images, 60,000..69,999 those of the t10k files. Nielsen's split: the
first 50,000 train, the last 10,000 of the training files validate, the t10k images test. Source: LeCun,
Cortes and Burges, "The MNIST database of handwritten digits"; M. Nielsen, "Neural Networks and Deep
Learning", chapter 1.
"""

import hashlib
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.dataset import DataSet, Examples, RawRows
from deltarule.data.download import download
from deltarule.data.idx import idx_header, read_idx
from deltarule.data.optional import require
from deltarule.data.pixels import Pixels
from deltarule.data.schema import Schema
from deltarule.errors import DataError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MD5_SUMS = {  # of the uncompressed bytes, since mirrors compress differently
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
Folders = str | Path | Sequence[str | Path] | None


def mnist_directories(data_dir: str | Path | None, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Name the folders to read MNIST from: the argument, else $DELTARULE_DATA, else none.

    Where this names a folder, MNIST must lie there; where it names none, the user's cache and the mirrors
    serve.

    Args:
        data_dir: the folder the user asked for, or None.
        environment: `os.environ`, handed in by the command line; the library itself does not read it.
    """
    named = data_dir or environment.get("DELTARULE_DATA")
    return (Path(named).expanduser(),) if named else ()


def load_mnist(
    *,
    data_dir: Folders = None,
    cache_dir: str | Path | None = None,
    base_urls: Sequence[str] = MIRRORS,
    progress: Any = None,
) -> DataSet:
    """Load MNIST with Nielsen's split, pixels scaled to 0..1 in float32.

    Training files of another length than 60,000 give their last sixth to validation.

    Args:
        data_dir: a folder, or several tried in order, that must hold the four IDX files, plain or .gz,
            directly or in a subfolder mnist; None for the cache and the mirrors.
        cache_dir: where downloads are kept, by default platformdirs' cache folder for deltarule.
        base_urls: the mirrors, tried in order.
        progress: a bar handed to pooch, see `download`.

    Raises:
        DataError: a file is missing, damaged, of the wrong MD5 sum (a download is then deleted), or could not
            be downloaded; or images and labels do not fit each other.
    """
    images, labels, first_test, notes = read_mnist(
        data_dir=data_dir, cache_dir=cache_dir, base_urls=base_urls, progress=progress
    )
    schema = Schema(
        source="mnist",
        task="classification",
        inputs=(Pixels(images[0].size, 255.0, images.shape[1:], "float32"),),
        targets=(),
        classes=tuple(range(10)),
        target_names=("digit",),
    )
    first_validation = first_test - first_test // 6
    bounds = (0, first_validation, first_test, len(images))
    parts = []
    for start, stop in itertools.pairwise(bounds):
        X = schema.encode_inputs(images[start:stop], "mnist")
        Y = schema.encode_targets(labels[start:stop], "mnist")
        parts.append(Examples(X, Y, np.arange(start, stop)))
    return DataSet("mnist", schema, *parts, notes=notes)


def mnist_rows(
    schema: Schema,
    *,
    data_dir: Folders = None,
    cache_dir: str | Path | None = None,
    base_urls: Sequence[str] = MIRRORS,
    progress: Any = None,
) -> RawRows:
    """Encode all of MNIST by a model's schema; the t10k images are the rows held out for the test.

    Arguments and errors are those of `load_mnist`; a schema for images of another size is a DataError too.
    """
    images, labels, first_test, notes = read_mnist(
        data_dir=data_dir, cache_dir=cache_dir, base_urls=base_urls, progress=progress
    )
    return RawRows(
        name="mnist",
        X=schema.encode_inputs(images, "mnist"),
        Y=schema.encode_targets(labels, "mnist"),
        targets=labels,
        rows=np.arange(len(images)),
        test_rows=np.arange(first_test, len(images)),
        notes=notes,
    )


def read_mnist(
    *, data_dir: Folders, cache_dir: str | Path | None, base_urls: Sequence[str], progress: Any
) -> tuple[np.ndarray, np.ndarray, int, tuple[str, ...]]:
    """Find and read the four files; arguments and errors are those of `load_mnist`.

    Returns:
        Images, (N, h, w) uint8; labels, (N,) int64 in 0..9; the row of the first test image; notes.
    """
    folders = (data_dir,) if isinstance(data_dir, (str, Path)) else tuple(data_dir or ())
    notes = []
    if folders:
        paths = _find(tuple(Path(folder) for folder in folders))
        arrays = {name: read_idx(path) for name, path in paths.items()}
        for name, array in arrays.items():
            if (found := _md5(array)) != MD5_SUMS[name]:
                notes.append(f"{paths[name]} is not the original MNIST file: its content has the MD5 sum {found}")
    else:
        cache = Path(cache_dir or require("platformdirs", "the cache").user_cache_dir("deltarule")) / "mnist"
        paths = {name: cache / f"{name}.gz" for name in MD5_SUMS}
        arrays = {name: _cached(name, cache, base_urls, progress) for name in MD5_SUMS}
    parts = []
    for part in ("train", "t10k"):
        image_name, label_name = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        _check_pair(arrays[image_name], arrays[label_name], paths[image_name], paths[label_name])
        parts.append((arrays[image_name], arrays[label_name].astype(np.int64)))
    (images, labels), (test_images, test_labels) = parts
    if images.shape[1:] != test_images.shape[1:] or len(images) < 6:
        raise DataError(
            f"{paths['train-images-idx3-ubyte']} holds images of the shape {images.shape}, the test file of "
            f"the shape {test_images.shape}: they must agree, with 6 training images or more"
        )
    images, labels = np.concatenate([images, test_images]), np.concatenate([labels, test_labels])
    return images, labels, len(parts[0][0]), tuple(notes)


def _find(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Find the four files in the first folder that holds them all, or say which are missing."""
    missing: list[str] = []
    for folder in folders:
        for place in (folder, folder / "mnist"):
            found = {}
            for name in MD5_SUMS:
                spellings = (
                    name,
                    f"{name}.gz",
                    name.replace("-idx", ".idx"),
                    f"{name.replace('-idx', '.idx')}.gz",
                )
                paths = [place / spelling for spelling in spellings if (place / spelling).is_file()]
                if paths:
                    found[name] = paths[0]
            if len(found) == len(MD5_SUMS):
                return found
            missing = missing or [name for name in MD5_SUMS if name not in found]
    raise DataError(
        f"MNIST is not in {', '.join(map(str, folders))}: {', '.join(missing)} (plain or .gz) missing "
        "there; name the folder that holds the four files with --data-dir or $DELTARULE_DATA, or name none "
        "to download them"
    )


def _cached(name: str, cache: Path, base_urls: Sequence[str], progress: Any) -> np.ndarray:
    """Read a file from the cache, downloaded first if need be; delete it if it is not MNIST's."""
    path = cache / f"{name}.gz"
    if not path.is_file():
        download(path.name, cache, base_urls, progress)
    try:
        array = read_idx(path)
        found = _md5(array)
        if found != MD5_SUMS[name]:
            raise DataError(
                f"{path}: the uncompressed bytes should have the MD5 sum {MD5_SUMS[name]}, but have {found}"
            )
    except DataError as error:
        path.unlink(missing_ok=True)
        raise DataError(
            f"{error}; the file has been deleted: run again to download it anew, or use --data-dir"
        ) from None
    return array


def _md5(array: np.ndarray) -> str:
    """Compute the MD5 sum of the IDX file that holds `array`, uncompressed."""
    digest = hashlib.md5(idx_header(array.shape), usedforsecurity=False)
    digest.update(array.data)
    return digest.hexdigest()


def _check_pair(images: np.ndarray, labels: np.ndarray, image_path: Path, label_path: Path) -> None:
    """Check that images are (N, h, w) and labels (N,) in 0..9."""
    if images.ndim != 3:
        raise DataError(f"{image_path} holds an array of the shape {images.shape}, but images are (N, h, w)")
    if labels.shape != images.shape[:1]:
        raise DataError(
            f"{label_path} holds labels of the shape {labels.shape} for the {len(images)} images in "
            f"{os.fspath(image_path)}: there must be one label per image"
        )
    if labels.max() > 9:
        row = int(np.argmax(labels > 9))
        raise DataError(f"{label_path}: label {row} is {labels[row]}, but MNIST's digits are 0..9: give MNIST's files")
