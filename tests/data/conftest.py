"""Small tables and IDX files, written to a temporary folder."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deltarule.data.images import idx_header


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str], Path]:
    """Write text, its lines dedented, as a .csv file."""

    def write(text: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def tiny_mnist() -> dict[str, bytes]:
    """The four IDX files of a set of twelve training and four test images of 2x3 pixels, uncompressed."""
    generator = np.random.default_rng(0)
    files = {}
    for part, count in (("train", 12), ("t10k", 4)):
        images = generator.integers(0, 256, (count, 2, 3), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        files[f"{part}-images-idx3-ubyte"] = idx_header(images.shape) + images.tobytes()
        files[f"{part}-labels-idx1-ubyte"] = idx_header(labels.shape) + labels.tobytes()
    return files


@pytest.fixture
def tiny_mnist_folder(tmp_path: Path, tiny_mnist: dict[str, bytes]) -> Path:
    """A folder with the tiny set, compressed with gzip."""
    folder = tmp_path / "given"
    folder.mkdir()
    for name, content in tiny_mnist.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return folder
