"""The promise of two engines: one step of every trainer, every activation x cost and every layer agree to 1e-12.

Relative to the largest number of each array, in float64, at points of ordinary size. Whole trainings are compared in
`convergence`, and convolutions besides with XLA's own in `oracle/test_convolution`.
"""

import itertools

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines_of
from deltarule.network.activations import ACTIVATIONS
from deltarule.network.costs import COSTS
from deltarule.network.layers import LAYER_KINDS, Pass
from engines import WITHOUT_JAX, assert_close, on

pytestmark = [WITHOUT_JAX, pytest.mark.usefixtures("float64")]
DRAW = np.random.default_rng(0)


def agree(compute, *given, floor=0.0):
    """Hold compute(*given) of NumPy's arrays against the same of JAX's, compiled."""
    ours, theirs = (engines_of.get(name).call(compute, *on(name, given)) for name in ("numpy", "jax"))
    assert_close(ours, theirs, floor=floor)


# Activations and costs


def points(output, cost):
    """z (5, 3) whose outputs the cost takes, targets, and two directions."""
    draw = np.random.default_rng(1)
    z = (
        draw.uniform(0.2, 0.8, (5, 3))
        if output in ("relu", "linear", "tanh", "elliotsig")
        else draw.normal(size=(5, 3))
    )
    z = -abs(z) - 0.1 if output == "softplus" else z
    y = draw.dirichlet(np.ones(3), 5) if cost != "quadratic" or output == "softmax" else draw.uniform(size=(5, 3))
    return z, y, draw.normal(size=(5, 3)), draw.normal(size=(5, 3))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name):
    activation = ACTIVATIONS[name]

    def everything(z, v, dz, ddz):
        a = activation.sigma(z)
        return [
            a,
            activation.slope(z, a),
            activation.curvature(z, a),
            activation.times_slope(z, a, v),
            activation.slope_tangent(z, a, dz, v, ddz),
            activation.second_tangent(z, a, dz, ddz),
        ]

    agree(everything, *np.random.default_rng(2).normal(size=(4, 6, 5)), floor=1e-3)


@pytest.mark.parametrize(("name", "output"), list(itertools.product(COSTS, ACTIVATIONS)))
def test_every_activation_and_cost(name, output):
    cost, activation = COSTS[name], ACTIVATIONS[output]

    def everything(z, y, dz, ddz):
        a = activation.sigma(z)
        found = [cost.value(activation, z, a, y), cost.slope(a, y), cost.output_error(activation, z, a, y)]
        if activation.trainable:
            found += [
                cost.output_error_tangent(activation, z, a, y, dz),
                *cost.gauss_newton(activation, z, a, y),
                cost.residual_acceleration(activation, z, a, y, dz, ddz),
            ]
        return found

    agree(everything, *points(output, name), floor=1e-3)  # an exponential output has tangents of 0 in exact numbers


# Layers

IMAGES = (3, 6, 7, 2)
LAYERS = [
    (dr.Dense(4, "tanh"), (5, 3)),
    (dr.Dense(20, "softplus"), (3, 15)),
    (dr.Dense(3, "softmax"), (5, 4)),
    (dr.Convolution(2, 3, "tanh"), IMAGES),
    (dr.Convolution(3, (3, 2), "sigmoid", (2, 1), "same"), IMAGES),
    (dr.MaxPool(2), IMAGES),
    pytest.param(dr.MaxPool((3, 2), 1, "same"), IMAGES, marks=pytest.mark.slow),
    pytest.param(dr.MeanPool(2), IMAGES, marks=pytest.mark.slow),
    (dr.MeanPool((2, 3), (1, 2), "same"), IMAGES),
    pytest.param(dr.L2Pool(2), IMAGES, marks=pytest.mark.slow),
    (dr.L2Pool((2, 3), (2, 1)), IMAGES),
    (dr.Flatten(), IMAGES),
    (dr.Reshape((3, 4)), (5, 12)),
    (dr.Dropout(0.4), (5, 6)),
    (dr.Dense(4, "tanh"), (3, 5, 2)),
    (dr.Recurrent(3, "sigmoid"), (3, 5, 2)),
    (dr.Recurrent(3, sequences=False, truncate=2), (3, 5, 2)),
    (dr.GRU(3), (3, 5, 2)),
    pytest.param(dr.GRU(2, sequences=False), (3, 5, 2), marks=pytest.mark.slow),
    (dr.LSTM(3, truncate=3), (3, 5, 2)),
    (dr.LSTM(2, sequences=False), (3, 5, 2)),
]


