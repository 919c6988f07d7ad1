"""Import the packages that serve the page, Starlette and uvicorn, or say how to install them."""

from deltarule.errors import ConfigurationError, how_to_install

try:
    import uvicorn as uvicorn
    import websockets  # noqa: F401  (uvicorn speaks through it)
    from starlette.applications import Starlette as Starlette
    from starlette.datastructures import Headers as Headers
    from starlette.requests import Request as Request
    from starlette.responses import HTMLResponse as HTMLResponse
    from starlette.responses import PlainTextResponse as PlainTextResponse
    from starlette.responses import Response as Response
    from starlette.routing import Route as Route
    from starlette.routing import WebSocketRoute as WebSocketRoute
    from starlette.websockets import WebSocket as WebSocket
    from starlette.websockets import WebSocketDisconnect as WebSocketDisconnect
except ModuleNotFoundError as error:
    raise ConfigurationError(
        f"the page needs the package {error.name!r}, which is not installed: {how_to_install('play')}."
    ) from None
