"""One fit in a process of its own, with a time limit, and its scores; the predictions are kept beside them."""

import hashlib
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables.apart import apart
from benchmarks.tables.catalogue import Entry
from benchmarks.tables.contestants import PEERS, error_bars, ours, peer
from benchmarks.tables.scores import score

FIELDS = ("mean", "std", "low", "high", "P")  # what is predicted, each an array with a row for each test row


@cache
def code_version() -> str:
    """A hash of deltarule's source as it is imported here: what of ours was measured."""
    import deltarule

    folder = Path(deltarule.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if not {"cli", "play", "export", "experiments"} & set(path.relative_to(folder).parts):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def version(who: str) -> str:
    """Of a contestant."""
    return PEERS[who].version if who in PEERS else code_version()


def fitted(who: str, options: dict[str, Any], entry: Entry, split: int, limit: float) -> dict[str, Any]:
    """What one fit gave: scores, seconds, predictions; or "absent" or "failed" with the reason.

    Args:
        who: a peer, or any other name for ours.
        options: arguments of our constructor.
        entry, split: the table and which of its splits.
        limit: the seconds of the processor after which the fit is ended and counts as failed.
    """
    entry.load()  # once, before the fork
    entry.split(split)
    return apart(lambda: _measured(who if who in PEERS else None, options, entry, split), limit)


def _measured(who: str | None, options: dict[str, Any], entry: Entry, split: int) -> dict[str, Any]:
    table = entry.load()
    train, test = entry.split(split)
    model = ours(entry.kind, options) if who is None else peer(who, table, len(train))
    if isinstance(model, str):
        return {"absent": model}
    clock, processor = time.perf_counter(), time.process_time()
    model.fit(table.X.iloc[train].reset_index(drop=True), table.y[train])
    seconds = {"seconds": time.perf_counter() - clock, "processor": time.process_time() - processor}
    predicted = _predictions(model, entry.kind, table.X.iloc[test].reset_index(drop=True), table.y[train])
    if hasattr(model, "log_density") and "std" in predicted:
        predicted["density"] = model.log_density(table.X.iloc[test].reset_index(drop=True), table.y[test])
    scores = score(entry.kind, predicted, table.y, test)
    kept = {name: [float(f"{v:.6g}") for v in np.ravel(predicted[name])] for name in FIELDS if name in predicted}
    said = str(getattr(model, "verdict_", "") or "")
    return {"scores": scores, **seconds, "rows": len(train), "said": said, "predicted": kept}


def _predictions(model: Any, kind: str, X: Any, y: np.ndarray) -> dict[str, Any]:
    """What the model says of the new rows X, with error bars where it has any; y trained it."""
    if kind == "classification":
        order = np.argsort(np.asarray(model.classes_).astype(str))  # the names in the order of np.unique
        return {"P": np.asarray(model.predict_proba(X), np.float64)[:, order]}
    found = {"mean": np.asarray(model.predict(X), np.float64)}
    if hasattr(model, "predict_interval"):
        try:
            found["std"] = np.asarray(model.predict(X, return_std=True)[1])
        except Exception as error:  # without error bars, which is a result too
            return found | {"none": str(error)}
        found["low"], found["high"] = (np.asarray(end) for end in model.predict_interval(X))
        return found
    std = error_bars(model, X, y)
    if std is not None:
        found["std"] = std
        found["low"], found["high"] = found["mean"] - 1.96 * std, found["mean"] + 1.96 * std
    return found
