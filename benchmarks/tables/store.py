"""The stored fits, one file each: peers run once, a stopped run can be resumed, several may run side by side.

A folder of this machine holds one folder for each contestant and its version, with one file for each table and split.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from benchmarks.tables.catalogue import Entry
from benchmarks.tables.fitting import version

DEFAULT = Path(os.environ.get("DELTARULE_TABLES", Path.home() / ".cache" / "deltarule-tables"))


class Store:
    """The fits in one folder.

    Args:
        folder: where they are.
        versions: the version to read or write of some contestants; others have that which is installed.
    """

    def __init__(self, folder: Path = DEFAULT, versions: dict[str, str] | None = None):
        self.folder, self.versions = folder, versions or {}

    def path(self, who: str, entry: Entry, split: int) -> Path:
        """The file of one fit."""
        one = f"{who}@{self.versions.get(who) or version(who)}"
        return self.folder / re.sub(r"[^\w.@+-]+", "-", one) / f"{entry.name}.{split}.json"

    def get(self, who: str, entry: Entry, split: int) -> dict[str, Any] | None:
        """Return the stored fit, or None."""
        path = self.path(who, entry, split)
        return json.loads(path.read_text()) if path.exists() else None

    def put(self, who: str, entry: Entry, split: int, found: dict[str, Any]) -> None:
        """Store one fit, completely or not at all."""
        path = self.path(who, entry, split)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(found) + "\n")
        beside.replace(path)
