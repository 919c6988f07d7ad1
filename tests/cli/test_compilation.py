import pytest

from deltarule.cli import compilation


@pytest.fixture
def settings(monkeypatch):
    """What the function would have set, caught before it reaches JAX."""
    caught = {}
    monkeypatch.setattr("jax.config.update", caught.__setitem__)
    return caught


@pytest.fixture
def keep():
    """The function itself: the tests of the commands put another in its place."""
    return ORIGINAL


ORIGINAL = compilation.keep_compiled_code


def test_compiled_code_goes_to_the_users_cache(keep, settings, tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    folder = keep()
    assert folder == tmp_path / "deltarule" / "compiled"
    assert folder.is_dir()
    assert settings["jax_compilation_cache_dir"] == str(folder)
    assert settings["jax_persistent_cache_min_compile_time_secs"] == 0


def test_a_cache_that_cannot_be_written_is_done_without(keep, settings, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "file" / name))
    assert keep() is None
    assert settings == {}
