"""Who may talk to the server: the page that was opened by the printed address, on this machine, and nobody else.

Any page that the browser shows can send requests to a loopback port. So each request has to name this server as its
host (against DNS that is bound anew), come from no other origin, and know the token of the address.
"""

import hmac
import secrets
from typing import Any
from urllib.parse import parse_qs

from deltarule.play.packages import Headers, PlainTextResponse

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


class Guard:
    """ASGI middleware that refuses strangers and tells the browser what the page may do.

    Args:
        app: what answers those who may ask.
        port: of the server.
        ancestors: who may show the page in a frame, as a content security policy names them.
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
        """Answer a stranger with 403, anybody else by the app."""
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
        """Why a request is refused; None if it is not."""
        if headers.get("host", "").lower() not in self.hosts:
            return "the request is for another host"
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self.origins:
            return "the request comes from another page"
        given = parse_qs(query.decode("latin-1")).get("token", [""])[-1] if len(query) < 4096 else ""
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return "the token of the printed address is missing"
        return None
