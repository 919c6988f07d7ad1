"""One open page: its messages become commands, and what it shows is sent no faster than it is drawn."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from deltarule.checks import require_choice
from deltarule.engine.rows import TimeLimitReached
from deltarule.errors import DeltaruleError
from deltarule.play.choices import SPEEDS
from deltarule.play.frames import Frames, told_by
from deltarule.play.lesson import Lesson
from deltarule.play.packages import WebSocket, WebSocketDisconnect
from deltarule.play.page import alone

RATE, BURST = 100.0, 200.0  # messages a second, and at once
AHEAD = 2  # frames that may be on their way to the page
AT_ONCE = 1 / 30  # seconds of training between two frames where it runs as fast as it can
POLICY_VIOLATION = 1008
ENDS_RUNNING = ("pause", "reset", "choose", "example", "batch", "epoch", "show")


class Refused(Exception):
    """A message that the page does not send: the connection is closed."""


def metered(due: float, now: float) -> tuple[float, float]:
    """When the next message is due, and the seconds for which one that came now waits: `RATE`, or `BURST` at once."""
    due = max(due, now) + 1 / RATE
    return due, 1 / RATE if due - now > BURST / RATE else 0.0


def read(text: str) -> dict[str, Any]:
    """A message as a dict with a text "do".

    Raises:
        Refused: it is none.
    """
    try:
        message = json.loads(text, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        raise Refused("the message is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("do"), str):
        raise Refused("a message is an object with a text 'do'")
    return message


class Connection:
    """The page behind a WebSocket, which shows trainings and asks for commands."""

    def __init__(self, socket: WebSocket, frames: Frames):
        self.socket, self.frames = socket, frames
        self.turn = asyncio.Lock()  # one thing at a time touches the trainings
        self.running, self.closed = False, False
        self.task: asyncio.Task | None = None
        self.on_the_way = 0
        self.told: list[tuple[int, int]] | None = None

    async def serve(self) -> None:
        """Answer until the page is closed."""
        await self.socket.accept()
        due = 0.0
        try:
            await self.begin()
            while True:
                message = await self.hear()
                due, wait = metered(due, time.monotonic())
                await asyncio.sleep(wait)  # the sender waits: what it goes on sending stays in its own buffers
                try:
                    await self.obey(message)
                except (DeltaruleError, OverflowError, MemoryError) as error:
                    await self.send({"kind": "error", "text": str(error)[:600] or "this is too large"})
        except WebSocketDisconnect:
            return
        except Refused as error:
            await self.socket.close(POLICY_VIOLATION, str(error))
        finally:
            self.closed, self.running = True, False
            if self.task is not None:
                self.task.cancel()

    async def hear(self) -> dict[str, Any]:
        """The next message.

        Raises:
            WebSocketDisconnect: the page is closed.
            Refused: it is none of the page's.
        """
        message = await self.socket.receive()
        if message["type"] != "websocket.receive":
            raise WebSocketDisconnect
        return read(message.get("text") or "")

    async def begin(self) -> None:
        """Tell a new page what there is."""
        await self.send(self.frames.layout())
        await self.send_frame(whole=True)

    async def obey(self, message: dict[str, Any]) -> None:
        """Carry out a message of the page.

        Raises:
            DeltaruleError: no such command, or it asks for what cannot be.
        """
        command = message["do"]
        if command == "shown":
            self.on_the_way = max(0, self.on_the_way - 1)
            return
        commands = self.commands()
        require_choice("the command", command[:40], tuple(commands))
        async with self.turn:
            found = await asyncio.to_thread(commands[command], message)
            if isinstance(found, dict):
                await self.send(found)
            elif found is not None:
                if found:
                    await self.send(self.frames.layout())
                await self.send_frame(whole=found)

    def commands(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """What each command does: True where the layout changes, False for a frame, a dict or None for no frame."""
        frames = self.frames
        return {
            "look": lambda m: frames.look(m.get("row")),
            "select": lambda m: frames.select(m.get("learner")),
        }

    async def send_frame(self, whole: bool = False) -> None:
        """The numbers of now; whole after a new layout, else with what the page has not been told."""
        if whole:
            self.told = None
        frame = await asyncio.to_thread(self.frames.frame, self.told)
        self.told = told_by(frame)
        self.on_the_way += 1
        await self.send(frame | {"running": self.running})

    async def send(self, message: dict[str, Any]) -> None:
        """One message to the page.

        Raises:
            WebSocketDisconnect: it is closed.
        """
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
        try:
            await self.socket.send_text(text)
        except RuntimeError:  # what Starlette raises for a connection that is closed already
            raise WebSocketDisconnect from None


class LessonConnection(Connection):
    """A page that trains: only while it is open, and where it is closed an epoch ends within."""

    def __init__(self, socket: WebSocket, lesson: Lesson):
        super().__init__(socket, lesson)
        self.lesson, self.speed = lesson, 60

    async def obey(self, message: dict[str, Any]) -> None:
        """Besides what any page may ask: run and pause, which must not wait for the epoch that is under way."""
        command = message["do"]
        if command == "run":
            if not self.running:
                self.running = True
                self.task = asyncio.create_task(self.train())
            return
        if command in ENDS_RUNNING:
            self.running = False
        if command != "pause":
            await super().obey(message)

    def commands(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Those of a lesson."""
        lesson = self.lesson
        return super().commands() | {
            "speed": lambda m: self.set_speed(m.get("speed")),
            "change": lambda m: lesson.change(m["settings"] if isinstance(m.get("settings"), dict) else {}),
            "choose": lambda m: lesson.choose(m.get("problem"), m.get("points")),
            "reset": lambda m: lesson.reset(),
            "show": lambda m: lesson.show(m.get("moment")),
            "example": lambda m: lesson.example(),
            "batch": lambda m: lesson.batch(),
            "epoch": lambda m: lesson.epoch(self.look_up),
            "draw": lambda m: lesson.classify(m.get("pixels")),
            "save": lambda m: {"kind": "replay", "html": alone(lesson.recording())},
        }

    def set_speed(self, speed: Any) -> None:
        """So many epochs a second from now on."""
        require_choice("speed", str(speed), tuple(map(str, SPEEDS)))
        self.speed = int(speed)

    def look_up(self) -> None:
        """Called between the pieces of an epoch: a closed page ends it."""
        if self.closed:
            raise TimeLimitReached

    def keep_on(self) -> None:
        """Called between the pieces of an epoch that is run: a pause ends it too, and it begins anew with the next."""
        self.look_up()
        if not self.running:
            raise TimeLimitReached

    async def train(self) -> None:
        """Epoch after epoch until somebody says stop; a page that cannot keep up misses frames, never epochs."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        with suppress(TimeLimitReached, WebSocketDisconnect):
            while self.running and not self.closed:
                async with self.turn:
                    if not self.running or self.lesson.ended:
                        break
                    await asyncio.to_thread(self.some_epochs)
                    if self.on_the_way < AHEAD:
                        await self.send_frame()
                due = max(due + (1 / self.speed if self.speed else 0), loop.time() - 0.1)
                await asyncio.sleep(max(0.0, due - loop.time()))
        self.running = False
        if not self.closed:
            await self.send({"kind": "paused", "ended": self.lesson.ended})

    def some_epochs(self) -> None:
        """One epoch, or as many as fit between two frames."""
        began = time.monotonic()
        while True:
            self.lesson.epoch(self.keep_on)
            late = time.monotonic() - began > AT_ONCE
            if self.speed or late or not self.running or self.lesson.ended:
                return
