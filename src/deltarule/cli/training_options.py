"""The options of a training, which `deltarule train` and `deltarule search` share."""

from pathlib import Path
from typing import Annotated

import typer

from deltarule.cli.options import REAL, TABLE_FILE, WHOLE

TrainingSource = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help=f"digits, mnist, {TABLE_FILE}, or a folder of .parquet files or x.npy and y.npy.",
    ),
]
Target = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN", help="The column of a table to learn; several with commas between, or repeat the option."
    ),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="A column of a table to leave out; repeat the option for several."),
]
Category = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN", help="A column of numbers to read as categories, such as codes; repeat it for several."
    ),
]
Missing = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What to do with missing cells: refuse; drop such rows; or impute inputs: the column's mean stands for "
        "the cell, and one more input says that it is missing. A row without a target is still refused, or left out "
        "by --drop-missing.",
        show_default="refuse",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column of a table that says how much each row counts in training."),
]
Task = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="classification or regression.", show_default="as the target looks"),
]
Hidden = Annotated[
    str | None,
    typer.Option(
        metavar="SIZES",
        help="Neurons of the hidden layers, such as 30 or 30,20.",
        show_default="200 for digits, 100 for mnist, else 30; 20 for bayesian; 10 for lm, newton-cg",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="NAME", help="The hidden layers by name, lenet, or from a .toml file, in place of --hidden."
    ),
]
Activation = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of the hidden layers: sigmoid, tanh, relu, softplus, linear.",
        show_default="relu for digits, tanh for a regression, else sigmoid",
    ),
]
Cost = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="quadratic or cross-entropy, with sigmoid outputs; log-likelihood, with softmax outputs. "
        "Of a regression quadratic, or huber where some rows are outliers, with linear outputs; poisson for counts and "
        "rates, with exponential outputs.",
        show_default="cross-entropy for digits and mnist, quadratic for a regression, else log-likelihood",
    ),
]
Trainer = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="sgd, gd, momentum, adam, lm, bayesian or newton-cg.",
        show_default="sgd; for a regression bayesian, with error "
        "bars, or adam where its steps are too large or an option asks for another",
    ),
]
Eta = Annotated[
    float | None, typer.Option(**REAL, help="The learning rate.", show_default="the trainer's, see the summary")
]
BatchSize = Annotated[
    int | None,
    typer.Option(**WHOLE, help="Examples of a step.", show_default="10; all for gd, lm, bayesian, newton-cg"),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        **WHOLE,
        help="Passes over the data.",
        show_default="30 for digits and mnist, else 300; 1000 for gd, 200 for bayesian, 100 for lm, newton-cg",
    ),
]
L2 = Annotated[
    float | None,
    typer.Option("--l2", **REAL, help="Lambda of the L2 regularisation.", show_default="0"),
]
L1 = Annotated[
    float | None,
    typer.Option("--l1", **REAL, help="Lambda of the L1 regularisation.", show_default="0"),
]
MaxNorm = Annotated[
    float | None, typer.Option(**REAL, help="The most that the weights into a neuron may measure, ‖w‖.")
]
Dropout = Annotated[
    float | None, typer.Option(**REAL, help="The share of each hidden layer dropped in a step, from 0 to below 1.")
]
Momentum = Annotated[float | None, typer.Option(**REAL, help="Mu, from 0 to below 1.", show_default="0.9 for momentum")]
Nesterov = Annotated[
    bool, typer.Option("--nesterov", help="Nesterov's momentum: the gradient is taken ahead, where mu v leads.")
]
Init = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How the weights of every layer start: old, N(0, 1); new, N(0, 1/n_in); glorot; he; nguyen-widrow.",
        show_default="as the activation needs",
    ),
]
Monitor = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What the best network is the best in, on the validation part: accuracy or cost.",
        show_default="accuracy, a regression's cost",
    ),
]
HalveAfter = Annotated[
    int | None,
    typer.Option(**WHOLE, help="Halve eta after so many epochs without a better validation score; stop at 1/128."),
]
Record = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="What else to keep of every epoch in the model file: learning_speed, of each layer, or training_score; "
        "repeat the option for both.",
    ),
]
Expand = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND",
        help="More training images from the ones there are: shift (by a pixel, four ways), rotate, elastic, "
        "distort (all three at once); repeat the option for several.",
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How a table is split 70/15/15: random, or blocks: the first rows train and the last test, for rows in "
        "the order of time.",
        show_default="random",
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What computes: numpy, at once, or jax, which compiles first.",
        show_default="auto, by the work",
    ),
]
Seed = Annotated[int, typer.Option(**WHOLE, help="Of the split, the first weights and the order of the examples.")]
Patience = Annotated[
    int | None,
    typer.Option(
        **WHOLE, help="Stop after so many epochs without a better validation score, or with bayesian a larger evidence."
    ),
]
TimeLimit = Annotated[float | None, typer.Option(**REAL, help="Stop after so many seconds, with the last whole epoch.")]
Devices = Annotated[
    str | None,
    typer.Option(
        metavar="N|all", help="Divide the examples among so many of JAX's devices.", show_default="one device"
    ),
]
Coordinator = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Of process 0, for a training in several processes; auto in a job of SLURM, MPI or Kubernetes.",
    ),
]
Processes = Annotated[int | None, typer.Option(**WHOLE, help="How many processes train together.")]
ProcessId = Annotated[int | None, typer.Option(**WHOLE, help="The number of this process, from 0; process 0 writes.")]
Checkpoint = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Keep what it takes to go on with this training in this folder, the last two."),
]
CheckpointEvery = Annotated[int | None, typer.Option(**WHOLE, help="Epochs between two checkpoints.", show_default="1")]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Go on from the last checkpoint in this folder, with the same options; --epochs may be more.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where to save the network.", show_default="the source's name"),
]
