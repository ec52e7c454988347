"""The door to a foreign system that speaks JSON over HTTP: asks again when that may help, believes no answer unseen.

Whoever stands behind it promises by contract (docs/connectors.md) to do an effect once per Idempotency-Key and to
answer every repetition as it did the first time. Without that promise an answer that got lost would be a second effect.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
import structlog

from infra.gateways.connector_errors import ConnectorMalformed, ConnectorRefused, ConnectorUnavailable, presentable
from infra.gateways.once import checked_key
from models.codec import Malformed, decode, encode

T = TypeVar("T")

LARGEST_ANSWER = 1_000_000
"""Bytes of an answer; as many as the API accepts in a request."""

LONGEST_ABSENCE = 60.0
"""Seconds that a Retry-After is believed: as long as the engine waits between two tries of an effect."""

_CONNECTIONS = 32
"""Questions to one system at the same moment; others wait their turn within their time limit."""

_DONE = frozenset({200, 201})
_TRY_AGAIN = frozenset({408, 409, 425, 429})
"""Too slow; still busy with the same key; too early; too many. With every 5xx these are worth another try."""

_PLAIN_TEXT = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "%")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one call may take, in seconds.

    `timeout` is for one try, from connecting to the last byte; `first_pause` comes before the second and doubles;
    `budget` is for the whole call. A local activity is given up after 20 seconds (workflows/calls.py): a call must
    have ended long before, or the engine would ask a second time while the first still waits.
    """

    timeout: float = 3.0
    tries: int = 5
    first_pause: float = 0.2
    budget: float = 12.0

    def pauses(self) -> Iterator[float]:
        """The pause before each try. The same for everybody: few callers share a door, there is no herd to spread."""
        yield 0.0
        yield from (self.first_pause * 2**repetition for repetition in range(self.tries - 1))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back: at most LARGEST_ANSWER bytes, and the seconds to stay away that it asks for."""

    status: int
    body: bytes
    too_large: bool
    stay_away: float


class _NoAnswer(Exception):
    """A try that may be repeated."""


class HttpDoor:
    """One foreign system. `connector` is its name in messages, `url` the base that paths are appended to."""

    def __init__(self, connector: str, url: str, token: str = "", patience: Patience | None = None) -> None:
        self._connector, self._url, self._token = connector, url.rstrip("/"), token
        self._patience = patience or Patience()
        self._not_before = 0.0
        headers = {
            "accept": "application/json",
            # a compressed answer could be a thousand times larger than what is counted
            "accept-encoding": "identity",
            "connection": "close",
            "content-type": "application/json",
            "user-agent": "dealwright",
        }
        if token:
            headers["authorization"] = f"Bearer {token}"
        self._http = httpx2.AsyncClient(
            headers=headers,
            # One connection a question: on a kept one, what a system sends too much is read as the answer to the next
            # question (measured), which may well look right. A few milliseconds for books that can't be mixed up.
            limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=0),
            # the time limit is ours and for the whole try; the library's is for each read
            timeout=None,
            # no proxy and no .netrc of the environment, which would send the token elsewhere or another one
            trust_env=False,
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(self, path: str, effect_key: str, question: object, kind: type[T], check: Callable[[T], object]) -> T:
        """The answer to a question, decoded into `kind`; `check` raises Malformed when it does not fit the question.

        Raises ConnectorUnavailable when there was no answer in time, ConnectorRefused and ConnectorMalformed at once.
        """
        content = json.dumps(encode(question), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        key = quote(checked_key(effect_key), safe=_PLAIN_TEXT)
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + self._patience.budget
        tries, reason = 0, ""
        log = _log.bind(connector=self._connector, path=path, effect_key=key)
        for pause in self._patience.pauses():
            wait = max(pause, self._not_before - clock())
            # a try that can't have its full time is not begun: it would be cut off and leave it open what it did
            if clock() + wait + self._patience.timeout > give_up_at:
                reason = reason or f"it asked us to stay away for {wait:.0f} more seconds"
                break
            await asyncio.sleep(wait)
            tries += 1
            try:
                return self._judged(path, await self._try(path, key, content), kind, check)
            except _NoAnswer as problem:
                reason = str(problem)
                log.warning("connector_try_failed", tries=tries, reason=reason)
        raise ConnectorUnavailable(self._connector, path, reason, tries)

    async def _try(self, path: str, key: str, content: bytes) -> _Answer:
        try:
            async with (
                asyncio.timeout(self._patience.timeout),
                self._http.stream(
                    "POST", self._url + path, content=content, headers={"idempotency-key": key}
                ) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        break
        except TimeoutError:
            raise _NoAnswer(f"no complete answer within {self._patience.timeout:g} seconds") from None
        except httpx2.TransportError as problem:
            # only its name: texts of drivers may quote headers
            raise _NoAnswer(type(problem).__name__) from None
        stay_away = _seconds(response.headers.get("retry-after", ""))
        return _Answer(response.status_code, bytes(body[:LARGEST_ANSWER]), len(body) > LARGEST_ANSWER, stay_away)

    def _judged(self, path: str, answer: _Answer, kind: type[T], check: Callable[[T], object]) -> T:
        if answer.status in _DONE:
            return self._decoded(path, answer, kind, check)
        told = presentable(_problem(answer.body), self._token)
        if answer.status in _TRY_AGAIN or answer.status >= 500:
            self._not_before = max(self._not_before, asyncio.get_running_loop().time() + answer.stay_away)
            raise _NoAnswer(f"it answered {answer.status}{told and ': '}{told}")
        if 400 <= answer.status < 500:
            raise ConnectorRefused(self._connector, path, answer.status, told)
        raise ConnectorMalformed(self._connector, path, "status", f"{answer.status} is none that we know")

    def _decoded(self, path: str, answer: _Answer, kind: type[T], check: Callable[[T], object]) -> T:
        try:
            if answer.too_large:
                raise Malformed("", f"more than {LARGEST_ANSWER} bytes")
            found = decode(kind, _parsed(answer.body))
            check(found)
        except Malformed as wrong:
            where, why = (presentable(text, self._token) for text in (wrong.where, wrong.why))
            raise ConnectorMalformed(self._connector, path, where, why) from None
        return found


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("", "not JSON in UTF-8") from None


def _problem(body: bytes) -> str:
    """What a refusal says: title and detail of problem+json (RFC 9457), or else its text."""
    try:
        told = _parsed(body)
    except Malformed:
        return body.decode("utf-8", "replace")
    parts = [told.get("title"), told.get("detail")] if isinstance(told, dict) else []
    return ": ".join(part for part in parts if isinstance(part, str) and part) or body.decode("utf-8", "replace")


def _seconds(retry_after: str) -> float:
    """How long a Retry-After asks us to stay away: seconds or a date; what is neither counts as nothing."""
    if retry_after.isascii() and retry_after.isdecimal():
        return min(float(retry_after[:9]), LONGEST_ABSENCE)
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return 0.0
    seconds = (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_ABSENCE)
