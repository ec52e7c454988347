"""Who is calling: an API key, as a bearer token or in a header of its own; and for whom, when a deputy calls."""

from typing import Annotated

from fastapi import Depends, Request

from api.problems import RequestRefused
from infra.desk.callers import Caller, caller_of
from infra.desk.service import DealDesk

_LONGEST_KEY = 200


def desk_of(request: Request) -> DealDesk:
    """The desk that this application serves."""
    desk: DealDesk = request.app.state.desk
    return desk


def me_of(request: Request) -> Caller:
    """The caller, whom the route has identified."""
    caller: Caller = request.state.caller
    return caller


Desk = Annotated[DealDesk, Depends(desk_of)]
Me = Annotated[Caller, Depends(me_of)]


async def identify(request: Request) -> Caller:
    """The caller whose key this is, with the rights of whom they name in X-On-Behalf-Of as that person's deputy.

    Raises RequestRefused with 401, or a DeskError when they are not.
    """
    key = _key(request)
    person = await desk_of(request).books.people.authenticate(key) if key else None
    if person is None:
        why = "no API key was sent" if not key else "this API key is not valid"
        challenge = {"WWW-Authenticate": 'Bearer realm="dealwright"'}
        raise RequestRefused(401, "unauthenticated", why, challenge)
    caller = caller_of(person)
    absent = request.headers.get("x-on-behalf-of", "").strip()
    return await desk_of(request).deputies.acting_for(caller, absent) if absent else caller


def _key(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    own = request.headers.get("x-api-key", "").strip()
    if bearer and own and bearer != own:
        raise RequestRefused(400, "two_keys", "Authorization and X-API-Key carry different keys: send one")
    key = bearer or own
    return key if len(key) <= _LONGEST_KEY and key.isascii() else "malformed"
