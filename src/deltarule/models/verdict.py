"""`Verdict`: the assessment of a network that was trained on a table, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Self


@dataclass(frozen=True)
class Verdict:
    """The assessment of a network, a few words for each subject; `str` gives it as lines.

    Args:
        lines: the words by subject.
        warnings: reasons for doubt, a sentence each.
        importance: how much the error grows when a column is shuffled, by column: in the unit of the target (in
            standard deviations if there are several targets), or the log-loss of a classification.
    """

    lines: dict[str, str]
    warnings: list[str] = field(default_factory=list)
    importance: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_record(cls, training: Mapping[str, Any]) -> Self | None:
        """The verdict in the record of a training; None if it has none."""
        lines, warnings, importance = (training.get(name) for name in ("verdict", "warnings", "importance"))
        if not (isinstance(lines, dict) and lines) and not warnings:
            return None
        return cls(dict(lines or {}), list(warnings or []), dict(importance or {}))

    def record(self) -> dict[str, Any]:
        """The entries for the JSON line and the model file."""
        lines = {"verdict": self.lines, "importance": self.importance} if self.lines else {}
        return lines | {"warnings": self.warnings}

    def rows(self) -> list[tuple[str, str]]:
        """The subject and the words of every line and warning."""
        return [*self.lines.items(), *(("warning", words) for words in self.warnings)]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {words}" for name, words in self.rows())

    def _repr_html_(self) -> str:
        return html_table(self.rows())


def html_table(rows: list[tuple[str, str]]) -> str:
    """An HTML table of two columns."""
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(words)}</td></tr>" for name, words in rows)
    return f'<table style="text-align: left">{cells}</table>'
