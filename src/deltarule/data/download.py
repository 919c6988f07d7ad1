"""Fetching a file from the first mirror that has it."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deltarule.data.optional import require
from deltarule.errors import DataError


def download(name: str, folder: Path, base_urls: Sequence[str], progress: Any = None) -> Path:
    """Download `name` into `folder` from the first of the mirrors that answers.

    The file appears under its name only when it is whole. What it holds is the caller's to check.

    Args:
        name: the file's name, at the mirrors and in the folder.
        folder: where to put it; made if absent.
        base_urls: the mirrors' addresses, each ending in "/", tried in order.
        progress: an object like a tqdm bar (`total`, `update`, `reset`, `close`) that is told of each piece,
            or None.

    Returns:
        The path of the file.

    Raises:
        DataError: pooch is not installed, the folder cannot be written, or no mirror gave the file; the
            sentence names each address tried and what went wrong there.
    """
    pooch = require("pooch", "a download")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"the cache folder {folder} cannot be made ({error.strerror}): use --data-dir") from None
    bar = False if progress is None else progress
    failures = []
    for base_url in base_urls:
        url = base_url + name
        try:
            with _quiet(pooch.get_logger()):
                pooch.retrieve(url, known_hash=None, fname=name, path=folder, progressbar=bar)
            return folder / name
        except (OSError, ValueError) as error:  # every error of requests is an OSError
            failures.append(f"{url} ({_reason(error)})")
    raise DataError(
        f"{name} could not be downloaded; tried {', '.join(failures) or 'no address'}: put MNIST's four "
        "files in a folder yourself and name it with --data-dir"
    )


def _reason(error: Exception) -> str:
    """Say in a few words why an address failed."""
    response = getattr(error, "response", None)
    return f"HTTP status {response.status_code}" if response is not None else type(error).__name__


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from writing its progress to standard error; what matters goes through `progress`."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