def test_every_layer_is_here():
    assert {type(one[0]) for one in LAYERS if len(one) == 2} == set(LAYER_KINDS.values())  # of the quick ones


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda each: getattr(each, "label", None))
def test_every_layer(layer, shape):
    draw = np.random.default_rng(3)
    out = (shape[0], *layer.output_shape(shape[1:]))
    shapes = layer.parameter_shapes(shape[1:])
    params, dparams = ({name: draw.normal(size=s) / 2 for name, s in shapes.items()} for _ in range(2))
    below = draw.normal(size=(3, *shape))  # a, da and dda of the layer below
    above = draw.normal(size=(2, *out))  # dC/da and its tangent
    z = layer.forward(params, below[0]).z.shape
    delta, residuals = draw.normal(size=z), draw.normal(size=(z[0], 2, *z[1:]))

    def everything(params, dparams, below, above, delta, residuals):
        (a, da, dda), (dC_da, ddC_da) = below, above
        values = layer.forward(params, a)
        tangents, along = layer.tangent(values, dparams, da), layer.tangent_along_gradient(values, delta, da)
        error = layer.error(values, dC_da)
        E = engines_of.of(a)
        pairs = layer.jacobian_transpose(values, residuals)
        return [
            values.z,
            values.a,
            layer.slope(values),
            error,
            layer.propagate(values, delta),
            layer.gradient(values, delta),
            tangents,
            layer.tangent(values, dparams, None),
            layer.second_tangent(values, tangents, dda),
            along,
            layer.second_tangent(values, along, dda),
            layer.error_tangent(values, tangents, dC_da, ddC_da),
            layer.propagate_tangent(values, tangents, delta, error),
            layer.gradient_tangent(values, tangents, delta, error),
            E.khatri_rao_rows(pairs) if pairs else None,
            layer.squared_jacobian(values, residuals),
            layer.gram((values.a_prev, tangents.da_prev), (residuals, residuals)),
            layer.unit_tangent(values, None) if layer.unit_tangents else None,
        ]

    agree(everything, params, dparams, below, above, delta, residuals, floor=1e-3)


def test_the_gram_of_dense_in_parts():
    layer, draw = dr.Dense(4), np.random.default_rng(4)
    M = draw.normal(size=(10, 10))
    covariance = {"W": draw.uniform(0.1, 2, 3), "b": np.array(0.3)}

    def everything(a, residuals, M, covariance):
        values = Pass({}, a, a, a)
        return [layer.gram_diagonal(values, residuals, covariance), layer.gram_trace(values, residuals, M)]

    agree(everything, draw.normal(size=(5, 3)), draw.normal(size=(5, 2, 4)), M + M.T, covariance)


# Networks

STACKS = {
    "dense": (dr.Network([dr.Dense(6, "tanh"), dr.Dense(3, "softmax")], "log-likelihood"), (4,)),
    "images": (
        dr.Network(
            [dr.Convolution(3, 3, "relu"), dr.MaxPool(2), dr.Flatten(), dr.Dense(5, "sigmoid"), dr.Dense(3, "sigmoid")],
            "cross-entropy",
        ),
        (8, 7, 1),
    ),
}


@pytest.mark.parametrize("stack", STACKS)
def test_outputs_gradients_traces_and_gradient_checks(stack):
    net, shape = STACKS[stack]
    X, labels = DRAW.normal(size=(9, *shape)), np.arange(9) % 3
    params = net.init(1, shape, "float64")
    found = []
    for name in ("numpy", "jax"):
        own = on(name, params)
        found.append([net(own, X), net.cost_and_gradient(own, X, labels), list(net.trace(own, X[0], labels[0]).layers)])
        assert dr.check_gradient(net, own, X, labels) < 1e-6
    assert_close(*found)


# One step, or one epoch of steps on batches, of every trainer

X = DRAW.uniform(-1, 1, (40, 2))
Y = np.stack([np.sin(3 * X[:, 0]), X[:, 0] * X[:, 1]], axis=1)
WEIGHTS = DRAW.uniform(0.5, 2, 40)
CURVE = dr.Network([dr.Dense(6, "tanh"), dr.Dense(2, "linear")])  # 32 parameters
CLASSES = dr.Network([dr.Dense(5, "sigmoid"), dr.Dense(2, "softmax")], "log-likelihood")
LABELS = (Y[:, 1] > 0).astype(int)
FEW = 12  # examples, whose 24 residuals are fewer than the parameters

