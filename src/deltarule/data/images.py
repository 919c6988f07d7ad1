"""MNIST: 70,000 handwritten digits of 28x28 pixels, from a folder, the user's cache, or a mirror.

Rows 0..59,999 are the training files' images, 60,000..69,999 those of the t10k files. Nielsen's split: the
first 50,000 train, the last 10,000 of the training files validate, the t10k images test. Source: LeCun,
Cortes and Burges, "The MNIST database of handwritten digits"; M. Nielsen, "Neural Networks and Deep
Learning", chapter 1.
"""

import gzip
import hashlib
import importlib.util
import math
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.columns import Pixels
from deltarule.data.dataset import DataSet, Examples, RawRows
from deltarule.data.optional import require
from deltarule.data.schema import Schema
from deltarule.data.splitting import split
from deltarule.errors import DataError


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Images of digits, their labels, and the rows of the three parts."""

    name: str
    images: np.ndarray  # raw pixels, (N, count) or (N, *shape)
    labels: np.ndarray  # the digit on each image, (N,) int64
    pixels: Pixels
    parts: tuple[np.ndarray, ...]  # the training, validation and test rows
    notes: tuple[str, ...] = ()

    def data_set(self) -> DataSet:
        """The three parts, encoded, as a data set."""
        schema = Schema(self.name, "classification", (self.pixels,), (), tuple(range(10)), ("digit",))
        parts = []
        for rows in self.parts:
            X = schema.encode_inputs(self.images[rows], self.name)
            parts.append(Examples(X, schema.encode_targets(self.labels[rows], self.name), rows))
        return DataSet(self.name, schema, *parts, notes=self.notes)

    def raw_rows(self, schema: Schema) -> RawRows:
        """All images, encoded by a model's schema; a DataError if the model reads images of another size."""
        return RawRows(
            name=self.name,
            X=schema.encode_inputs(self.images, self.name),
            Y=schema.encode_targets(self.labels, self.name),
            targets=self.labels,
            rows=np.arange(len(self.images)),
            test_rows=np.sort(self.parts[2]),
            notes=self.notes,
        )


ROWS, COLUMNS = 1797, 65  # 64 pixels and the label


def read_digits(seed: int = 0) -> ImageSource:
    """The 1797 handwritten digits of 8x8 pixels that come with scikit-learn, in 0..16, in a stratified 70/15/15 split.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998, test part.
    """
    table = _read_digits_file()
    if table is None:  # scikit-learn keeps the file elsewhere, or is missing, which `require` reports
        bunch = require("sklearn.datasets", "the source digits").load_digits()
        table = np.column_stack([bunch.data, bunch.target])
    images, labels = table[:, :-1], table[:, -1].astype(np.int64)
    return ImageSource("digits", images, labels, Pixels(64, 16.0, (8, 8)), split(len(images), seed, labels))


def _read_digits_file() -> np.ndarray | None:
    """Pixels and labels, (1797, 65) or None, from scikit-learn's file in 10 ms; importing it takes a second."""
    spec = importlib.util.find_spec("sklearn")
    for folder in [] if spec is None else spec.submodule_search_locations or []:
        try:
            with gzip.open(Path(folder) / "datasets" / "data" / "digits.csv.gz", "rt") as file:
                table = np.array(file.read().replace("\n", ",").rstrip(",").split(","), dtype=np.float64)
        except (OSError, ValueError):
            continue
        if table.size == ROWS * COLUMNS:
            return table.reshape(ROWS, COLUMNS)
    return None


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
    """The folder to read MNIST from, `data_dir` or else $DELTARULE_DATA; () reads the user's cache, or downloads it."""
    folder = data_dir or environment.get("DELTARULE_DATA")
    return (Path(folder).expanduser(),) if folder else ()


