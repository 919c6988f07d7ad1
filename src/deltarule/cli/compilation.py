"""The compilation cache: what JAX compiled for one command serves the next. Only the command line sets it."""

import tempfile
from pathlib import Path


def keep_compiled_code() -> Path | None:
    """Have JAX keep every compiled program in the user's cache folder; None where that cannot be written."""
    import jax

    try:
        from platformdirs import user_cache_dir

        folder = Path(user_cache_dir("deltarule")) / "compiled"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (ImportError, OSError):  # the cache saves time and is needed for nothing
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return folder
