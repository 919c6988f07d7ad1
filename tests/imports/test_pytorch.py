import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError

torch = pytest.importorskip("torch")
nn = torch.nn
X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)


@pytest.mark.parametrize(
    "activation", [nn.Tanh(), nn.Sigmoid(), nn.ReLU(), nn.Softplus(), nn.Softsign(), nn.Identity()], ids=str
)
def test_the_same_numbers(activation):
    torch.manual_seed(0)
    theirs = nn.Sequential(
        nn.Flatten(), nn.Sequential(nn.Linear(3, 6), activation, nn.Dropout()), nn.Linear(6, 2)
    ).eval()
    with torch.no_grad():
        wanted = theirs(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(dr.from_torch(theirs).predict(X.astype(float)), wanted, rtol=1e-5, atol=1e-6)


def test_classes_follow_a_softmax():
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Tanh(), nn.Linear(4, 2))
    with torch.no_grad():
        wanted = torch.softmax(theirs(torch.from_numpy(X)), dim=1).numpy()
    for module in (theirs, nn.Sequential(*theirs, nn.Softmax(dim=1))):
        model = dr.from_torch(module, classes=["no", "yes"], inputs=["a", "b", "c"])
        np.testing.assert_allclose(model.predict_proba(X.astype(float)), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(),
        nn.Sequential(nn.Conv1d(1, 1, 1)),
        nn.Sequential(nn.Tanh(), nn.Linear(2, 1)),
        nn.Sequential(nn.Linear(2, 1), nn.Softplus(beta=2)),
    ],
    ids=["nothing", "a convolution", "an activation first", "another softplus"],
)
def test_other_objects_are_refused(module):
    with pytest.raises(ConfigurationError, match="module"):
        dr.from_torch(module)
