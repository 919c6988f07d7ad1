"""What the user chose for `deltarule train`, `search` and `plan`: every option of a training is a field here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from deltarule import data
from deltarule.cli.options import count, given, number, one_of, option
from deltarule.cli.reading import IN_MEMORY, TABLE_FILE, TABLES, Reading, parse_hidden, parse_lags
from deltarule.errors import ConfigurationError

IMAGES = ("digits", "mnist")
RECORDS = ("learning_speed", "training_score")  # as in `deltarule.training.loop`
SEED = count(least=0, most=2**32 - 1)  # as of `deltarule.engine.randomness`
SERIES: dict[str, Any] = {"search": False, "sources": ("table",)}
HERE: dict[str, Any] = {"search": False, "recorded": False}  # these change no number but by rounding


def _registered(place: str) -> Callable[[], Iterable[str]]:
    """The names of a registry of the library, "module:NAME", which is imported when they are asked for."""
    return lambda: resolve_name(f"deltarule.{place}")


def _hidden_activations() -> Iterable[str]:
    from deltarule.network.activations import ACTIVATIONS

    return (name for name, sigma in ACTIVATIONS.items() if sigma.trainable and sigma.elementwise)


def _devices(name: str, words: str) -> None:
    if words != "all" and not (words.isascii() and words.isdecimal() and int(words) > 0):
        raise ConfigurationError(f"{name} must be 'all' or a whole number of at least 1, and is {words!r}")


def _stack(name: str, text: str) -> None:
    from deltarule.network.stacks import load_stack

    try:
        load_stack(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from None


@dataclass(frozen=True, kw_only=True)
class Choices(Reading):
    """The options of a training as typed; None where the user left the choice to us."""

    source: str = option(
        f"digits, mnist, {TABLE_FILE}, or a folder of .parquet files or x.npy and y.npy.",
        "SOURCE",
        default="digits",
        positional=True,
    )
    target: tuple[str, ...] | None = option(
        "The column of a table to learn; several with commas between, or repeat the option.",
        "COLUMN",
        sources=("table", "folder"),
    )
    task: str | None = option(
        "classification or regression.", otherwise="as the target looks", check=one_of(("classification", "regression"))
    )
    hidden: str | None = option(
        "Neurons of the hidden layers, such as 30 or 30,20.",
        "SIZES",
        otherwise="200 for digits, 100 for mnist; for a table several networks are tried, and 10 for lm, newton-cg, "
        "20 for the others",
        check=parse_hidden,
        vary="sizes",
    )
    stack: str | None = option(
        "The hidden layers by name, lenet, or from a .toml file, in place of --hidden.", name="model", check=_stack
    )
    activation: str | None = option(
        "Of the hidden layers: sigmoid, tanh, relu, softplus, linear.",
        otherwise="relu for digits, sigmoid for mnist, tanh for a table",
        check=one_of(_hidden_activations),
        vary="names",
    )
    cost: str | None = option(
        "quadratic or cross-entropy, with sigmoid outputs; log-likelihood, with softmax outputs. Of a regression "
        "quadratic, or huber where some rows are outliers, with linear outputs; poisson for counts and rates, with "
        "exponential outputs.",
        otherwise="cross-entropy for digits and mnist, quadratic for a regression, else log-likelihood",
        check=one_of(_registered("network.costs:COSTS")),
        vary="names",
    )
    trainer: str | None = option(
        "sgd, gd, momentum, adam, lm (Levenberg-Marquardt), newton-cg, or, for a table, bayesian (Levenberg-Marquardt "
        "that sets its own penalty; error bars for numbers). `deltarule search` does not take bayesian.",
        otherwise="sgd for digits and mnist; for a table bayesian, or adam where its steps would be too costly or "
        "another option does not go with it",
        check=one_of(_registered("models.trainers:TRAINERS")),
        vary="names",
        search="sgd; adam for a table",
    )
    eta: float | None = option(
        "The learning rate.", otherwise="the trainer's, see the summary", check=number(above=0), vary="log"
    )
    batch_size: int | None = option(
        "Examples of a step.",
        otherwise="10, 32 for adam; all for gd, lm, bayesian, newton-cg",
        check=count(),
        vary="whole",
    )
    epochs: int | None = option(
        "Passes over the data.",
        otherwise="30 for digits and mnist, 10 for a folder, else 300; 1000 for gd, 200 for lm and newton-cg, 200 for "
        "each network that bayesian tries",
        check=count(),
    )
    l2: float | None = option(
        "Lambda of the L2 regularisation.",
        otherwise="0.01 for a table in memory, else 0",
        check=number(least=0),
        vary="log",
    )
    l1: float | None = option("Lambda of the L1 regularisation.", otherwise="0", check=number(least=0), vary="log")
    max_norm: float | None = option(
        "The most that the weights into a neuron may measure, ‖w‖.", check=number(above=0), vary="log"
    )
    dropout: float | None = option(
        "The share of each hidden layer dropped in a step, from 0 to below 1.",
        check=number(least=0, below=1),
        vary="even",
    )
    momentum: float | None = option(
        "Mu, from 0 to below 1.", otherwise="0.9 for momentum", check=number(least=0, below=1), vary="even"
    )
    nesterov: bool = option("Nesterov's momentum: the gradient is taken ahead, where mu v leads.", default=False)
    init: str | None = option(
        "How the weights of every layer start: old, N(0, 1); new, N(0, 1/n_in); glorot; he; nguyen-widrow.",
        otherwise="as the activation needs",
        check=one_of(_registered("network.initializers:INITIALIZERS")),
        vary="names",
    )
    engine: str | None = option(
        "What computes: numpy, at once, or jax, which compiles first.",
        otherwise="auto, by the work",
        check=one_of(lambda: ("auto", *_registered("engine:ENGINES")())),
    )
    halve_after: int | None = option(
        "Halve eta after so many epochs without a better validation score; stop at 1/128.", check=count()
    )
    expand: tuple[str, ...] | None = option(
        "More training images from the ones there are: shift (by a pixel, four ways), rotate, elastic, distort (all "
        "three at once); repeat the option for several.",
        "KIND",
        check=lambda name, kinds: resolve_name("deltarule.data.expansion:check_kinds")(name, kinds),
        sources=("images",),
    )
    recorded: tuple[str, ...] | None = option(
        "What else to keep of every epoch in the model file: learning_speed, of each layer, or training_score; repeat "
        "the option for both.",
        name="record",
        check=one_of(RECORDS),
        search=False,
        sources=IN_MEMORY,
    )
    monitor: str | None = option(
        "What the best network is the best in, on the validation part: accuracy or cost.",
        otherwise="accuracy for digits and mnist, else cost",
        check=one_of(("accuracy", "cost")),
    )
    split: str | None = option(
        "How a table is split 70/15/15: random, or blocks: the first rows train and the last test, for rows in the "
        "order of time.",
        otherwise="random",
        check=one_of(_registered("data.splitting:SPLITS")),
        sources=TABLES,
    )
    time: str | None = option("The column of the time of a series, numbers or dates.", "COLUMN", **SERIES)
    lags: str | None = option(
        "Of a time series: how many steps back the network looks, such as 8, or auto.",
        "N",
        otherwise="auto with --time",
        check=parse_lags,
        **SERIES,
    )
    horizon: int | None = option(
        "Of a time series: how many steps ahead it is for; 1 trains in open loop.",
        otherwise="free runs of any length",
        check=count(),
        **SERIES,
    )
    resample: float | None = option(
        "Interpolate a series whose times are uneven to steps of so many units of the time, of dates seconds.",
        check=number(above=0),
        **SERIES,
    )
    seed: int = option("Of the split, the first weights and the order of the examples.", default=0, check=SEED)
    patience: int | None = option(
        "Stop after so many epochs without a better validation score, or with bayesian a larger evidence.",
        otherwise="for a table in memory 20, 50 for gd, 6 for lm, newton-cg, 10 for bayesian; else none",
        check=count(),
        search=False,
    )
    effort: str | None = option(
        "Of a table without --hidden: quick trains few networks, default and thorough try more and average those that "
        "predict best.",
        otherwise="default",
        check=one_of(_registered("models.candidates:EFFORTS")),
        search=False,
        sources=TABLES,
    )
    time_limit: float | None = option(
        "Stop after so many seconds, with the last whole epoch.", check=number(above=0), search=False
    )
    drop: tuple[str, ...] | None = option(
        "A column of a table to leave out; repeat the option for several.", "COLUMN", sources=TABLES
    )
    category: tuple[str, ...] | None = option(
        "A column of numbers to read as categories, such as codes; repeat it for several.", "COLUMN", sources=TABLES
    )
    missing: str | None = option(
        "What to do with missing cells: refuse; drop such rows; or impute inputs: the column's mean stands for the "
        "cell, and one more input says that it is missing. A row without a target is still refused, or left out by "
        "--drop-missing.",
        otherwise="refuse",
        check=one_of(("refuse", "drop", "impute")),
        sources=TABLES,
    )
    weights: str | None = option(
        "The column of a table that says how much each row counts in training.", "COLUMN", search=False, sources=TABLES
    )
    devices: str | None = option(
        "Divide the examples among so many of JAX's devices.", "N|all", otherwise="one device", check=_devices, **HERE
    )
    coordinator: str | None = option(
        "Of process 0, for a training in several processes; auto in a job of SLURM, MPI or Kubernetes.",
        "HOST:PORT",
        **HERE,
    )
    processes: int | None = option("How many processes train together.", **HERE)
    process_id: int | None = option("The number of this process, from 0; process 0 writes.", **HERE)
    watch: bool = option(
        "Watch the training in the browser, with a button that ends it.", default=False, sources=IN_MEMORY, **HERE
    )
    out: Path | None = option("Where to save the network.", "FILE", otherwise="the source's name")
    checkpoint: Path | None = option(
        "Keep what it takes to go on with this training in this folder, the last two.", "FOLDER", **HERE
    )
    checkpoint_every: int | None = option("Epochs between two checkpoints.", otherwise="1", check=count(), **HERE)
    resume: Path | None = option(
        "Go on from the last checkpoint in this folder, with the same options; --epochs may be more.", "FOLDER", **HERE
    )

    def __post_init__(self):
        """`--missing drop` is `--drop-missing`."""
        if self.missing == "drop":
            object.__setattr__(self, "missing", None)
            object.__setattr__(self, "drop_missing", True)

    @property
    def table_options(self) -> "data.TableOptions":
        """How a table is read and what some of its columns are for."""
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
    def streamed(self) -> bool:
        """Whether the source is a folder, whose examples stay on disk."""
        return self.kind == "folder"

    @property
    def kind(self) -> str:
        """What the source is: "images", "table" or "folder"."""
        return "images" if self.source in IMAGES else "folder" if Path(self.source).is_dir() else "table"

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
        return replace(self, na=None).words()

    def record(self) -> dict[str, Any]:
        """The options that were given, for the model file: what the network depends on, not checkpoints or devices."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, known, value in given(self)
            if known.recorded
        }
