"""`verbose` of an estimator, and scikit-learn's callbacks, which it has from version 1.9 on."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError
from deltarule.models.outcome import Outcome
from deltarule.training.session import Callback

HAS_CALLBACKS = find_spec("sklearn.callback") is not None
COLUMNS = ("cost", "validation_cost")


def train_with_callbacks(estimator: Any, epochs: int, train: Callable[[Sequence[Callback]], Outcome]) -> Outcome:
    """Call `train` with the callbacks that `verbose` and scikit-learn's callbacks ask for.

    scikit-learn's callbacks hear of the fit and of every epoch; one that returns True after an epoch ends the training.
    They see no estimator after an epoch, because several epochs may be computed before they are called.

    Raises:
        ConfigurationError: `verbose` is neither True, False nor a whole number of at least 0.
    """
    every = estimator.verbose
    if not isinstance(every, bool | int | np.integer) or every < 0:
        raise ConfigurationError(
            f"verbose must be True, False or a whole number of epochs, and is {every!r}: give 10, for example."
        )

    def print_costs(record: dict[str, Any]) -> None:
        epoch = int(record["epoch"])
        if epoch == 1 or epoch % every == 0:
            costs = [f"{name.replace('_', ' ')} {record[name]:.6g}" for name in COLUMNS if name in record]
            print(f"epoch {epoch}: {', '.join(costs)}")

    def fit(estimator: Any) -> Outcome:
        root = CallbackSupportMixin._init_callback_context(estimator, max_subtasks=epochs)
        root.call_on_fit_task_begin(estimator=estimator)

        def after_epoch(_: dict[str, Any]) -> bool:
            epoch = root.subcontext(task_name="epoch").call_on_fit_task_begin(estimator=estimator)
            return epoch.call_on_fit_task_end(estimator=estimator)

        outcome = train([*printing, after_epoch])
        root.call_on_fit_task_end(estimator=estimator)
        return outcome

    printing: list[Callback] = [print_costs] if every else []
    if getattr(estimator, "_skl_callbacks", None):
        from sklearn.callback import CallbackSupportMixin, with_callbacks

        outcome = with_callbacks(fit)(estimator)
    else:
        outcome = train(printing)
    if every:
        print(outcome.result.message)
    return outcome
