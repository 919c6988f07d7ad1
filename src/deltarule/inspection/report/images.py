"""Images in a report, side by side with a word above each."""

import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape

import numpy as np

COLUMNS, CELL, WORDS = 10, 44, 14  # images side by side, the place of each, and the height of its words


def side_by_side(images: np.ndarray, words: Sequence[str], label: str) -> str:
    """Grey images (n, h, w) side by side as one <svg>, dark for large values, each with its words above."""
    high = float(images.max(initial=0)) or 1.0
    parts = []
    for i, (image, said) in enumerate(zip(images, words, strict=True)):
        x, y = CELL * (i % COLUMNS), (CELL + WORDS) * (i // COLUMNS)
        grey = (255 * (1 - np.clip(image / high, 0, 1))).round().astype(np.uint8)
        code = base64.b64encode(_png(grey)).decode("ascii")
        parts.append(
            f'<text x="{x + CELL / 2}" y="{y + 10}" text-anchor="middle">{escape(said)}</text>'
            f'<image x="{x + 4}" y="{y + WORDS}" width="{CELL - 8}" height="{CELL - 8}" '
            f'style="image-rendering: pixelated" href="data:image/png;base64,{code}"/>'
        )
    tall = (CELL + WORDS) * -(-len(words) // COLUMNS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * CELL} {tall}" role="img" '
        f'aria-label="{escape(label, quote=True)}" font-size="10" fill="currentColor">{"".join(parts)}</svg>'
    )


def _png(grey: np.ndarray) -> bytes:
    """An image of bytes (h, w) as a PNG file."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    head = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
