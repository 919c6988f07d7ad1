"""The readers of files from strangers, true files to begin from, and edits that make them false.

`python -m tests.fuzz.run` edits at random for as long as asked; `test_readers` has hypothesis choose the edits.
"""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from safetensors.numpy import save as to_safetensors

import deltarule as dr
from deltarule.data import Schema, load
from deltarule.data.images import idx_header, read_idx
from deltarule.data.table_file import read_table
from deltarule.errors import DeltaruleError
from deltarule.files.model_file import load_model
from deltarule.network.stacks import read_stack
from deltarule.training.checkpoints import storage

Edit = tuple[int, float, bytes]  # which edit, where (a share of the length), and with what
KINDS = 8
TOKENS = (
    *(b"\0", b"\xff" * 8, b"-1", b"1e999", b"NaN", b"1152921504606846976", b"[" * 500, b"{" * 500, b'"', b"\\u0000"),
    *(b"null", b"true", b"[]", b"{}", b",", b"\n", b"\r", b'"n": 0', b"=", b"[[layers]]", b"kind", b"\xc3\x28"),
    *(b"\xef\xbb\xbf", b"F64", b"\x1f\x8b", b"PAR1", b"9" * 400, b"__metadata__", b"data_offsets", b"0x", b"1_0"),
    *(b"inf", b"''", b"Dropout", b"softmax"),
)


class Reader(NamedTuple):
    """A reader, files that it reads, and how a changed file is made consistent again, so that the edits go deep."""

    suffix: str
    read: Callable[[Path], Any]
    seeds: Sequence[bytes]
    mend: Callable[[bytes], bytes] = bytes


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The data after the edits, one after another."""
    for kind, share, extra in edits:
        place = int(share * (len(data) + 1))
        data = _edited_once(kind % KINDS, data[:place], data[place:], extra or b"\0")
    return data


def _edited_once(kind: int, before: bytes, after: bytes, extra: bytes) -> bytes:
    """A bit flipped, bytes set, put in, taken out, doubled or cut off, a token put in or set."""
    size, token = extra[0], TOKENS[extra[0] % len(TOKENS)]
    match kind:
        case 0:
            return before + (bytes([after[0] ^ (1 << size % 8)]) + after[1:] if after else b"")
        case 1:
            return before + extra + after[len(extra) :]
        case 2:
            return before + extra + after
        case 3:
            return before + after[1 + size :]
        case 4:
            return before + after[: 1 + size] + after
        case 5:
            return before
        case 6:
            return before + token + after
        case _:
            return before + token + after[len(token) :]


def _models(folder: Path) -> list[bytes]:
    """A model file without a schema, one with, and one with error bars' names."""
    net = dr.Network([dr.Dense(3, "tanh"), dr.Dropout(0.1), dr.Dense(2, "softmax")], cost="log-likelihood")
    params: Any = [{name: np.asarray(array) for name, array in layer.items()} for layer in net.init(0, (4,))]
    rows = [f"{i},{i % 7},{'ab'[i % 2]},{'no' if i % 3 else 'yes'}" for i in range(40)]
    (folder / "table.csv").write_text("x,y,kind,answer\n" + "\n".join(rows) + "\n")
    schema = load(str(folder / "table.csv"), target="answer").schema.to_json()
    path, seeds = folder / "model.safetensors", []
    for given, bars in ((None, None), (schema, None), (schema, {"weights": np.ones(1)})):
        dr.save(path, net, params, schema=given, training={"epochs": 3, "history": {"cost": [1.0]}}, error_bars=bars)
        seeds.append(path.read_bytes())
    return seeds


def _read_model(path: Path) -> None:
    model = load_model(path)
    if model.schema is not None:
        Schema.from_json(model.schema)


def _mend_length(data: bytes) -> bytes:
    """The length in front of a safetensors header that was edited."""
    end = data.rfind(b"}", 8, len(data))
    return data if end < 0 else struct.pack("<Q", end + 1 - 8) + data[8:]


