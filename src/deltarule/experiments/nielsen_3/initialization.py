"""Old weights N(0, 1) against new weights N(0, 1/n_in), epoch by epoch."""

from deltarule.data import DataSet
from deltarule.experiments.handwriting import accuracy_row, curves, network, train_all
from deltarule.experiments.report import Row, Settings
from deltarule.inspection import plots

STARTS = {"old": "N(0, 1)", "new": "N(0, 1/n_in)"}
FIRST_EPOCH = {"old": "under 87 %", "new": "almost 93 %"}
IN_THE_END = "over 96 %"  # with both


def run(data: DataSet, settings: Settings) -> tuple[list[Row], dict[str, tuple], str]:
    """784-30-10, cross-entropy, eta 0.1, lambda 5, watched on the validation images."""
    rows, lines = [], {}
    epochs = 2 if settings.quick else 30
    for initializer, start in STARTS.items():
        net = network((30,), "cross-entropy", initializer)
        numbers = {"eta": 0.1, "l2": 5.0, "epochs": epochs}
        results = train_all(net, data.train, data.validation, settings, f"weights {start}", **numbers)
        lines[start] = curves(results)
        after_one = [float(run[0]) for run in lines[start]]
        rows.append(Row(f"weights {start}: validation images after 1 epoch", FIRST_EPOCH[initializer], after_one))
        name = f"weights {start}, {epochs} epochs"
        rows.append(accuracy_row(name, IN_THE_END, results, watched="validation", test=(net, data.test)))
    figure, (axes,) = plots.panels(size=(7.5, 4.2))
    plots.curves(lines, ylabel="validation accuracy, %", title="784-30-10, how the weights start", axes=axes)
    caption = "Accuracy on the validation images epoch by epoch, by the start of the weights: the runs and their mean"
    note = (
        "Initialisation: 784-30-10, cross-entropy, eta = 0.1, lambda = 5; the new weights begin as if ten epochs "
        "ahead, and both end alike."
    )
    return rows, {"initialisation": (figure, caption)}, note
