"""What is said of a network that was trained on a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Self


@dataclass(frozen=True)
class Verdict:
    """What to say of a network, a few words for each subject; `str` gives it as lines.

    Args:
        lines: by subject.
        warnings: what should make the user hesitate, a sentence each.
        importance: of each column: the error that shuffling it adds, in the unit of the target (of several targets in
            standard deviations), or the log-loss.
    """

    lines: dict[str, str]
    warnings: list[str] = field(default_factory=list)
    importance: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_record(cls, training: Mapping[str, Any]) -> Self | None:
        """The verdict that a model file keeps, None where it keeps none."""
        lines, warnings, importance = (training.get(name) for name in ("verdict", "warnings", "importance"))
        if not (isinstance(lines, dict) and lines) and not warnings:
            return None
        return cls(dict(lines or {}), list(warnings or []), dict(importance or {}))

    def record(self) -> dict[str, Any]:
        """For the JSON line and the model file."""
        found = {"verdict": self.lines, "importance": self.importance} if self.lines else {}
        return found | {"warnings": self.warnings}

    def rows(self) -> list[tuple[str, str]]:
        """Subject and words of every line and warning."""
        return [*self.lines.items(), *(("warning", words) for words in self.warnings)]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {words}" for name, words in self.rows())

    def _repr_html_(self) -> str:
        return html_table(self.rows())


def html_table(rows: list[tuple[str, str]]) -> str:
    """Names and words as a table of two columns."""
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(words)}</td></tr>" for name, words in rows)
    return f'<table style="text-align: left">{cells}</table>'
