"""What the verdict says of a classifier: how good, how well each class is found, and what a rare class does to it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.errors import counted
from deltarule.models.metrics import Scores, class_lines
from deltarule.models.words import quoted, share

if TYPE_CHECKING:
    from deltarule.data import DataSet, LoadedData

PARTS = {"training": "fit", "validation": "validation", "test": "test"}
RARE = 0.5  # of an equal share of the training rows, below which a class is rare
FOUND = 0.5  # of a class's rows, below which it is missed
NEARLY_ALWAYS = 0.9  # share of the most frequent class, from which answering it is nearly always right
RANKED = 0.6  # area under the ROC curve, above which the probabilities know something of a class


def lines(
    data: "DataSet", predicted: np.ndarray, actual: np.ndarray, scores: Scores, held: dict[str, Any]
) -> dict[str, str]:
    """Accuracy, baseline, recall and AUC of each class, and the most confused pair.

    `predicted` and `actual`, (N,), number the class of each validation and test row; `held` scores these together.
    """
    names = data.schema.output_names
    most = int(data.train.Y.sum(axis=0).argmax())
    baseline = float(np.mean(data.test.Y.argmax(axis=1) == most))
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (actual, predicted), 1)
    rows = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    i, j = np.unravel_index(counts.argmax(), counts.shape)
    confused = "none of the validation and test rows"
    if counts[i, j]:
        confused = (
            f"{names[i]!r} is taken for {names[j]!r} in {counts[i, j]} of its {counted(rows[i], 'row')} of the "
            "validation and test parts"
        )
    return {
        "accuracy": ", ".join(f"{words} {share(scores[part]['accuracy'])}" for part, words in PARTS.items()),
        "baseline": f"always answering {names[most]!r} is right in {share(baseline)} of the test rows",
        **class_lines(held),
        "confused": confused,
    }


def warnings(data: "DataSet", scores: Scores, held: dict[str, Any]) -> list[str]:
    """A sentence for each rare class that is missed, else one if nothing was learnt; and the classes of no test row."""
    untested = np.array(data.schema.output_names)[data.test.Y.sum(axis=0) == 0].tolist()
    unknown = [f"no test row is of {quoted(untested)}: the scores say nothing of them"] if untested else []
    rare = _rare(data, held)
    worse = scores["test"]["accuracy"] < data.test.Y.mean(axis=0).max()
    return rare + (learnt_nothing(data, scores) if worse or not rare else []) + unknown


def learnt_nothing(data: "LoadedData", scores: Scores, eta: float | None = None) -> list[str]:
    """A sentence if the network is right in no more test rows than the answer that is right most often.

    `eta` is the learning rate that a smaller one could be tried for.
    """
    if scores["test"]["accuracy"] > data.test.Y.mean(axis=0).max():
        return []
    remedy = "" if eta is None else f": it has learnt nothing; try a smaller eta than {eta:g}"
    return [f"on the test rows the network is no better than answering the most frequent class always{remedy}"]


def _rare(data: "DataSet", held: dict[str, Any]) -> list[str]:
    """What few rows of a class do: it is hardly ever answered, although its probabilities may rank the rows well."""
    names, shares = data.schema.output_names, data.train.Y.mean(axis=0)
    often, found = names[int(shares.argmax())], []
    nearly = shares.max() > NEARLY_ALWAYS
    reason = f"answering {often!r} is nearly always right" if nearly else "it is hardly ever the likeliest answer"
    for name, part in zip(names, shares.tolist(), strict=True):
        recall, auc = held["recall_by_class"][name], held["auc_by_class"][name]
        if part < RARE / len(names) and recall is not None and recall < FOUND and auc is not None and auc > RANKED:
            found.append(
                f"only {share(part)} of the training rows are {name!r}, so {reason}, and the network "
                f"finds {share(recall)} of the {name!r} rows; its probabilities still rank the rows (AUC {auc:.3f}). "
                "To find more, write them with deltarule predict --out, and count the rows whose "
                f"probability_{name} is above about {part:.2g} as {name!r}"
            )
    return found
