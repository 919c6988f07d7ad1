"""The server of the page: on the loopback interface, for whoever has the address with its token."""

import socket
import threading
import webbrowser
from typing import Any

from deltarule.errors import ConfigurationError
from deltarule.play.guard import HOST, Guard
from deltarule.play.packages import (
    HTMLResponse,
    Request,
    Response,
    Route,
    Starlette,
    WebSocket,
    WebSocketRoute,
    uvicorn,
)
from deltarule.play.page import ASSETS, asset, served

MOST_BYTES = 2**16  # of one message of the page
MOST_PAGES = 8  # open at once
BUSY = 1013


class Server:
    """A page at an address; the port is taken at once, so that the address is known before anything is loaded.

    Args:
        port: 0 takes any free one.
        ancestors: who may show the page in a frame.

    Raises:
        ConfigurationError: the port cannot be had.
    """

    def __init__(self, port: int = 0, ancestors: str = "'none'"):
        self.listening = socket.socket()
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.listening.bind((HOST, port))
        except (OSError, OverflowError) as error:
            self.listening.close()
            raise ConfigurationError(f"port {port} cannot be had ({error}): give another one, or 0 for any.") from None
        self.listening.listen(64)
        self.port = self.listening.getsockname()[1]
        routes = [
            Route("/", self._page),
            Route("/{name}", self._asset),
            WebSocketRoute("/socket", self._connect),
        ]
        self.guard = Guard(Starlette(routes=routes), self.port, ancestors)
        self.pages = 0
        config = uvicorn.Config(
            self.guard,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=MOST_BYTES,
            ws_per_message_deflate=False,
            h11_max_incomplete_event_size=MOST_BYTES,
            limit_concurrency=64,
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        self.uvicorn = uvicorn.Server(config)

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/?token={self.guard.token}"

    async def serve_page(self, page: WebSocket) -> None:
        """Talk to one page until it is closed."""
        raise NotImplementedError

    def run(self) -> None:
        """Serve until `stop`, or Ctrl-C in the main thread."""
        self.uvicorn.run(sockets=[self.listening])

    def start(self) -> threading.Thread:
        """Serve in a thread of its own, which ends with the process."""
        thread = threading.Thread(target=self.run, name="deltarule play", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End serving."""
        self.uvicorn.should_exit = True

    def open_browser(self) -> None:
        """Show the page, without waiting for it."""
        threading.Thread(target=webbrowser.open, args=(self.address,), daemon=True).start()

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(served(self.guard.token))

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ASSETS:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        return Response(asset(name), media_type=ASSETS[name])

    async def _connect(self, page: WebSocket) -> Any:
        if self.pages >= MOST_PAGES:
            await page.accept()
            await page.close(BUSY, "too many pages are open")
            return
        self.pages += 1
        try:
            await self.serve_page(page)
        finally:
            self.pages -= 1


class Playground(Server):
    """A lesson of its own for each page."""

    def __init__(self, problem: Any, port: int = 0):
        super().__init__(port)
        self.problem = problem

    async def serve_page(self, page: WebSocket) -> None:
        """A lesson on the problem."""
        from deltarule.play.connection import LessonConnection
        from deltarule.play.lesson import Lesson

        await LessonConnection(page, Lesson(self.problem)).serve()
