"""What serves the page, Starlette and uvicorn, or a sentence that says how to get them."""

from deltarule.errors import ConfigurationError, installing

try:
    import uvicorn
    import websockets  # noqa: F401  (uvicorn speaks through it)
    from starlette.applications import Starlette
    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, PlainTextResponse, Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect
except ModuleNotFoundError as error:
    raise ConfigurationError(
        f"the page needs the package {error.name!r}, which is not installed: {installing('play')}."
    ) from None

__all__ = [
    "HTMLResponse",
    "Headers",
    "PlainTextResponse",
    "Request",
    "Response",
    "Route",
    "Starlette",
    "WebSocket",
    "WebSocketDisconnect",
    "WebSocketRoute",
    "uvicorn",
]