DESCENT = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "adam": {"rule": "adam"},
    "l2": {"l2": 0.5},
    "l1": {"l1": 0.5},
    "max-norm": {"max_norm": 0.8},
    "schedule": {"schedule": lambda t: 1 / (1 + t)},
}


def train_on_both(net, x, y, epochs=1, **options):
    """The results of the same training on NumPy and on JAX."""
    start = net.init(2, x.shape[1:], "float64")
    options = {"epochs": epochs, "params": start, "seed": 5, "dtype": "float64"} | options
    ours, theirs = (dr.train(net, x, y, engine=name, **options) for name in ("numpy", "jax"))
    assert (ours.engine, theirs.engine) == ("numpy", "jax")
    assert ours.history.keys() == theirs.history.keys()
    return ours, theirs


def assert_same_step(ours, theirs):
    """Parameters and costs to 1e-12, counts exactly."""
    assert_close(ours.params, theirs.params)
    for name in ("cost", "gradient_norm", "lambda", "log_evidence", "gamma", "beta", "alpha", "radius", "step_norm"):
        if name in ours.history:
            assert_close(ours.history[name], theirs.history[name])
    for name in ("accepted", "rejected", "trial_verdict", "products", "negative_curvature"):
        if name in ours.history:
            np.testing.assert_array_equal(ours.history[name], theirs.history[name])
    assert ours.stop_reason == theirs.stop_reason


@pytest.mark.parametrize(
    ("rule", "batch_size"),
    [
        *((rule, 7) for rule in DESCENT),
        ("l1", None),
        *(pytest.param(rule, None, marks=pytest.mark.slow) for rule in ("plain", "adam")),
    ],
)
def test_gradient_descent(rule, batch_size):
    """Three epochs, so that what a rule remembers counts; 40 examples are five batches of 7 and one of 5."""
    trainer = dr.GradientDescent(eta=0.05, batch_size=batch_size, **DESCENT[rule])
    assert_same_step(*train_on_both(CLASSES, X, LABELS, epochs=3, trainer=trainer, weights=WEIGHTS))


def test_gradient_descent_on_draws_with_replacement_and_validation_data():
    trainer = dr.GradientDescent(eta=0.1, batch_size=8, sampling="uniform", no_improvement=1)
    options = {"validation_data": (X[:15], LABELS[:15]), "record": ["learning_speed", "training_score"]}
    ours, theirs = train_on_both(CLASSES, X[15:], LABELS[15:], epochs=4, trainer=trainer, **options)
    assert_same_step(ours, theirs)
    for name in ("validation_cost", "validation_accuracy", "eta", "learning_speed", "training_cost"):
        assert_close(ours.history[name], theirs.history[name])


def test_gradient_descent_on_images():
    net, shape = STACKS["images"]
    x = DRAW.normal(size=(12, *shape))
    trainer = dr.GradientDescent(eta=0.1, batch_size=5, momentum=0.5)
    assert_same_step(*train_on_both(net, x, np.arange(12) % 3, trainer=trainer))


LEVENBERG_MARQUARDT = {
    "primal": {"solver": "primal"},
    "dual": {"solver": "dual"},
    "conjugate gradients": {"solver": "cg", "cg_tolerance": 1e-14, "cg_iterations": 500},
    "primal, l2": {"solver": "primal", "l2": 0.3},
    "dual, l2": {"solver": "dual", "l2": 0.3},
    "neither corrected nor refitted": {"solver": "primal", "acceleration": False, "refit": False},
    "batches": {"solver": "primal", "batch_size": 15, "damping": 0.1},
}


@pytest.mark.parametrize("form", LEVENBERG_MARQUARDT)
def test_levenberg_marquardt(form):
    few = FEW if "dual" in form else None
    trainer = dr.LevenbergMarquardt(**LEVENBERG_MARQUARDT[form])
    ours, theirs = train_on_both(CURVE, X[:few], Y[:few], trainer=trainer, weights=WEIGHTS[:few])
    assert_same_step(ours, theirs)
    assert ours.history["accepted"][0] > 0


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_levenberg_marquardt_for_classes(solver):
    few = FEW if solver == "dual" else None
    assert_same_step(*train_on_both(CLASSES, X[:few], LABELS[:few], trainer=dr.LevenbergMarquardt(solver=solver)))


