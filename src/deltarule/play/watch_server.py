"""The server of the page of a `Watch`."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from deltarule.play.connection import AHEAD, Connection
from deltarule.play.packages import WebSocketDisconnect
from deltarule.play.server import Server

if TYPE_CHECKING:
    from deltarule.play.watch import Watch

NOTEBOOKS = "'self' http://localhost:* http://127.0.0.1:*"  # pages that may show this one in a frame


class WatchConnection(Connection):
    """The connection to a page that watches a training and may stop it."""

    def __init__(self, socket: Any, watch: "Watch"):
        assert watch.frames is not None
        super().__init__(socket, watch.frames)
        self.watch = watch
        self.changed = asyncio.Event()

    def commands(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """The commands of a page that watches: to stop the training, too."""
        return super().commands() | {"pause": lambda m: self.watch.end_training()}

    async def begin(self) -> None:
        """Send the layout, then frames while the training goes on."""
        await super().begin()
        self.task = asyncio.create_task(self.follow())

    async def follow(self) -> None:
        """Send a frame after a change, at most 20 a second; and the layout if another training has begun."""
        with suppress(WebSocketDisconnect):
            while not self.closed:
                await self.changed.wait()
                await asyncio.sleep(0.05)
                if self.frames_in_flight >= AHEAD:
                    continue
                self.changed.clear()
                async with self.lock:
                    if self.frames is not self.watch.frames:
                        assert self.watch.frames is not None
                        self.frames = self.watch.frames
                        await super().begin()
                    else:
                        await self.send_frame()

    async def send_frame(self, whole: bool = False) -> None:
        """Send the current numbers; note whether the page has shown the end."""
        self.running = self.frames.learners[0].ended is None
        await super().send_frame(whole)
        self.watch.seen = self.watch.seen or not self.running


class WatchServer(Server):
    """The server of the pages that follow a `Watch`."""

    def __init__(self, watch: "Watch", port: int):
        super().__init__(port, ancestors=NOTEBOOKS)
        self.watch = watch
        self.connections: set[tuple[WatchConnection, asyncio.AbstractEventLoop]] = set()

    def notify(self) -> None:
        """Tell all pages that the training has changed."""
        for connection, loop in list(self.connections):
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(connection.changed.set)

    async def serve_page(self, page: Any) -> None:
        """Wait for a training, then serve a page that follows it."""
        while self.watch.frames is None:
            await asyncio.sleep(0.05)
        connection = WatchConnection(page, self.watch)
        member = (connection, asyncio.get_running_loop())
        self.connections.add(member)
        try:
            await connection.serve()
        finally:
            self.connections.discard(member)
