import base64
import re
import struct
import zlib

import numpy as np

from deltarule.inspection.report.images import side_by_side


def test_every_image_stands_there_with_its_words():
    images = np.array([[[0.0, 0.5], [1.0, 0.0], [0.2, 0.2]], np.zeros((3, 2))])
    svg = side_by_side(images, ["<1> → 7", "2 → 3"], "misread")
    assert re.findall(r">([^<]*)</text>", svg) == ["&lt;1&gt; → 7", "2 → 3"]
    first, second = (base64.b64decode(code) for code in re.findall(r"base64,([^\"]*)", svg))
    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", first[16:24]) == (2, 3)  # width, height
    for file, expected in ((first, [[255, 128], [0, 255], [204, 204]]), (second, [[255, 255]] * 3)):
        at = file.index(b"IDAT")
        (length,) = struct.unpack(">I", file[at - 4 : at])
        rows = np.frombuffer(zlib.decompress(file[at + 4 : at + 4 + length]), np.uint8).reshape(3, 3)
        assert (rows[:, 0] == 0).all()  # no filter
        np.testing.assert_allclose(rows[:, 1:].astype(int), expected, atol=1)
