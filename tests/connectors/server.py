"""A stock system and a carrier on loopback: the contract of docs/connectors.md over the fakes, with faults."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from models import codec
from models.messages.logistics import CarriageInput, ReleaseInput, ReserveInput, ReturnInput, ShipInput
from tests.fakes.carrier import FakeCarrier
from tests.fakes.stock import FakeStockBook

TOKEN = "s3cret-of-the-other-company"
TOO_LARGE = 1_000_001


class Fault(StrEnum):
    """What goes wrong with one question."""

    SLOW = "the effect is done, the answer comes much too late"
    DRIP = "the effect is done, the answer comes byte by byte and never ends"
    BROKEN = "500 before the effect"
    BROKEN_AFTER = "500 after the effect"
    LOST = "the effect is done, the connection closes without an answer"
    CUT = "the effect is done, the connection closes in the middle of the answer"
    DEAF = "the connection closes before the effect"
    TWICE = "the answer is sent twice"
    BUSY = "429 with Retry-After"
    AWAY = "503 with a Retry-After of an hour"
    AT_WORK = "409, as the same key is under way"
    MOVED = "307 to elsewhere"
    LATER = "202 without an answer"
    GARBAGE = "no JSON"
    WRONG_FIELDS = "an answer with a field that nobody knows"
    MISSING_FIELDS = "an answer without its fields"
    LARGE = "an answer that is too large"
    STRANGER = "401 that repeats the token"
    BAD_QUESTION = "422 with a text of thousands of characters"


LASTING = frozenset({Fault.GARBAGE, Fault.WRONG_FIELDS, Fault.MISSING_FIELDS, Fault.LARGE, Fault.MOVED, Fault.LATER})
BEFORE = frozenset({Fault.BROKEN, Fault.DEAF, Fault.BUSY, Fault.AWAY, Fault.AT_WORK, Fault.MOVED, Fault.LATER})
REFUSING = frozenset({Fault.STRANGER, Fault.BAD_QUESTION})


@dataclass(frozen=True)
class Question:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return unquote(self.headers["idempotency-key"])


Work = Callable[[Any], Awaitable[Any]]


@dataclass
class ConnectorServer:
    """`plan` holds what goes wrong with the next questions (None: nothing), `tamper` changes good answers."""

    stock: FakeStockBook = field(default_factory=FakeStockBook)
    carrier: FakeCarrier = field(default_factory=FakeCarrier)
    plan: list[Fault | None] = field(default_factory=list)
    tamper: Callable[[Any], Any] = lambda answer: answer
    retry_after: str = "0"
    questions: list[Question] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def keys(self) -> list[str]:
        """The idempotency keys in the order in which they came."""
        return [question.key for question in self.questions]

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        try:
            while (question := await _read(reader)) is not None and await self._serve(question, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the caller went away, or the test is over
        finally:
            writer.close()

    async def _serve(self, question: Question, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection stays open."""
        self.questions.append(question)
        fault = self.plan.pop(0) if self.plan else None
        if question.headers.get("authorization") != f"Bearer {TOKEN}":
            fault = Fault.STRANGER
        answer = b"" if fault in BEFORE | REFUSING else json.dumps(self.tamper(await self._effect(question))).encode()
        raw = self._response(fault, question, answer)
        if fault is Fault.SLOW:
            await asyncio.sleep(30)
        if fault is Fault.DRIP:
            await _drip(raw, writer)
        writer.write(raw[: len(raw) // 2] if fault is Fault.CUT else raw)
        await writer.drain()
        return fault not in (Fault.LOST, Fault.CUT, Fault.DEAF)

    async def _effect(self, question: Question) -> Any:
        kind, work = self._works()[question.path]
        asked = codec.decode(kind, json.loads(question.body))
        assert asked.effect_key == question.key
        answer = await work(asked)
        return {} if answer is None else codec.encode(answer)

    def _works(self) -> dict[str, tuple[type[Any], Work]]:
        return {
            "/stock/v1/reservations": (ReserveInput, self.stock.reserve),
            "/stock/v1/releases": (ReleaseInput, self.stock.release),
            "/stock/v1/shipments": (ShipInput, self.stock.ship),
            "/stock/v1/returns": (ReturnInput, self.stock.take_back),
            "/carrier/v1/shipments": (CarriageInput, self.carrier.book),
        }

    def _response(self, fault: Fault | None, question: Question, answer: bytes) -> bytes:
        shown = question.headers.get("authorization")
        odd = {
            Fault.LOST: b"",
            Fault.DEAF: b"",
            Fault.BROKEN: _http(500, b"<h1>Oops</h1>"),
            Fault.BROKEN_AFTER: _http(500, b"<h1>Oops</h1>"),
            Fault.BUSY: _http(429, _problem("slow down"), f"retry-after: {self.retry_after}"),
            Fault.AWAY: _http(503, _problem("maintenance"), "retry-after: 3600"),
            Fault.AT_WORK: _http(409, _problem("the same key is under way")),
            Fault.MOVED: _http(307, b"", f"location: {self.url}/elsewhere"),
            Fault.LATER: _http(202, b"{}"),
            Fault.STRANGER: _http(401, _problem(f"unknown: {shown}\r\n\x1b[31m")),
            Fault.BAD_QUESTION: _http(422, _problem("no such article " * 1_000)),
            Fault.GARBAGE: _http(200, b"\xff{]"),
            Fault.WRONG_FIELDS: _http(200, b'{"lines": [], "carrier": "x", "reference": "y", "surprise": 1}'),
            Fault.MISSING_FIELDS: _http(200, b"{}"),
            Fault.TWICE: _http(200, answer) * 2,
        }
        if fault is Fault.LARGE:
            return _http(200, answer + b" " * TOO_LARGE)
        return _http(200, answer) if fault is None else odd.get(fault, _http(200, answer))


@asynccontextmanager
async def serving(server: ConnectorServer) -> AsyncIterator[ConnectorServer]:
    """The server on a free port of loopback, until the end."""
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        task.add_done_callback(connections.discard)
        await server.connected(reader, writer)

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await listener.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Question | None:
    first = await reader.readline()
    if not first:
        return None
    headers: dict[str, str] = {}
    while (line := (await reader.readline()).decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers["content-length"]))
    return Question(first.split()[1].decode(), headers, body)


async def _drip(raw: bytes, writer: asyncio.StreamWriter) -> None:
    for byte in raw[:-1] + b" " * 1_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


def _http(status: int, body: bytes, *headers: str) -> bytes:
    lines: Iterable[str] = (f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def _problem(detail: str) -> bytes:
    return json.dumps({"type": "about:blank", "title": "No", "detail": detail}).encode()