def _mend_checksum(data: bytes) -> bytes:
    """The checksum of a checkpoint that was edited."""
    data = _mend_length(data)
    found = storage.CHECKSUM.search(data)
    if found is None:
        return data
    blank = data[: found.start(1)] + storage.BLANK + data[found.end(1) :]
    return data[: found.start(1)] + storage._checksum(blank) + data[found.end(1) :]


def _read_checkpoint(path: Path) -> None:
    try:
        storage.from_bytes(path.read_bytes())
    except storage.DamagedCheckpoint as error:
        raise DeltaruleError(str(error)) from None


def _checkpoint() -> bytes:
    tensors = {"0.carry.epoch": np.array(3), "0.history.0.cost": np.zeros(3)}
    return storage.to_bytes(storage.Checkpoint(tensors, {"settings": {"trainer": "gd"}, "groups": 1}))


def _parquet() -> list[bytes]:
    seeds = []
    frame = pd.DataFrame({"a": [1.5, None, 3.0], "b": ["x", "y", None], "c": [1, 2, 3]})
    for compression in ("snappy", None):
        stream = io.BytesIO()
        frame.to_parquet(stream, compression=compression)
        seeds.append(stream.getvalue())
    return seeds


def _workbooks() -> list[bytes]:
    """A sheet with a title, units and gaps, and its content without compression, so that the edits go deep."""
    stream = io.BytesIO()
    rows = [
        ["title", None, None],
        ["a", "b", "c"],
        ["s", "bar", None],
        [1.5, "2,5", "x"],
        [None, None, None],
        [2, "?", True],
    ]
    pd.DataFrame(rows).to_excel(stream, index=False, header=False)
    plain = io.BytesIO()
    with zipfile.ZipFile(stream) as packed, zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as unpacked:
        for entry in packed.infolist():
            unpacked.writestr(entry.filename, packed.read(entry))
    return [stream.getvalue(), plain.getvalue()]


def readers(folder: Path) -> dict[str, Reader]:
    """Every reader by name; the folder is for files that are made on the way."""
    images = idx_header((2, 3, 3)) + bytes(range(18))
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 4]}}).encode()
    claims = struct.pack("<Q", len(header)) + header + bytes(4)
    text = b"sep=;\n# x;y\nt;p [bar];k\ns;bar;-\n1,5;2 kg;a\n1.234,5;?;b\n-200;3 kg;a\n"
    table = b'a,b,"c d"\n1,x,0.5\n2,"y,z",\n3,,1e3\n'
    stack = (
        b'[[layers]]\nkind = "Convolution"\nfilters = 4\nkernel = [3, 3]\nactivation = "relu"\n\n'
        b'[[layers]]\nkind = "MaxPool"\nsize = [2, 2]\n\n[[layers]]\nkind = "Dense"\nn = 10\nactivation = "tanh"\n'
    )
    return {
        "IDX": Reader("", read_idx, [images, gzip.compress(images, mtime=0), idx_header((5,)) + bytes(5)]),
        "TOML": Reader(".toml", read_stack, [stack, b"[[layers]]\nkind = 'Dropout'\np = 0.5\n"]),
        "safetensors": Reader(
            ".safetensors", _read_model, [*_models(folder), claims, to_safetensors({})], _mend_length
        ),
        "checkpoint": Reader(".safetensors", _read_checkpoint, [_checkpoint()], _mend_checksum),
        "CSV": Reader(".csv", read_table, [table, b"\xef\xbb\xbfa\n1\n", b"x,y\r\n1,2\r\n"]),
        "text": Reader(".txt", read_table, [text, text.replace(b";", b"\t").decode().encode("utf-16"), text[6:]]),
        "Excel": Reader(".xlsx", read_table, _workbooks()),
        "Parquet": Reader(".parquet", read_table, _parquet()),
    }


def accepts(reader: Reader, path: Path, data: bytes) -> bool:
    """Whether the reader takes the data; any exception but deltarule's own passes through."""
    path.write_bytes(data)
    try:
        reader.read(path)
    except DeltaruleError:
        return False
    return True
