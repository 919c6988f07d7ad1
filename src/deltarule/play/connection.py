"""The connection to an open page: receive its messages, execute them, and send frames no faster than it draws them."""

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
from deltarule.play.frames import Frames, count_known_moments
from deltarule.play.lesson import Lesson
from deltarule.play.packages import WebSocket, WebSocketDisconnect
from deltarule.play.page import standalone_page

RATE, BURST = 100.0, 200.0  # accepted messages a second, and in a burst
AHEAD = 2  # frames that may be sent before the page has drawn the first of them
FRAME_SECONDS = 1 / 30  # training time between two frames at full speed
POLICY_VIOLATION = 1008
PAUSING_COMMANDS = ("pause", "reset", "choose", "example", "batch", "epoch", "show")


class ProtocolError(Exception):
    """A message that the page never sends; the connection is closed."""


def throttle(due: float, now: float) -> tuple[float, float]:
    """When the next message is due, and for how many seconds a message of now must wait: `RATE`, or `BURST` at once."""
    due = max(due, now) + 1 / RATE
    return due, 1 / RATE if due - now > BURST / RATE else 0.0


def parse_message(text: str) -> dict[str, Any]:
    """Parse a message, a JSON object with a text "do".

    Raises:
        ProtocolError: it is something else.
    """
    try:
        message = json.loads(text, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        raise ProtocolError("the message is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("do"), str):
        raise ProtocolError("a message is an object with a text 'do'")
    return message


class Connection:
    """The connection to a page, which shows trainings and sends commands."""

    def __init__(self, socket: WebSocket, frames: Frames):
        self.socket, self.frames = socket, frames
        self.lock = asyncio.Lock()  # held by whoever reads or changes the trainings
        self.running, self.closed = False, False
        self.task: asyncio.Task | None = None
        self.frames_in_flight = 0
        self.known: list[tuple[int, int]] | None = None  # what the page knows of each training, see `Frames.frame`

    async def serve(self) -> None:
        """Execute messages until the page is closed."""
        await self.socket.accept()
        due = 0.0
        try:
            await self.begin()
            while True:
                message = await self.receive()
                due, wait = throttle(due, time.monotonic())
                await asyncio.sleep(wait)  # the page's further messages wait in its own buffers
                try:
                    await self.execute(message)
                except (DeltaruleError, OverflowError, MemoryError) as error:
                    await self.send({"kind": "error", "text": str(error)[:600] or "this is too large"})
        except WebSocketDisconnect:
            return
        except ProtocolError as error:
            await self.socket.close(POLICY_VIOLATION, str(error))
        finally:
            self.closed, self.running = True, False
            if self.task is not None:
                self.task.cancel()

    async def receive(self) -> dict[str, Any]:
        """Receive the next message.

        Raises:
            WebSocketDisconnect: the page is closed.
            ProtocolError: the page never sends such a message.
        """
        message = await self.socket.receive()
        if message["type"] != "websocket.receive":
            raise WebSocketDisconnect
        return parse_message(message.get("text") or "")

    async def begin(self) -> None:
        """Send a new page the layout and the first frame."""
        await self.send(self.frames.layout())
        await self.send_frame(whole=True)

    async def execute(self, message: dict[str, Any]) -> None:
        """Execute a message of the page.

        Raises:
            DeltaruleError: there is no such command, or it cannot be executed.
        """
        command = message["do"]
        if command == "shown":
            self.frames_in_flight = max(0, self.frames_in_flight - 1)
            return
        commands = self.commands()
        require_choice("the command", command[:40], tuple(commands))
        async with self.lock:
            answer = await asyncio.to_thread(commands[command], message)
            if isinstance(answer, dict):
                await self.send(answer)
            elif answer is not None:
                if answer:
                    await self.send(self.frames.layout())
                await self.send_frame(whole=answer)

    def commands(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """A function for each command: it returns True for a new layout, False for a new frame, or a dict to send."""
        frames = self.frames
        return {
            "look": lambda m: frames.look(m.get("row")),
            "select": lambda m: frames.select(m.get("learner")),
        }

    async def send_frame(self, whole: bool = False) -> None:
        """Send the current numbers: all of them after a new layout, else those that the page does not have."""
        if whole:
            self.known = None
        frame = await asyncio.to_thread(self.frames.frame, self.known)
        self.known = count_known_moments(frame)
        self.frames_in_flight += 1
        await self.send(frame | {"running": self.running})

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message to the page.

        Raises:
            WebSocketDisconnect: the page is closed.
        """
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
        try:
            await self.socket.send_text(text)
        except RuntimeError:  # from Starlette, for a closed connection
            raise WebSocketDisconnect from None


class LessonConnection(Connection):
    """The connection to a page that trains; if the page is closed, the training stops within the epoch."""

    def __init__(self, socket: WebSocket, lesson: Lesson):
        super().__init__(socket, lesson)
        self.lesson, self.speed = lesson, 60

    async def execute(self, message: dict[str, Any]) -> None:
        """Execute a message; run and pause do not wait for the current epoch."""
        command = message["do"]
        if command == "run":
            if not self.running:
                self.running = True
                self.task = asyncio.create_task(self.train())
            return
        if command in PAUSING_COMMANDS:
            self.running = False
        if command != "pause":
            await super().execute(message)

    def commands(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """The commands of a lesson, too."""
        lesson = self.lesson
        return super().commands() | {
            "speed": lambda m: self.set_speed(m.get("speed")),
            "change": lambda m: lesson.change(m["settings"] if isinstance(m.get("settings"), dict) else {}),
            "choose": lambda m: lesson.choose(m.get("problem"), m.get("points")),
            "reset": lambda m: lesson.reset(),
            "show": lambda m: lesson.show(m.get("moment")),
            "example": lambda m: lesson.example(),
            "batch": lambda m: lesson.batch(),
            "epoch": lambda m: lesson.epoch(self.check_open),
            "draw": lambda m: lesson.classify(m.get("pixels")),
            "save": lambda m: {"kind": "replay", "html": standalone_page(lesson.recording())},
        }

    def set_speed(self, speed: Any) -> None:
        """Set the epochs a second."""
        require_choice("speed", str(speed), tuple(map(str, SPEEDS)))
        self.speed = int(speed)

    def check_open(self) -> None:
        """Raise `TimeLimitReached` if the page is closed; called within an epoch."""
        if self.closed:
            raise TimeLimitReached

    def check_running(self) -> None:
        """Raise `TimeLimitReached` after a pause too; the epoch then starts again with the next run."""
        self.check_open()
        if not self.running:
            raise TimeLimitReached

    async def train(self) -> None:
        """Train epoch after epoch until a pause or the end; a slow page misses frames, not epochs."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        with suppress(TimeLimitReached, WebSocketDisconnect):
            while self.running and not self.closed:
                async with self.lock:
                    if not self.running or self.lesson.ended:
                        break
                    await asyncio.to_thread(self.train_one_frame)
                    if self.frames_in_flight < AHEAD:
                        await self.send_frame()
                due = max(due + (1 / self.speed if self.speed else 0), loop.time() - 0.1)
                await asyncio.sleep(max(0.0, due - loop.time()))
        self.running = False
        if not self.closed:
            await self.send({"kind": "paused", "ended": self.lesson.ended})

    def train_one_frame(self) -> None:
        """Train for one epoch, or at full speed for as many as fit between two frames."""
        began = time.monotonic()
        while True:
            self.lesson.epoch(self.check_running)
            frame_is_due = self.speed or time.monotonic() - began > FRAME_SECONDS
            if frame_is_due or not self.running or self.lesson.ended:
                return