def read_mnist(
    data_dir: Folders = None,
    cache_dir: str | Path | None = None,
    base_urls: Sequence[str] = MIRRORS,
    progress: Callable[[str], Any] = lambda address: None,
) -> ImageSource:
    """Read MNIST with Nielsen's split; pixels become float32 in 0..1.

    The last sixth of the training files is the validation part. `data_dir` is a folder, or several to look in, with the
    four IDX files, plain or .gz, in the folder or its subfolder mnist. Without one they are read from the cache (by
    default platformdirs' folder for deltarule), into which they are downloaded from the first mirror that answers. A
    download that is damaged or has another MD5 sum is deleted.
    """
    folders = (data_dir,) if isinstance(data_dir, (str, Path)) else tuple(data_dir or ())
    notes = []
    if folders:
        paths = _find_files(tuple(Path(folder) for folder in folders))
        arrays = {name: read_idx(path) for name, path in paths.items()}
        for name, array in arrays.items():
            if (md5 := _md5(array)) != MD5_SUMS[name]:
                notes.append(f"{paths[name]} is not the original MNIST file: its content has the MD5 sum {md5}")
    else:
        cache = Path(cache_dir or require("platformdirs", "the cache").user_cache_dir("deltarule")) / "mnist"
        paths = {name: cache / f"{name}.gz" for name in MD5_SUMS}
        arrays = {name: _read_cached(path, MD5_SUMS[name], base_urls, progress) for name, path in paths.items()}
    train_images, train_labels, test_images, test_labels = (arrays[name] for name in MD5_SUMS)
    for part, images, labels in (("train", train_images, train_labels), ("t10k", test_images, test_labels)):
        is_sound = images.ndim == 3 and images.shape[1:] == train_images.shape[1:] and labels.shape == images.shape[:1]
        if not is_sound or labels.max() > 9:
            found = f"images {images.shape}, {paths[f'{part}-labels-idx1-ubyte']} labels {labels.shape}"
            rule = "they must be (N, h, w), of one size in both parts, and (N,) in 0..9"
            raise DataError(f"{paths[f'{part}-images-idx3-ubyte']} holds {found} up to {labels.max()}: {rule}")
    images, labels = np.concatenate([train_images, test_images]), np.concatenate([train_labels, test_labels])
    test = len(train_images)
    parts = tuple(np.split(np.arange(len(images)), [test - test // 6, test]))
    pixels = Pixels(images[0].size, 255.0, images.shape[1:], "float32")
    return ImageSource("mnist", images, labels.astype(np.int64), pixels, parts, tuple(notes))


def download(path: Path, base_urls: Sequence[str], progress: Callable[[str], Any]) -> None:
    """Download the file `path` from the first mirror that answers, completely or not at all."""
    pooch = require("pooch", "a download")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"the cache folder {path.parent} cannot be made ({error.strerror}): use --data-dir") from None
    pooch.get_logger().setLevel("ERROR")  # pooch would write to standard error
    failures = []
    for address in (base_url + path.name for base_url in base_urls):
        bar = progress(address)  # None, or a progress bar with tqdm's four methods
        try:
            pooch.retrieve(address, None, path.name, path.parent, progressbar=bar or False)
            return
        except (OSError, ValueError) as error:  # every error of requests is an OSError
            if bar is not None:
                bar.close()
            status = getattr(getattr(error, "response", None), "status_code", None)
            failures.append(f"{address} ({type(error).__name__ if status is None else f'HTTP status {status}'})")
    fault = f"{path.name} could not be downloaded from {', '.join(failures) or 'any address'}"
    raise DataError(f"{fault}: put MNIST's four files in a folder yourself and name it with --data-dir")


def _find_files(folders: tuple[Path, ...]) -> dict[str, Path]:
    """The four files in the first folder that has all of them; a DataError names those that are missing."""
    missing: list[str] = []
    for place in (place for folder in folders for place in (folder, folder / "mnist")):
        paths = {}
        for name in MD5_SUMS:
            stems = (name, name.replace("-idx", ".idx"))
            spellings = (place / f"{stem}{end}" for stem in stems for end in ("", ".gz"))
            if path := next(filter(Path.is_file, spellings), None):
                paths[name] = path
        if len(paths) == len(MD5_SUMS):
            return paths
        missing = missing or [name for name in MD5_SUMS if name not in paths]
    fault = f"MNIST is not in {', '.join(map(str, folders))}: {', '.join(missing)} (plain or .gz) missing there"
    advice = "name the folder with the four files by --data-dir or $DELTARULE_DATA, or name none to download them"
    raise DataError(f"{fault}; {advice}")


def _read_cached(path: Path, md5: str, base_urls: Sequence[str], progress: Callable[[str], Any]) -> np.ndarray:
    """Read a file from the cache, after a download if it is not there; delete it if it is not MNIST's."""
    if not path.is_file():
        download(path, base_urls, progress)
    try:
        array = read_idx(path)
        if (found := _md5(array)) != md5:
            raise DataError(f"{path}: the uncompressed bytes should have the MD5 sum {md5}, but have {found}")
    except DataError as error:
        path.unlink(missing_ok=True)
        advice = "the file has been deleted: run again to download it anew, or use --data-dir"
        raise DataError(f"{error}; {advice}") from None
    return array


def _md5(array: np.ndarray) -> str:
    """The MD5 sum of the uncompressed IDX file of `array`."""
    digest = hashlib.md5(idx_header(array.shape), usedforsecurity=False)
    digest.update(array.data)
    return digest.hexdigest()


LARGEST_ARRAY = 2**30  # bytes; MNIST's largest file holds 47 MB
LARGEST_RATIO = 1032  # deflate writes at least one byte for 1032 of its input


def idx_header(shape: tuple[int, ...]) -> bytes:
    """The header of an IDX file: 0 0 8 d, with 8 for unsigned bytes and d dimensions, then d sizes of 32 bits.

    >>> idx_header((2, 3)).hex(" ")
    '00 00 08 02 00 00 00 02 00 00 00 03'
    """
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of unsigned bytes, plain or compressed with gzip, which the content tells and not the name.

    The header is not trusted: no more is allocated than the file can hold, and a compressed file is read no further
    than its header claims.
    """
    try:
        with path.open("rb") as plain:
            compressed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            stream: Any = gzip.GzipFile(fileobj=plain) if compressed else plain
            magic = stream.read(4)
            d = magic[-1] if magic[:3] == b"\0\0\x08" and len(magic) == 4 else 0
            sizes = stream.read(4 * d)
            if not d or len(sizes) < 4 * d:
                beginning = (magic + sizes).hex(" ") or "nothing"
                rule = "an IDX file of unsigned bytes with 00 00 08, its number of dimensions and their sizes"
                raise DataError(f"{path} begins with {beginning}, and {rule}: give MNIST's own files")
            shape = struct.unpack(f">{d}I", sizes)
            count, room = math.prod(shape), path.stat().st_size * (LARGEST_RATIO if compressed else 1)
            if not 0 < count <= min(room, LARGEST_ARRAY):
                raise DataError(f"{path} claims {count} bytes, an array of {shape}, and cannot hold it: check the file")
            content = stream.read(count + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): check the file, or download it again") from None
    if len(content) != count:
        fault = f"holds {'more' if len(content) > count else 'fewer'} than the {count} bytes that its header claims"
        raise DataError(f"{path} {fault}: copy or download the file again")
    return np.frombuffer(content, np.uint8).reshape(shape)
