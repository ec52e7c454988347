"""What a body may be: not too large, counted while it streams, and JSON without tricks."""

from typing import Any

from starlette.requests import ClientDisconnect, Request

from api.problems import RequestRefused
from infra.desk.strict_json import NotJson, strict_json

READ_OVER = 8
"""A body up to this many times too large is read to its end, so that its sender gets to hear the answer."""


class BoundedRequest(Request):
    """A request whose body was read under a limit and parsed by our rules, before the framework looks at it."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._parsed = _parsed(body) if body else None

    async def json(self) -> Any:
        """The body as strict JSON."""
        return self._parsed


async def bounded(request: Request, most: int) -> BoundedRequest:
    """Read the body. Raises RequestRefused with 413, 415 for a body that is not JSON, or 400 for malformed JSON."""
    body = await read_body(request, most)
    if body and not _is_json(request.headers.get("content-type", "")):
        raise RequestRefused(415, "unsupported_media_type", "send the body as application/json in UTF-8")
    return BoundedRequest(request, body)


async def read_body(request: Request, most: int) -> bytes:
    """The body as it came in. Raises RequestRefused with 413, or 400 when its sender went away."""
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


def _parsed(body: bytes) -> Any:
    try:
        return strict_json(body)
    except NotJson as problem:
        raise RequestRefused(400, "malformed_body", f"the body is malformed: {problem}") from None
