import pytest

from deltarule.errors import ConfigurationError
from deltarule.experiments import EXPERIMENTS, Settings, choose, run


def test_all_means_every_one_in_order():
    assert choose("all") == tuple(EXPERIMENTS)
    assert choose("higham") == ("higham",)


def test_another_name_is_refused():
    with pytest.raises(ConfigurationError, match="experiment 'nielsen-9'"):
        run("nielsen-9", Settings())
