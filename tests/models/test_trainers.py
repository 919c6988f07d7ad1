import pytest

import deltarule as dr
from deltarule.models.recipe import Recipe
from deltarule.models.trainers import TRAINERS


@pytest.mark.parametrize("name", list(TRAINERS))
def test_every_row_builds_its_trainer(name):
    row = TRAINERS[name]
    for kind in ("images", "stack", "classification", "regression"):
        settings = Recipe(eta=row.eta.get(kind), batch_size=row.batch_size, momentum=row.momentum, l2=0.5, patience=4)
        trainer = row.build(settings)
        assert trainer == row.build(settings)  # so that nothing compiles again
        if "l2" in row.options:
            assert trainer.l2 == 0.5
            assert trainer.batch_size == row.batch_size
        if "eta" in row.options:
            assert trainer.eta == row.eta[kind]


def test_trainers_without_a_learning_rate():
    assert all(bool(row.eta) == ("eta" in row.options) for row in TRAINERS.values())


def test_the_trainers_of_curvature():
    assert isinstance(TRAINERS["lm"].build(Recipe()), dr.LevenbergMarquardt)
    assert isinstance(TRAINERS["newton-cg"].build(Recipe()), dr.NewtonCG)
    trainer = TRAINERS["bayesian"].build(Recipe(patience=4))
    assert isinstance(trainer, dr.BayesianRegularization)
    assert trainer.max_fail == 4
    assert [name for name, row in TRAINERS.items() if row.hidden] == ["lm", "newton-cg"]
