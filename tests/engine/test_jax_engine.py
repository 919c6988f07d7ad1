"""Names of the JAX engine; `test_agreement` compares its results with those of NumPy."""

from types import SimpleNamespace

import pytest

pytest.importorskip("jax", reason="JAX is not installed")
jax_engine = pytest.importorskip("deltarule.engine.jax_engine")


@pytest.mark.parametrize(
    ("platform", "kind", "words"), [("cpu", "cpu", "JAX on cpu"), ("gpu", "NVIDIA H100", "JAX on gpu, NVIDIA H100")]
)
def test_a_device_is_named_once(monkeypatch, platform, kind, words):
    monkeypatch.setattr("jax.devices", lambda: [SimpleNamespace(platform=platform, device_kind=kind)])
    assert jax_engine.device() == words
