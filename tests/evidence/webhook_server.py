"""Somebody outside who takes checkpoints over HTTP, on loopback, and fails as others do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

TOKEN = "s3cret-of-the-notary"


class Fault(StrEnum):
    """What goes wrong with one request."""

    BROKEN = "500"
    STRANGER = "401 that repeats the token"
    MOVED = "307 to elsewhere"
    DEAF = "the connection closes without an answer"
    CUT = "the connection closes in the middle of the answer"
    SLOW = "the answer never comes"
    DRIP = "the answer comes byte by byte and never ends"
    GARBAGE = "no HTTP"


@dataclass
class Taken:
    """One request as it came in."""

    headers: dict[str, str]
    body: str


@dataclass
class WebhookServer:
    """`plan` holds what goes wrong with the next requests; when it is empty they are taken."""

    plan: list[Fault] = field(default_factory=list)
    requests: list[Taken] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/checkpoints"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        assert head[0] == "POST /checkpoints HTTP/1.1"
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        self.requests.append(Taken(headers, body))
        fault = self.plan.pop(0) if self.plan else None
        if fault is None:
            self.taken.append(body)
        writer.write(_ANSWERS.get(fault, b"HTTP/1.1 204 No Content\r\n\r\n"))
        await writer.drain()
        while fault in (Fault.SLOW, Fault.DRIP):
            if fault is Fault.DRIP:
                writer.write(b"x")
                await writer.drain()
            await asyncio.sleep(0.01)


_MOVED = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
_ANSWERS: dict[Fault | None, bytes] = {
    Fault.BROKEN: b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
    Fault.STRANGER: f"HTTP/1.1 401 No\r\nContent-Length: {len(TOKEN)}\r\n\r\n{TOKEN}".encode(),
    Fault.MOVED: _MOVED,
    Fault.DEAF: b"",
    Fault.CUT: b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthanks",
    Fault.SLOW: b"",
    Fault.DRIP: b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    Fault.GARBAGE: b"\x00\x01 thanks\r\n\r\n",
}


@asynccontextmanager
async def webhook_server() -> AsyncIterator[WebhookServer]:
    """The server while the block runs."""
    told = WebhookServer()
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()
