"""[N] ch. 3: the learning slowdown, cross-entropy, overfitting, L2 regularisation and how weights start."""

from deltarule.experiments.handwriting import load, verdict
from deltarule.experiments.nielsen_3 import initialization, overfitting, recognition, slowdown
from deltarule.experiments.report import Report, Settings


def run(settings: Settings) -> Report:
    """The chapter's experiments in its order."""
    data = load(settings)
    parts = [slowdown.run(settings), *(part.run(data, settings) for part in (recognition, overfitting, initialization))]
    every = [row for rows, _, _ in parts for row in rows]
    return Report(
        "nielsen-3",
        "Cross-entropy, overfitting, regularisation, initialisation",
        every,
        {name: figure for _, figures, _ in parts for name, figure in figures.items()},
        [verdict(every), *(note for _, _, note in parts)],
    )
