"""The server of a page that follows a training of one's own."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from deltarule.play.connection import AHEAD, Connection
from deltarule.play.packages import WebSocketDisconnect
from deltarule.play.server import Server

if TYPE_CHECKING:
    from deltarule.play.watch import Watch

NOTEBOOKS = "'self' http://localhost:* http://127.0.0.1:*"  # who may show the page in a frame


class WatchConnection(Connection):
    """A page that watches and may ask the training to stop."""

    def __init__(self, socket: Any, watch: "Watch"):
        assert watch.frames is not None
        super().__init__(socket, watch.frames)
        self.watch = watch
        self.news = asyncio.Event()

    def commands(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Besides looking at another example, to stop."""
        return super().commands() | {"pause": lambda m: self.watch.end_training()}

    async def begin(self) -> None:
        """The layout, and then a frame whenever there are news and the page keeps up."""
        await super().begin()
        self.task = asyncio.create_task(self.follow())

    async def follow(self) -> None:
        """A frame for news, at most some a second; the layout too where another training has begun."""
        with suppress(WebSocketDisconnect):
            while not self.closed:
                await self.news.wait()
                await asyncio.sleep(0.05)
                if self.on_the_way >= AHEAD:
                    continue
                self.news.clear()
                async with self.turn:
                    if self.frames is not self.watch.frames:
                        assert self.watch.frames is not None
                        self.frames = self.watch.frames
                        await super().begin()
                    else:
                        await self.send_frame()

    async def send_frame(self, whole: bool = False) -> None:
        """The numbers of now."""
        self.running = self.frames.learners[0].ended is None
        await super().send_frame(whole)
        self.watch.seen = self.watch.seen or not self.running


class WatchServer(Server):
    """Pages that follow what a `Watch` is told."""

    def __init__(self, watch: "Watch", port: int):
        super().__init__(port, ancestors=NOTEBOOKS)
        self.watch = watch
        self.connections: set[tuple[WatchConnection, asyncio.AbstractEventLoop]] = set()

    def tell(self) -> None:
        """There are news."""
        for connection, loop in list(self.connections):
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(connection.news.set)

    async def serve_page(self, page: Any) -> None:
        """Wait for the training, then follow it."""
        while self.watch.frames is None:
            await asyncio.sleep(0.05)
        connection = WatchConnection(page, self.watch)
        member = (connection, asyncio.get_running_loop())
        self.connections.add(member)
        try:
            await connection.serve()
        finally:
            self.connections.discard(member)
