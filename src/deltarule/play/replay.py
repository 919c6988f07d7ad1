"""The recording of a lesson: some of its moments as frames, for a page that needs no server."""

from typing import Any

import numpy as np

from deltarule.play.frames import told_by
from deltarule.play.lesson import Lesson

MOST_FRAMES = 240
MOST_NUMBERS = 400_000  # in all frames together, so that the file stays below some megabytes


def recording(lesson: Lesson) -> dict[str, Any]:
    """The layout of a lesson and its moments, evenly chosen where there are many, the last one always.

    The moments are those of the trainer that is looked at, with the example that is looked at.
    """
    moments = lesson.learners[lesson.selected].moments
    looked_at = lesson.moment
    drawn = 2 * sum(a.size * b.size for a, b in zip(lesson.shown, lesson.shown[1:], strict=False)) + 2000
    count = min(len(moments), MOST_FRAMES, max(2, MOST_NUMBERS // drawn))
    chosen = np.unique(np.linspace(0, len(moments) - 1, count).round().astype(int)).tolist()
    frames = []
    try:
        for place in chosen:
            lesson.show(place)
            frames.append(lesson.frame(told_by(frames[0]) if frames else None))  # the first one tells all the costs
    finally:
        lesson.moment = looked_at
    return {"layout": lesson.layout(), "frames": frames, "moments": chosen}
