"""What a body may be: not too large, counted while it streams, and JSON without tricks."""

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from api.problems import RequestRefused

READ_OVER = 8
"""A body up to this many times too large is read to its end, so that its sender gets to hear the answer."""

LONGEST_NUMBER = 30


class BoundedRequest(Request):
    """A request whose body was read under a limit and parsed by our rules, before the framework looks at it."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._parsed = strict_json(body) if body else None

    async def json(self) -> Any:
        """The body as strict JSON."""
        return self._parsed


async def bounded(request: Request, most: int) -> BoundedRequest:
    """Read the body. Raises RequestRefused with 413, 415 for a body that is not JSON, or 400 for malformed JSON."""
    body = await _read(request, most)
    if body and not _is_json(request.headers.get("content-type", "")):
        raise RequestRefused(415, "unsupported_media_type", "send the body as application/json in UTF-8")
    return BoundedRequest(request, body)


async def _read(request: Request, most: int) -> bytes:
    told = request.headers.get("content-length", "")
    if told.isdecimal() and len(told) < 20 and int(told) > most * READ_OVER:
        raise _too_large(most)
    kept: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most * READ_OVER:
                break
            if size <= most:
                kept.append(chunk)
    except ClientDisconnect:
        raise RequestRefused(400, "malformed_body", "the body ended early") from None
    if size > most:
        raise _too_large(most)
    return b"".join(kept)


def _too_large(most: int) -> RequestRefused:
    return RequestRefused(413, "body_too_large", f"a body has at most {most} bytes", {"Connection": "close"})


def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charset = next((p.partition("=")[2].strip('" ') for p in parameters if p.startswith("charset=")), "utf-8")
    return kind == "application/json" and charset in ("utf-8", "utf8", "us-ascii")


def strict_json(body: bytes) -> Any:
    """RFC 8259 as most readers agree on it: no NaN, no name twice, no endless numbers or nesting."""
    try:
        return json.loads(
            body.decode("utf-8"), parse_constant=_no_constant, parse_int=_whole, object_pairs_hook=_object
        )
    except json.JSONDecodeError as problem:
        raise _malformed(f"no JSON: {problem.msg} at character {problem.pos}") from None
    except UnicodeDecodeError:
        raise _malformed("no UTF-8") from None
    except RecursionError:
        raise _malformed("nested too deeply") from None


def _malformed(why: str) -> RequestRefused:
    return RequestRefused(400, "malformed_body", f"the body is malformed: {why}")


def _no_constant(name: str) -> Any:
    raise _malformed(f"{name} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise _malformed("a number is too long")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _malformed("an object names a field twice")
    return found
