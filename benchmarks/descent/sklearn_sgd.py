"""scikit-learn's MLPClassifier(solver="sgd") without momentum and penalty; partial_fit is one pass in batches."""

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.descent.task import Start, Task


class ScikitLearn:
    """MLPClassifier on float32, which it keeps throughout."""

    def __init__(self, task: Task):
        """Let partial_fit make its arrays, then write the common start into them."""
        hidden = task.layers[0][2]
        self.X, self.labels, self.steps = task.X, task.labels, task.steps()
        self.model = MLPClassifier(
            tuple(layer[1] for layer in task.layers[:-1]),
            activation={"sigmoid": "logistic"}.get(hidden, hidden),
            solver="sgd",
            alpha=0.0,
            batch_size=task.batch,
            learning_rate_init=task.eta,
            momentum=0.0,
            nesterovs_momentum=False,
            random_state=0,
        )
        rows = np.arange(task.batch)
        self.model.partial_fit(task.X[rows], self.labels[rows], classes=np.arange(10))
        for i, (W, b) in enumerate(task.start):
            self.model.coefs_[i][...], self.model.intercepts_[i][...] = W.T, b

    def epoch(self) -> None:
        """Run one pass."""
        self.model.partial_fit(self.X, self.labels)

    def params(self) -> Start:
        """Return W and b; scikit-learn stores (in, out)."""
        return [(W.T.copy(), b.copy()) for W, b in zip(self.model.coefs_, self.model.intercepts_, strict=True)]
