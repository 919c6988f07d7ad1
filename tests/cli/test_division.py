"""Which devices and which rows are this process's, as the options of the command line say."""

from types import SimpleNamespace

import numpy as np
import pytest

from deltarule.cli.division import among, division, leads
from deltarule.errors import ConfigurationError

jax = pytest.importorskip("jax")


def choices(devices=None, coordinator=None):
    return SimpleNamespace(devices=devices, coordinator=coordinator)


def test_without_options_nothing_is_divided():
    devices, share = division(choices())
    x, y = np.zeros(3), np.ones(3)
    assert devices is None
    assert share(x, y)[0] is x
    assert share(x, y)[1] is y
    assert leads(choices())


def test_without_a_coordinator_a_folder_is_measured_alone():
    assert among(choices())[:2] == (0, 1)
    assert among(choices("all"))[:2] == (0, 1)  # the devices of one process
    i, of, everyones = among(choices(coordinator="127.0.0.1:1"))
    assert (i, of, everyones(b"found")) == (0, 1, [b"found"])  # nobody has joined


@pytest.mark.parametrize("given", ["1", "all"])
def test_devices_are_counted_from_the_first(given):
    devices, share = division(choices(given))
    assert devices == (jax.devices() if given == "all" else jax.devices()[:1])
    np.testing.assert_array_equal(share(np.arange(5))[0], np.arange(5))  # one process has all rows


def test_more_devices_than_there_are_is_refused_with_the_way_out():
    count = len(jax.devices()) + 1
    with pytest.raises(ConfigurationError, match=f"--devices is {count}, .*device_count={count}"):
        division(choices(str(count)))


@pytest.mark.parametrize("first", [True, False])
def test_with_a_coordinator_one_process_leads_and_every_device_takes_part(monkeypatch, first):
    monkeypatch.setattr("deltarule.engine.processes.leads", lambda: first)
    given = choices(coordinator="127.0.0.1:1")
    assert leads(given) is first
    assert division(given)[0] == jax.devices()