@pytest.mark.parametrize(
    ("batch_size", "l2", "radius"),  # each two of them meet quickly
    [
        pytest.param(*one, marks=() if (one[0] is None) ^ (one[1] is None) ^ (one[2] > 1) else pytest.mark.slow)
        for one in itertools.product((None, 15), (None, 0.3), (0.3, 100.0))
    ],
)
def test_newton_cg(batch_size, l2, radius):
    """Steps that end at the edge of the region: at once, and after several products and smaller radii."""
    trainer = dr.NewtonCG(batch_size=batch_size, l2=l2, cg_tolerance=1e-10, radius=radius)
    assert_same_step(*train_on_both(CLASSES, X, LABELS, trainer=trainer, weights=WEIGHTS))


def test_newton_cg_inside_its_region():
    """Of a convex objective conjugate gradients end where Newton's step is found; how many products is rounding."""
    net = dr.Network([dr.Dense(2, "softmax")], "log-likelihood")
    trainer = dr.NewtonCG(l2=1.0, cg_tolerance=1e-13, radius=100.0)
    ours, theirs = train_on_both(net, X, LABELS, trainer=trainer, weights=WEIGHTS)
    assert ours.history["step_norm"][0] < 0.9 * ours.history["radius"][0]
    assert ours.history["rejected"][0] == 0
    assert_close(ours.params, theirs.params)


SEQUENCES = DRAW.normal(size=(9, 6, 2))  # the last three of four steps
SEQUENCES[6:, 4:] = np.nan
STEPS = {
    "every step": (dr.Network([dr.Recurrent(3), dr.GRU(2), dr.Dense(1, "linear")]), DRAW.normal(size=(9, 6, 1))),
    "the last": (dr.Network([dr.LSTM(2, sequences=False), dr.Dense(2, "softmax")], "log-likelihood"), np.arange(9) % 2),
    "classes": (
        dr.Network([dr.LSTM(2), dr.Dense(2, "tanh"), dr.Dense(3, "softmax")], "log-likelihood"),
        DRAW.integers(0, 3, (9, 6)),
    ),
}
OVER_TIME = {
    "batches": dr.GradientDescent(eta=0.02, batch_size=4, momentum=0.5, l2=0.1),
    "full batch": dr.GradientDescent(eta=0.02, rule="adam", max_norm=0.9),
    "primal": dr.LevenbergMarquardt(solver="primal", l2=0.1),
    "dual": dr.LevenbergMarquardt(solver="dual", l2=0.1),
    "auto": dr.LevenbergMarquardt(),
    "conjugate gradients": dr.LevenbergMarquardt(solver="cg", cg_tolerance=1e-14, cg_iterations=500),
    "batches of steps": dr.LevenbergMarquardt(batch_size=5),
    "newton-cg": dr.NewtonCG(cg_tolerance=1e-10, l2=0.1, radius=1.0),
    "l-bfgs": dr.LBFGS(2, l2=0.1),
}


# Every trainer, kind of layer and kind of target; all that a trainer does with each of them is slow.
QUICK = {
    ("every step", "primal"),
    ("every step", "newton-cg"),
    ("every step", "batches of steps"),
    ("the last", "dual"),
    ("the last", "conjugate gradients"),
    ("the last", "l-bfgs"),
    ("classes", "batches"),
    ("classes", "full batch"),
    ("classes", "auto"),
}


@pytest.mark.parametrize(
    ("kind", "trainer"),
    [pytest.param(*one, marks=() if one in QUICK else pytest.mark.slow) for one in itertools.product(STEPS, OVER_TIME)],
)
def test_layers_with_a_memory_in_every_trainer(kind, trainer):
    """Sequences of different lengths, with validation data."""
    net, targets = STEPS[kind]
    options = {"validation_data": (SEQUENCES[:4], targets[:4]), "trainer": OVER_TIME[trainer]}
    ours, theirs = train_on_both(net, SEQUENCES, targets, epochs=2, **options)
    assert_same_step(ours, theirs)
    for name in ("validation_cost", "validation_accuracy"):
        assert_close(ours.history[name], theirs.history[name])


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_bayesian_regularisation(solver):
    few = FEW if solver == "dual" else None
    trainer = dr.BayesianRegularization(solver=solver)
    ours, theirs = train_on_both(CURVE, X[:few], Y[:few], epochs=2, trainer=trainer)
    assert_same_step(ours, theirs)
    assert ours.history["accepted"].all()
