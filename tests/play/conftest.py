"""A server of the page in a thread, and a browser that looks at it where one is installed."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEW = {"viewport": {"width": 1440, "height": 960}, "reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def threads() -> Iterator[list[Any]]:
    """The threads of the servers that tests have told to end; each takes a fifth of a second, so nobody waits."""
    started: list[Any] = []
    yield started
    for thread in started:
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def served(threads: list[Any]) -> Iterator[Callable[..., Any]]:
    """A function that serves a problem and returns the server; all are told to end after the test."""
    for package in ("starlette", "uvicorn", "websockets"):
        pytest.importorskip(package)
    from deltarule.play.server import Playground

    with ExitStack() as stack:

        def serve(problem: Any) -> Any:
            server = Playground(problem)
            threads.append(server.start())
            stack.callback(server.stop)
            return server

        yield serve


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """A function that opens an address in a page of its own; an error on any page fails the test."""
    with ExitStack() as stack:
        wrong: list[str] = []

        def open_page(address: str, **options: Any) -> Any:
            context = browser.new_context(**VIEW | options)
            stack.callback(context.close)
            return opened_at(watched(context.new_page(), wrong), address)

        yield open_page
        assert wrong == []


def watched(page: Any, wrong: list[str]) -> Any:
    """The page, whose errors are added to `wrong`."""
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    return page


def opened_at(page: Any, address: str) -> Any:
    """The page, at an address, with its first frame drawn."""
    page.goto(address)
    page.locator("#steps button").first.wait_for()
    return page


def sent(socket: Any, **message: Any) -> None:
    """Send one of the page's messages."""
    socket.send(json.dumps(message))


def heard(socket: Any, kind: str, timeout: float = 20) -> dict[str, Any]:
    """The next message of this kind; frames on the way to it are acknowledged as the page does."""
    while True:
        message = json.loads(socket.recv(timeout=timeout))
        if message["kind"] == "frame":
            sent(socket, do="shown")
        if message["kind"] == kind:
            return message
