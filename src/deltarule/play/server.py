"""The server of the page, on the loopback interface, for browsers that have the address with its token.

Any page in a browser can send requests to a loopback port. So each request must name this server as its host (against
DNS rebinding), come from no other origin, and have the token of the address.
"""

import hmac
import secrets
import socket
import threading
import webbrowser
from typing import Any
from urllib.parse import parse_qs

from deltarule.errors import ConfigurationError
from deltarule.play.packages import (
    Headers,
    HTMLResponse,
    PlainTextResponse,
    Request,
    Response,
    Route,
    Starlette,
    WebSocket,
    WebSocketRoute,
    uvicorn,
)
from deltarule.play.page import ASSETS, asset, served_page

HOST = "127.0.0.1"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {socket}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MOST_BYTES = 2**16  # of a message of the page
MOST_PAGES = 8  # open at the same time
TRY_AGAIN_LATER = 1013


class Guard:
    """ASGI middleware that refuses foreign requests and sends the browser a content security policy.

    `ancestors` are the pages that may show this one in a frame, as the policy names them.
    """

    def __init__(self, app: Any, port: int, ancestors: str = "'none'"):
        self.app = app
        self.token = secrets.token_urlsafe(24)
        self.hosts = {f"{HOST}:{port}", f"localhost:{port}"}
        self.origins = {f"http://{host}" for host in self.hosts}
        socket = " ".join(sorted(f"ws://{host}" for host in self.hosts))
        policy = POLICY.format(socket=socket, ancestors=ancestors)
        self.headers = {**HEADERS, "Content-Security-Policy": policy}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a foreign request with 403, any other with the app."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(Headers(scope=scope), scope.get("query_string", b""))
        if refusal is None and scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            refusal = "only GET is answered"

        async def sending(message: Any) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message.setdefault("headers", [])
                message["headers"] += [(k.lower().encode(), v.encode()) for k, v in self.headers.items()]
            await send(message)

        if refusal is None:
            await self.app(scope, receive, sending)
        elif scope["type"] == "websocket":
            await receive()  # the request to connect
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})  # before it is accepted: 403
        else:
            await PlainTextResponse(f"Refused: {refusal}.\n", 403)(scope, receive, sending)

    def refusal(self, headers: Headers, query: bytes) -> str | None:
        """The reason to refuse a request, or None."""
        if headers.get("host", "").lower() not in self.hosts:
            return "the request is for another host"
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self.origins:
            return "the request comes from another page"
        token = parse_qs(query.decode("latin-1")).get("token", [""])[-1] if len(query) < 4096 else ""
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return "the token of the printed address is missing"
        return None


class Server:
    """The server of a page. It opens the port, 0 for any free one, when it is made, so that its address is known.

    Raises:
        ConfigurationError: the port cannot be opened.
    """

    def __init__(self, port: int = 0, ancestors: str = "'none'"):
        self.listening = socket.socket()
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.listening.bind((HOST, port))
        except (OSError, OverflowError) as error:
            self.listening.close()
            raise ConfigurationError(f"port {port} cannot be opened ({error}): give another one, or 0.") from None
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
        """The address to open in a browser."""
        return f"http://{HOST}:{self.port}/?token={self.guard.token}"

    async def serve_page(self, page: WebSocket) -> None:
        """Serve one page until it is closed."""
        raise NotImplementedError

    def run(self) -> None:
        """Serve until `stop` is called, or until Ctrl-C in the main thread."""
        self.uvicorn.run(sockets=[self.listening])

    def start(self) -> threading.Thread:
        """Serve in a new thread, which ends with the process."""
        thread = threading.Thread(target=self.run, name="deltarule play", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Stop serving."""
        self.uvicorn.should_exit = True

    def open_browser(self) -> None:
        """Open the page in the browser without waiting for it."""
        threading.Thread(target=webbrowser.open, args=(self.address,), daemon=True).start()

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(served_page(self.guard.token))

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ASSETS:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        return Response(asset(name), media_type=ASSETS[name])

    async def _connect(self, page: WebSocket) -> Any:
        if self.pages >= MOST_PAGES:
            await page.accept()
            await page.close(TRY_AGAIN_LATER, "too many pages are open")
            return
        self.pages += 1
        try:
            await self.serve_page(page)
        finally:
            self.pages -= 1


class Playground(Server):
    """The server of `deltarule play`: every page has its own lesson."""

    def __init__(self, problem: Any, port: int = 0):
        super().__init__(port)
        self.problem = problem

    async def serve_page(self, page: WebSocket) -> None:
        """Serve a page with a new lesson on the problem."""
        from deltarule.play.connection import LessonConnection
        from deltarule.play.lesson import Lesson

        await LessonConnection(page, Lesson(self.problem)).serve()
