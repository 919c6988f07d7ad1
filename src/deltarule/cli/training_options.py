"""The options of `deltarule train`, `search` and `plan`, each a field of `TrainingOptions`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from deltarule import data
from deltarule.cli.options import count, given_options, number, one_of, option
from deltarule.cli.shared_options import IN_MEMORY, TABLE_FILE, TABLES, ReadOptions, parse_hidden, parse_lags
from deltarule.errors import ConfigurationError

IMAGES = ("digits", "mnist")
SEED = count(least=0, most=2**32 - 1)  # as in `deltarule.engine.randomness`
SERIES_ONLY: dict[str, Any] = {"search": False, "sources": ("table",)}
THIS_RUN_ONLY: dict[str, Any] = {"search": False, "recorded": False}  # they change results by rounding at most


def _registered(place: str) -> Callable[[], Iterable[str]]:
    """A function that imports a registry, "module:NAME", and returns its names."""
    return lambda: resolve_name(f"deltarule.{place}")


def _hidden_activations() -> Iterable[str]:
    from deltarule.network.activations import ACTIVATIONS

    return (name for name, sigma in ACTIVATIONS.items() if sigma.trainable and sigma.elementwise)


def _check_devices(name: str, text: str) -> None:
    if text != "all" and not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ConfigurationError(f"{name} must be 'all' or a whole number of at least 1, and is {text!r}")


def _check_stack(name: str, text: str) -> None:
    from deltarule.network.stacks import load_stack

    try:
        load_stack(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from None


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(ReadOptions):
    """The options of a training; None where the user did not give one."""

    source: str = option(
        f"digits, mnist, {TABLE_FILE}, or a folder of .parquet files or of x.npy and y.npy.",
        "SOURCE",
        default="digits",
        positional=True,
    )
    target: tuple[str, ...] | None = option(
        "The column of a table to predict; repeat the option for several.", "COLUMN", sources=("table", "folder")
    )
    task: str | None = option(
        "classification or regression.", default_text="by the target", check=one_of(("classification", "regression"))
    )
    hidden: str | None = option(
        "Neurons of the hidden layers, such as 30 or 30,20.",
        "SIZES",
        default_text="200 for digits, 100 for mnist; for a table bayesian tries several networks, lm and newton-cg "
        "take 10, other trainers 20",
        check=parse_hidden,
        vary="sizes",
    )
    stack: str | None = option(
        "All hidden layers, instead of --hidden: lenet, or a .toml file that lists them.",
        name="model",
        check=_check_stack,
    )
    activation: str | None = option(
        "The activation of the hidden layers: sigmoid, tanh, relu, softplus or linear.",
        default_text="relu for digits, sigmoid for mnist, tanh for a table",
        check=one_of(_hidden_activations),
        vary="names",
    )
    cost: str | None = option(
        "For classes: log-likelihood (softmax outputs), cross-entropy or quadratic (sigmoid outputs). For numbers: "
        "quadratic, huber if some rows are outliers, or poisson for counts and rates (exponential outputs).",
        default_text="cross-entropy for digits and mnist; log-likelihood for classes of a table, quadratic for numbers",
        check=one_of(_registered("network.costs:COSTS")),
        vary="names",
    )
    trainer: str | None = option(
        "sgd, gd, momentum, adam, lm (Levenberg-Marquardt), newton-cg, or bayesian (for a table: Levenberg-Marquardt "
        "that sets its own regularisation and gives error bars for numbers; not in `deltarule search`).",
        default_text="sgd for digits and mnist; for a table bayesian, or adam if its steps would be too costly or "
        "another option rules it out",
        check=one_of(_registered("models.trainers:TRAINERS")),
        vary="names",
        search="sgd; adam for a table",
    )
    eta: float | None = option(
        "The learning rate.", default_text="the trainer's, see the summary", check=number(above=0), vary="log"
    )
    batch_size: int | None = option(
        "Examples in a step.", default_text="10 for sgd, momentum; 32 for adam; else all", check=count(), vary="whole"
    )
    epochs: int | None = option(
        "The largest number of passes over the data.",
        default_text="30 for digits and mnist, 10 for a folder, otherwise 300, but 1000 for gd, 200 for lm and "
        "newton-cg, 200 for each network that bayesian tries",
        check=count(),
    )
    l2: float | None = option(
        "Lambda of the L2 regularisation.", default_text="0.01 for tables, else 0", check=number(least=0), vary="log"
    )
    l1: float | None = option("Lambda of the L1 regularisation.", default_text="0", check=number(least=0), vary="log")
    max_norm: float | None = option(
        "An upper bound of ‖w‖, the norm of the weights into each neuron.", check=number(above=0), vary="log"
    )
    dropout: float | None = option(
        "The share of each hidden layer that a step drops.", check=number(least=0, below=1), vary="even"
    )
    momentum: float | None = option(
        "Mu, from 0 to below 1.", default_text="0.9 for momentum", check=number(least=0, below=1), vary="even"
    )
    nesterov: bool = option("Nesterov's momentum: take the gradient at the point to which mu v leads.", default=False)
    init: str | None = option(
        "How weights are initialised: old, N(0, 1); new, N(0, 1/n_in); glorot; he; nguyen-widrow.",
        default_text="as suits the activation",
        check=one_of(_registered("network.initializers:INITIALIZERS")),
        vary="names",
    )
    engine: str | None = option(
        "numpy, which starts at once, or jax, which compiles first.",
        default_text="auto: whichever is estimated to finish sooner",
        check=one_of(lambda: ("auto", *_registered("engine:ENGINES")())),
    )
    halve_after: int | None = option(
        "Halve eta after this many epochs without a better validation score; stop at 1/128 of it.", check=count()
    )
    expand: tuple[str, ...] | None = option(
        "Add altered copies of the training images: shift (by a pixel in four directions), rotate, elastic, or distort "
        "(all three at once); repeat the option for several.",
        "KIND",
        check=lambda name, kinds: resolve_name("deltarule.data.expansion:check_kinds")(name, kinds),
        sources=("images",),
    )
    recorded: tuple[str, ...] | None = option(
        "Record more in every epoch: learning_speed (of each layer) or training_score; repeat the option for both.",
        name="record",
        check=one_of(_registered("training.loop:RECORDED")),
        search=False,
        sources=IN_MEMORY,
    )
    monitor: str | None = option(
        "The validation score by which the best network is chosen: accuracy or cost.",
        default_text="accuracy for digits and mnist, otherwise cost",
        check=one_of(("accuracy", "cost")),
    )
    split: str | None = option(
        "How a table is split 70/15/15: random, or blocks for rows in the order of time (the last rows test).",
        default_text="random",
        check=one_of(_registered("data.splitting:SPLITS")),
        sources=TABLES,
    )
    time: str | None = option("Time series: the column of the time, numbers or dates.", "COLUMN", **SERIES_ONLY)
    lags: str | None = option(
        "Time series: how many steps back the network looks, such as 8. With --time the default is auto.",
        "N|auto",
        check=parse_lags,
        **SERIES_ONLY,
    )
    horizon: int | None = option(
        "Time series: how many steps ahead to predict; 1 trains in open loop. The default is free runs of any length.",
        check=count(),
        **SERIES_ONLY,
    )
    resample: float | None = option(
        "Time series: interpolate to steps of this length (dates: of so many seconds).",
        check=number(above=0),
        **SERIES_ONLY,
    )
    seed: int = option("Seed of the split, the initial weights and the order of the examples.", default=0, check=SEED)
    patience: int | None = option(
        "Stop after this many epochs without a better validation score; with bayesian, without a larger evidence.",
        default_text="for a table in memory 20, 50 for gd, 6 for lm and newton-cg, 10 for bayesian; otherwise none",
        check=count(),
        search=False,
    )
    effort: str | None = option(
        "For a table without --hidden: quick trains few networks; default and thorough average the best of more.",
        default_text="default",
        check=one_of(_registered("models.candidates:EFFORTS")),
        search=False,
        sources=TABLES,
    )
    time_limit: float | None = option(
        "Stop after this many seconds, at the end of an epoch.", check=number(above=0), search=False
    )
    drop: tuple[str, ...] | None = option(
        "A column of a table to ignore; repeat the option for several.", "COLUMN", sources=TABLES
    )
    category: tuple[str, ...] | None = option(
        "A column of numbers that are codes of categories; repeat the option for several.", "COLUMN", sources=TABLES
    )
    missing: str | None = option(
        "What to do with empty cells: refuse the table; drop the rows; or impute inputs: the column's mean replaces "
        "the cell, and one more input says that it was missing. Rows without a target need --drop-missing even then.",
        default_text="refuse",
        check=one_of(("refuse", "drop", "impute")),
        sources=TABLES,
    )
    weights: str | None = option(
        "The column of a table with the weight of each row in training.", "COLUMN", search=False, sources=TABLES
    )
    devices: str | None = option(
        "Divide the examples among this many of JAX's devices.", "N|all", check=_check_devices, **THIS_RUN_ONLY
    )
    coordinator: str | None = option(
        "The address of process 0 of a training in several processes, or auto.", "HOST:PORT|auto", **THIS_RUN_ONLY
    )
    processes: int | None = option("How many processes train together.", **THIS_RUN_ONLY)
    process_id: int | None = option(
        "The number of this process, from 0; process 0 writes the results.", **THIS_RUN_ONLY
    )
    watch: bool = option(
        "Watch the training on a page in the browser.", default=False, sources=IN_MEMORY, **THIS_RUN_ONLY
    )
    out: Path | None = option("Where to save the network.", "FILE", default_text="SOURCE's name, in this folder")
    checkpoint: Path | None = option(
        "Save checkpoints here, from which --resume continues; the last two are kept.", "FOLDER", **THIS_RUN_ONLY
    )
    checkpoint_every: int | None = option(
        "Epochs between two checkpoints.", default_text="1", check=count(), **THIS_RUN_ONLY
    )
    resume: Path | None = option(
        "Continue from the last checkpoint here, with the same options or more --epochs.", "FOLDER", **THIS_RUN_ONLY
    )

    def __post_init__(self):
        """Turn `--missing drop` into `--drop-missing`, which means the same."""
        if self.missing == "drop":
            object.__setattr__(self, "missing", None)
            object.__setattr__(self, "drop_missing", True)

    @property
    def table_options(self) -> "data.TableOptions":
        """The format of a table file and the roles of its columns."""
        return replace(
            super().table_options,
            drop=self.drop or (),
            category=self.category or (),
            weights=self.weights,
            impute=self.missing == "impute",
        )

    @property
    def is_series(self) -> bool:
        """Whether the rows are steps of a time series."""
        return self.time is not None or self.lags is not None

    @property
    def is_streamed(self) -> bool:
        """Whether the source is a folder, whose examples stay on disk."""
        return self.kind == "folder"

    @property
    def kind(self) -> str:
        """The kind of source: "images", "table" or "folder"."""
        return "images" if self.source in IMAGES else "folder" if Path(self.source).is_dir() else "table"

    @property
    def model(self) -> Path:
        """Where to save the model: --out, or the source's name in the current folder."""
        if self.out is not None:
            return self.out
        # "." has no name of its own, and a folder run.2024 no suffix.
        name = Path(self.source).resolve().name or "model" if self.is_streamed else Path(self.source).stem
        return Path(f"{name}.safetensors")

    def reading_arguments(self) -> list[str]:
        """The arguments with which another command reads the same source; the model file itself keeps --na."""
        return replace(self, na=None).arguments()

    def record(self) -> dict[str, Any]:
        """The given options that the model file keeps: those on which the network depends."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, opt, value in given_options(self)
            if opt.recorded
        }
