"""What happens around every route: header and path checks, the caller, the body; refused acts are written down."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.keys import desk_of, identify
from api.limits import bounded, read_body
from api.problems import RequestRefused, wrong_fields
from infra.desk.callers import Caller
from infra.desk.errors import NoSuch
from infra.desk.payloads import bad_text

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

ONCE_ONLY = ("authorization", "x-api-key", "idempotency-key", "if-match", "content-type", "content-length")
_LONGEST_NAME = 200


class GuardedRoute(APIRoute):
    """A route for identified callers."""

    def get_route_handler(self) -> Handler:
        """The handler with everything that goes before it."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            _check_headers(request)
            request.state.caller = await identify(request)
            return await self.serve(inner, request)

        return guarded

    async def serve(self, inner: Handler, request: Request) -> Response:
        """Check path and body, then go on."""
        for name in request.path_params.values():
            if bad_text(str(name)) or len(str(name)) > _LONGEST_NAME:
                raise NoSuch("thing", "of this name")
        return await inner(await bounded(request, desk_of(request).settings.max_body_bytes))


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

    async def _record(self, request: Request, code: str, detail: dict[str, Any]) -> None:
        if request.query_params.get("dry_run", "").lower() in ("true", "1", "yes", "on", "t", "y"):
            return
        caller: Caller = request.state.caller
        named = request.path_params
        action = str(named.get("action", self.name))
        key = request.headers.get("idempotency-key", "")
        await desk_of(request).refusals.note(caller, str(named.get("deal_id", "")), action, code, detail, key)


def _check_headers(request: Request) -> None:
    for name in ONCE_ONLY:
        if len(request.headers.getlist(name)) > 1:
            raise RequestRefused(400, "header_twice", f"the header {name} is sent twice")
