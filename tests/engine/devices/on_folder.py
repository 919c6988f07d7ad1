"""Run by the tests as each of several processes: `deltarule train FOLDER`, and what its first pass read and found.

python on_folder.py COORDINATOR PROCESSES PROCESS_ID WORDS, the other words of the command as JSON
"""

import json
import sys

from deltarule import data
from deltarule.cli import main
from deltarule.data import ArrayStream

load, pieces, found = data.load_folder, ArrayStream.pieces, {"read": 0}


def counted_load(*arguments, **options):
    """Load, and note the rows read meanwhile and what every process must have alike."""

    def counted(stream, block):
        found["read"] += block.rows
        return pieces(stream, block)

    ArrayStream.pieces = counted
    loaded = load(*arguments, **options)
    ArrayStream.pieces = pieces
    held = [loaded.validation.X, loaded.validation.Y, loaded.test.X, loaded.test.Y]
    found["alike"] = [loaded.schema.to_json(), loaded.train.digest, *(array.tobytes().hex() for array in held)]
    return loaded


data.load_folder = counted_load
ArrayStream.__init__.__defaults__ = (16,)  # rows of a block
place = zip(("--coordinator", "--processes", "--process-id"), sys.argv[1:4], strict=True)
code = main(["train", *json.loads(sys.argv[4]), *(word for pair in place for word in pair)])
print(json.dumps(found), flush=True)
sys.exit(code)
