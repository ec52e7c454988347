"""Where checkpoints are handed to: a folder, best on another machine, and an address on the web.

Both may be given the same checkpoint twice: the file is the same, and the address gets the same Idempotency-Key.
"""

import asyncio
import re
from pathlib import Path
from typing import Protocol

import httpx2

from infra.evidence import key_files
from infra.evidence.checkpoints import DROP, WEBHOOK, Signed
from infra.settings import Settings

WEBHOOK_SECONDS = 10.0
"""How long one try may take, from connecting to the last byte that is read."""

_LARGEST_ANSWER = 10_000
"""Bytes of an answer that are read; what it says does not matter."""


class NotHanded(Exception):
    """A target did not take a checkpoint; the message says why, without a token or an address in it."""


class Target(Protocol):
    """Somebody outside who is given checkpoints. `name` is stable, it stands in the database."""

    @property
    def name(self) -> str: ...

    async def hand(self, checkpoint: Signed) -> None:
        """Give it away. Raises NotHanded."""


class FileDrop:
    """A folder that gets a file for each checkpoint; a file that stands there is never written again."""

    name = DROP

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def hand(self, checkpoint: Signed) -> None:
        """Write the file, whole or not at all. Raises NotHanded."""
        try:
            await asyncio.to_thread(self._write, file_name(checkpoint), checkpoint.note.encode())
        except OSError as problem:
            raise NotHanded(problem.strerror or type(problem).__name__) from None

    def _write(self, name: str, content: bytes) -> None:
        # the folder itself is not made: one that is not mounted now must not be filled in its absence
        path = self._folder / name
        try:
            key_files.add(path, content, mode=0o644)
        except FileExistsError:
            if path.read_bytes() != content:
                raise NotHanded(f"{name} is there already, with another content") from None


class Webhook:
    """An address that each checkpoint is posted to as text; any 2xx means that it was taken."""

    name = WEBHOOK

    def __init__(self, url: str, token: str = "", timeout: float = WEBHOOK_SECONDS) -> None:
        self._url, self._timeout = url, timeout
        self._headers = {"content-type": "text/plain; charset=utf-8", "accept-encoding": "identity"}
        self._headers |= {"user-agent": "dealwright", "connection": "close"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    async def hand(self, checkpoint: Signed) -> None:
        """Post the note. Raises NotHanded."""
        headers = self._headers | {"idempotency-key": file_name(checkpoint)}
        try:
            async with (
                # no proxy and no .netrc of the environment, and no redirection: they would send the token elsewhere
                httpx2.AsyncClient(timeout=None, trust_env=False, follow_redirects=False) as http,
                asyncio.timeout(self._timeout),
                http.stream("POST", self._url, content=checkpoint.note.encode(), headers=headers) as response,
            ):
                await _read(response)
        except TimeoutError:
            raise NotHanded(f"no complete answer within {self._timeout:g} seconds") from None
        except httpx2.TransportError as problem:
            # only its name: texts of drivers may quote headers
            raise NotHanded(type(problem).__name__) from None
        if not 200 <= response.status_code < 300:
            raise NotHanded(f"it answered {response.status_code}")


async def _read(response: httpx2.Response) -> None:
    """Read an answer to its end: one that is cut off may come from a server that died before it kept anything."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > _LARGEST_ANSWER:
            return


def file_name(checkpoint: Signed) -> str:
    """Size, time and key: names sort as the log grew, and no two checkpoints share one."""
    at = re.sub(r"[^0-9TZ]", "", checkpoint.at)
    return f"checkpoint-{checkpoint.size:012d}-{at}-{checkpoint.key_hash}.note"


def targets_of(settings: Settings) -> tuple[Target, ...]:
    """Those that the settings name."""
    found: list[Target] = []
    if settings.checkpoint_drop is not None:
        found.append(FileDrop(settings.checkpoint_drop))
    if settings.checkpoint_webhook is not None:
        token = settings.checkpoint_token
        found.append(Webhook(settings.checkpoint_webhook, token.get_secret_value() if token else ""))
    return tuple(found)
