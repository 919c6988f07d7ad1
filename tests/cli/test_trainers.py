import pytest

import deltarule as dr
from deltarule.cli.trainers import TRAINERS, Settings


@pytest.mark.parametrize("name", list(TRAINERS))
def test_every_row_builds_its_trainer(name):
    row = TRAINERS[name]
    for kind in ("images", "classification", "regression"):
        settings = Settings(eta=row.eta.get(kind), batch_size=row.batch_size, momentum=row.momentum, l2=0.5)
        trainer = row.build(settings)
        if "--l2" in row.takes:
            assert trainer.l2 == 0.5
            assert trainer.batch_size == row.batch_size
        if "--eta" in row.takes:
            assert trainer.eta == row.eta[kind]


def test_rows_without_a_learning_rate_name_none():
    assert all(bool(row.eta) == ("--eta" in row.takes) for row in TRAINERS.values())


def test_lm_is_levenberg_marquardt():
    assert isinstance(TRAINERS["lm"].build(Settings(None, None, None, None)), dr.LevenbergMarquardt)


def test_bayesian_stops_by_its_patience():
    trainer = TRAINERS["bayesian"].build(Settings(None, None, None, None, patience=4))
    assert isinstance(trainer, dr.BayesianRegularization)
    assert trainer.max_fail == 4
    assert not TRAINERS["bayesian"].validated


def test_newton_cg_is_the_hessian_technique():
    assert isinstance(TRAINERS["newton-cg"].build(Settings(None, None, None, None)), dr.NewtonCG)
