"""Idempotency of requests that no deal answers: the first answer under a key is the answer for ever."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Response

from infra.desk.callers import Caller
from infra.desk.errors import Conflict, key_reused
from infra.desk.in_flight import Lanes
from infra.desk.payloads import fingerprint
from infra.desk.service import DealDesk
from models.lifecycle.roles import Role
from models.timeline import digest

REPLAYED = "Idempotent-Replayed"

Work = Callable[[], Awaitable[dict[str, Any]]]

_TURNS = Lanes(1)
"""Requests under one key go one after the other."""


def allow(caller: Caller, what: str, roles: frozenset[Role]) -> None:
    """Raise WrongRole unless the caller holds one of the roles."""
    caller.require(what, roles)


async def once(
    desk: DealDesk,
    caller: Caller,
    resource: str,
    key: str,
    asked: dict[str, Any],
    response: Response,
    work: Work,
    secret: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Do the work unless this caller's key was answered before; `secret` fields are told once and never stored.

    Raises Conflict when the key was used for something else.
    """
    scope = f"{resource}:{digest(caller.user)[:16]}"
    asked_print = fingerprint(resource, asked, caller.user, caller.on_behalf_of)
    async with _TURNS.turn(f"{scope}:{key}"):
        return await _in_turn(desk, scope, key, asked_print, response, work, secret)


async def _in_turn(
    desk: DealDesk, scope: str, key: str, asked_print: str, response: Response, work: Work, secret: tuple[str, ...]
) -> dict[str, Any]:
    known = await desk.books.commands.find(scope, key)
    if known is None:
        try:
            told = await work()
        except Conflict:
            # another process may have answered the same request in the same moment
            known = await desk.books.commands.find(scope, key)
            if known is None:
                raise
        else:
            kept = {name: None if name in secret else value for name, value in told.items()}
            stands = await desk.books.commands.store(scope, key, asked_print, kept, desk.clock())
            if stands.fingerprint != asked_print:
                raise key_reused(key)
            return told
    if known.fingerprint != asked_print:
        raise key_reused(key)
    response.headers[REPLAYED] = "true"
    body: dict[str, Any] = known.body
    return body
