"""What the user chose for `deltarule train`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from deltarule.data import TableOptions

IMAGES = ("digits", "mnist")
NUMBERS = ("huber", "poisson")  # costs of a regression alone
CHECKPOINTS = ("checkpoint", "checkpoint_every", "resume")
OPTION_NAMES = {"recorded": "record", "stack": "model"}  # where the field of `Choices` has another name
WHERE = ("devices", "coordinator", "processes", "process_id")  # these change no number but by rounding


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The options of `deltarule train` as typed; None where the user left the choice to us."""

    source: str
    target: tuple[str, ...] | None = None
    task: str | None = None
    data_dir: Path | None = None
    drop_missing: bool = False
    sep: str | None = None
    decimal: str | None = None
    na: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None
    category: tuple[str, ...] | None = None
    weights: str | None = None
    missing: str | None = None
    hidden: str | None = None
    activation: str | None = None
    cost: str | None = None
    trainer: str | None = None
    eta: float | None = None
    batch_size: int | None = None
    epochs: int | None = None
    l2: float | None = None
    l1: float | None = None
    max_norm: float | None = None
    dropout: float | None = None
    momentum: float | None = None
    halve_after: int | None = None
    expand: tuple[str, ...] | None = None
    split: str | None = None
    seed: int = 0
    patience: int | None = None
    time_limit: float | None = None
    out: Path | None = None
    recorded: tuple[str, ...] | None = None
    nesterov: bool = False
    init: str | None = None
    engine: str | None = None
    monitor: str | None = None
    devices: str | None = None
    coordinator: str | None = None
    processes: int | None = None
    process_id: int | None = None
    checkpoint: Path | None = None
    checkpoint_every: int | None = None
    resume: Path | None = None
    stack: str | None = None  # --model: the name of a stack of layers, or a .toml file

    @property
    def table_options(self) -> "TableOptions":
        """How a table is read and what some of its columns are for.

        Raises:
            ConfigurationError: an option lies outside its domain.
        """
        from deltarule.data import TableOptions

        return TableOptions(
            sep=self.sep,
            decimal=self.decimal,
            na=self.na or (),
            drop=self.drop or (),
            category=self.category or (),
            weights=self.weights,
            impute=self.missing == "impute",
        )

    @property
    def task_or_regression(self) -> str | None:
        """--task; where it is not given, the costs of numbers ask for a regression."""
        return self.task or ("regression" if self.cost in NUMBERS else None)

    @property
    def streamed(self) -> bool:
        """Whether the source is a folder, whose examples stay on disk."""
        return self.source not in IMAGES and Path(self.source).is_dir()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Those of a command's parameters that are choices, by name; what an option that repeats holds as a tuple."""
        names = {OPTION_NAMES.get(field.name, field.name): field.name for field in fields(cls)}
        given: dict[str, Any] = {}
        if options.get("missing") == "drop":
            options = {**options, "missing": None, "drop_missing": True}
        for name, value in options.items():
            if name in names:
                given[names[name]] = (tuple(value) or None) if isinstance(value, list | tuple) else value
        return cls(**given)

    @property
    def model(self) -> Path:
        """Where the model goes: --out, or the source's name in the current folder."""
        if self.out is not None:
            return self.out
        # "." has no name of its own, and a folder run.2024 no suffix.
        name = Path(self.source).resolve().name or "model" if self.streamed else Path(self.source).stem
        return Path(f"{name}.safetensors")

    def reading(self) -> list[str]:
        """The options with which another command reads the same source; the marks of --na are in the model file."""
        names = ("data_dir", "drop_missing", "sep", "decimal")
        return as_words({name: value for name, value in self.record().items() if name in names})

    def record(self) -> dict[str, Any]:
        """The options that were given, for the model file: what the network depends on, not checkpoints or devices."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(self).items()
            if value is not None and value is not False and name not in CHECKPOINTS + WHERE
        }


def as_words(options: Mapping[str, Any]) -> list[str]:
    """The options of `Choices.record` or of a model file as words of a command line, without source and a seed of 0."""
    words: list[str] = []
    for name, value in options.items():
        if name == "source" or (name == "seed" and value == 0):
            continue
        option = f"--{OPTION_NAMES.get(name, name).replace('_', '-')}"
        for one in value if isinstance(value, (list, tuple)) else (value,):
            words += [option] if one is True else [option, str(one)]
    return words
