"""Acts on a deal: what is possible, why not, and doing it. One route serves every row of the table."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Response

from api.keys import Desk, Me
from api.once import REPLAYED
from api.problems import RequestRefused
from api.routes import ActRoute, GuardedRoute
from api.wire.deals import Acted, Actions
from api.wire.rehearsals import Rehearsed
from api.wire.shared import Key, Plain
from infra.desk.callers import Caller
from infra.desk.service import DealDesk
from models import codec

router = APIRouter(prefix="/v1/deals/{deal_id}/actions", tags=["actions"], route_class=ActRoute)
reading = APIRouter(prefix="/v1/deals/{deal_id}/actions", tags=["actions"], route_class=GuardedRoute)

_VERSION = re.compile(r'(?:W/)?"?(\d{1,9})"?')

IfMatch = Annotated[
    str, Header(alias="If-Match", max_length=40, description='Version that the deal must still have, such as "7"')
]
Payload = Annotated[
    dict[str, Any] | None, Body(description="The payload of this action; its schema is in the list of actions")
]
DryRun = Annotated[bool, Query(description="Validate everything, change nothing")]


@reading.get("", response_model=Actions)
async def list_actions(deal_id: str, desk: Desk, me: Me) -> Plain:
    """Every action of the table: allowed, or blocked with each failing guard, the value found, and who can lift it."""
    return {"deal_id": deal_id, "items": [codec.encode(view) for view in await desk.actions(me, deal_id)]}


@router.post("/{action}", response_model=Rehearsed | Acted)
async def act(
    deal_id: str,
    action: str,
    key: Key,
    desk: Desk,
    me: Me,
    response: Response,
    payload: Payload = None,
    if_match: IfMatch = "",
    dry_run: DryRun = False,
) -> Plain:
    """Carry out an action on a deal, or with `dry_run` only say what would happen: events, effects, amounts."""
    version = _version(if_match)
    if dry_run:
        rehearsed = await desk.dry_run(me, deal_id, action, payload or {}, version)
        return {**codec.encode(rehearsed.result), "dry_run": True, "preview": rehearsed.preview}
    return await acted(desk, me, deal_id, action, payload or {}, key, response, version)


async def acted(
    desk: DealDesk,
    me: Caller,
    deal_id: str,
    action: str,
    payload: dict[str, Any],
    key: str,
    response: Response,
    version: int = 0,
) -> Plain:
    """Act and tell where the deal stands, with its version as ETag."""
    answer = await desk.act(me, deal_id, action, payload, key, version)
    response.headers["ETag"] = f'"{answer.version}"'
    if answer.replayed:
        response.headers[REPLAYED] = "true"
    told: Plain = codec.encode(answer)
    return told


def _version(if_match: str) -> int:
    if if_match in ("", "*"):
        return 0
    found = _VERSION.fullmatch(if_match)
    if found is None or int(found[1]) == 0:
        raise RequestRefused(400, "malformed_if_match", 'If-Match names a version of the deal, such as "7"')
    return int(found[1])
