"""What happens around every route: header and path checks, the caller, the body; refused acts are written down."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.keys import desk_of, identify
from api.limits import bounded, read_body
from api.problems import RequestRefused, wrong_fields
from api.reads import tell
from infra.desk.callers import Caller
from infra.desk.errors import NoSuch
from infra.desk.payloads import bad_text
from infra.desk.read_log import one_request
from models.lifecycle.roles import Role

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

ONCE_ONLY = (
    *("authorization", "x-api-key", "x-on-behalf-of", "personal-values"),
    *("idempotency-key", "if-match", "content-type", "content-length"),
)
_LONGEST_NAME = 200

PERSONAL_VALUES = "Personal-Values"
"""The header by which a caller asks for `tokens` where values are shown, or for values in evidence (`shown`)."""

_EVIDENCE = re.compile(r"/(timeline|history|export|refusals|replay|bundle)\b|^/v1/(audit|codec|evidence)\b")


class GuardedRoute(APIRoute):
    """A route for identified callers."""

    def get_route_handler(self) -> Handler:
        """The handler with everything that goes before it."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            _check_headers(request)
            request.state.caller = await identify(request)
            return await _with_values(await self.serve(inner, request), request)

        return guarded

    async def serve(self, inner: Handler, request: Request) -> Response:
        """Check path and body, then go on."""
        for name in request.path_params.values():
            if bad_text(str(name)) or len(str(name)) > _LONGEST_NAME:
                raise NoSuch("thing", "of this name")
        bounded_request = await bounded(request, desk_of(request).settings.max_body_bytes)
        caller: Caller = request.state.caller
        if not caller.has(Role.AUDITOR) or not self.is_reading(request):
            return await inner(bounded_request)
        with one_request() as told:
            response = await inner(bounded_request)
            await tell(desk_of(request).reads, caller, self.path_format, request, response, bool(told))
        return response

    def is_reading(self, request: Request) -> bool:
        """Whether the request changes nothing: those on one deal by another route than that of acts are questions."""
        return request.method == "GET" or "deal_id" in request.path_params


class HookRoute(GuardedRoute):
    """A route for whoever reports something: its body is taken as it comes, for whatever is in it must be kept."""

    async def serve(self, inner: Handler, request: Request) -> Response:
        """Read the body, and nothing into it."""
        request.state.body = await read_body(request, desk_of(request).settings.max_body_bytes)
        return await inner(request)


class ActRoute(GuardedRoute):
    """A route by which somebody acts: what is refused before the desk has seen it is recorded here."""

    async def serve(self, inner: Handler, request: Request) -> Response:
        """Go on, and write down what could not even be read."""
        try:
            return await super().serve(inner, request)
        except RequestRefused as refused:
            await self._record(request, refused.code, {"message": refused.detail})
            raise
        except RequestValidationError as invalid:
            await self._record(request, "malformed", {"fields": wrong_fields(invalid)})
            raise
        except NoSuch as unknown:
            if not unknown.recorded:
                await self._record(request, unknown.code, {"message": unknown.message})
            raise

    def is_reading(self, request: Request) -> bool:
        """Whether it is a dry run."""
        return _is_dry_run(request)

    async def _record(self, request: Request, code: str, detail: dict[str, Any]) -> None:
        if _is_dry_run(request):
            return
        caller: Caller = request.state.caller
        named = request.path_params
        action = str(named.get("action", self.name))
        key = request.headers.get("idempotency-key", "")
        await desk_of(request).refusals.note(caller, str(named.get("deal_id", "")), action, code, detail, key)


def _is_dry_run(request: Request) -> bool:
    return request.query_params.get("dry_run", "").lower() in ("true", "1", "yes", "on", "t", "y")


async def _with_values(response: Response, request: Request) -> Response:
    """Personal values in the place of their tokens, for who may see them; evidence is told as it is hashed."""
    wanted = request.headers.get(PERSONAL_VALUES, "").lower()
    caller: Caller = request.state.caller
    if wanted not in ("", "shown", "tokens"):
        raise RequestRefused(400, "malformed_personal_values", f"{PERSONAL_VALUES} is `shown` or `tokens`")
    is_evidence = _EVIDENCE.search(request.url.path) is not None
    if wanted == "tokens" or (is_evidence and wanted != "shown") or caller.is_blind:
        return response
    body = getattr(response, "body", b"")  # what is streamed is a file, and files are told as they were kept
    if response.media_type == "application/json" and b"pv_" in body:
        response.body = await desk_of(request).books.showing.body(body, caller.scope)
        response.headers["content-length"] = str(len(response.body))
    return response


def _check_headers(request: Request) -> None:
    for name in ONCE_ONLY:
        if len(request.headers.getlist(name)) > 1:
            raise RequestRefused(400, "header_twice", f"the header {name} is sent twice")
