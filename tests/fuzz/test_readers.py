"""Files from strangers: only deltarule's own errors come out, in bounded time and memory. 2,000 edited files a run."""

import gzip
import json
import struct
import subprocess
import sys
import tomllib
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltarule.data import text_file
from deltarule.data.images import idx_header, read_idx
from deltarule.data.table_file import read_table
from deltarule.errors import DataError, ModelFileError, TooLargeError
from deltarule.files.model_file import load_model
from fuzz.readers import KINDS, accepts, edited, readers

EDITS = st.lists(
    st.tuples(st.integers(0, KINDS - 1), st.floats(0, 1), st.binary(min_size=1, max_size=16)), min_size=1, max_size=8
)
COUNTS = {
    "IDX": 500,
    "TOML": 500,
    "safetensors": 400,
    "checkpoint": 300,
    "CSV": 200,
    "text": 200,
    "Excel": 50,
    "Parquet": 100,
}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return readers(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize("name", COUNTS)
def test_an_edited_file_is_read_or_refused(known, tmp_path, name):
    reader, path = known[name], tmp_path / f"file{known[name].suffix}"

    @settings(max_examples=COUNTS[name], suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(reader.seeds), EDITS, st.booleans())
    def read(seed, edits, mended):
        data = edited(seed, edits)
        accepts(reader, path, reader.mend(data) if mended else data)

    read()


def test_the_files_to_begin_from_are_true(known, tmp_path):
    for name, reader in known.items():
        taken = [accepts(reader, tmp_path / f"file{reader.suffix}", seed) for seed in reader.seeds]
        assert sum(taken) == (3 if name == "safetensors" else len(reader.seeds))


def safetensors_claiming(shape, length):
    header = {"0.W": {"dtype": "F32", "shape": shape, "data_offsets": [0, length]}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(4)


@pytest.mark.parametrize(
    "content",
    [
        safetensors_claiming([2**60], 2**62),
        safetensors_claiming([2**32, 2**32, 2**32], 4),
        safetensors_claiming([0, 2**62], 0),
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2**63 + 5) + b"{}",
    ],
)
def test_a_header_that_claims_more_than_there_is(tmp_path, content):
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "m.safetensors")


def test_a_gzip_bomb(tmp_path):
    """Zeros that inflate a thousandfold: refused by the header, or read no further than it claims."""
    pack = zlib.compressobj(9, wbits=31)
    bomb = pack.compress(idx_header((4, 4))) + b"".join(pack.compress(bytes(2**20)) for _ in range(100)) + pack.flush()
    (tmp_path / "bomb").write_bytes(bomb)
    with pytest.raises(DataError, match="more than the 16 bytes"):
        read_idx(tmp_path / "bomb")
    (tmp_path / "claim").write_bytes(gzip.compress(idx_header((2**15, 2**15))))
    with pytest.raises(DataError, match="cannot hold"):
        read_idx(tmp_path / "claim")


def test_a_line_without_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "LONGEST_LINE", 1000)
    for content in ("a,b\n" + "1," * 800 + "\n", "a" * 2000, 'a\n"' + "x" * 3000 + '"\n'):
        (tmp_path / "t.csv").write_text(content)
        with pytest.raises(DataError, match="1,000 characters"):
            read_table(tmp_path / "t.csv")


def test_a_small_parquet_file_that_claims_billions_of_rows(tmp_path, monkeypatch):
    import pandas as pd

    pd.DataFrame({"a": np.zeros(200_000)}).to_parquet(tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size < 10_000
    monkeypatch.setattr("deltarule.engine.machine.free_memory", lambda: 1e6)
    with pytest.raises(TooLargeError, match=r"t\.parquet need about"):
        read_table(tmp_path / "t.parquet")


LIMITED = """
import resource, sys
from pathlib import Path
from deltarule.data.table_file import read_table
from deltarule.errors import DataError
import pandas
resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
try:
    read_table(Path(sys.argv[1]))
except DataError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_csv_of_one_line_of_a_gigabyte_in_3_gib_of_address_space(tmp_path):
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n")
        for _ in range(1000):
            file.write(b"1" * 10**6)
    run = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, timeout=300)
    path.unlink()
    assert "a line of 33,554,432 characters" in run.stdout, run.stderr


def test_toml_that_nests_deeply_is_refused_by_python(tmp_path):
    """What `read_stack` relies on: the parser gives up on nesting by itself."""
    with pytest.raises((RecursionError, tomllib.TOMLDecodeError)):
        tomllib.loads("a = " + "[" * 100_000)
