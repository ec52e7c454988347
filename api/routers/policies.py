"""The versioned business numbers, to read."""

from fastapi import APIRouter

from api.keys import Desk, Me
from api.once import allow
from api.routes import GuardedRoute
from api.wire.office import Policies, PolicyBody
from api.wire.shared import Plain
from infra.desk.errors import NoSuch
from models import codec
from models.lifecycle.roles import BLIND_TO_PRICES, PERSONS

router = APIRouter(prefix="/v1/policies", tags=["policies"], route_class=GuardedRoute)

READERS = PERSONS - BLIND_TO_PRICES
"""Margin floors and discount authority are no business of who must not see prices."""


@router.get("", response_model=Policies)
async def list_policies(desk: Desk, me: Me) -> Plain:
    """All versions, the newest first."""
    allow(me, "reading policies", READERS)
    return {"items": await desk.books.policies.store.all()}


@router.get("/{version}", response_model=PolicyBody)
async def read_policy(version: str, desk: Desk, me: Me) -> Plain:
    """One version with all its numbers."""
    allow(me, "reading policies", READERS)
    found = await desk.books.policies.store.get(version)
    if found is None:
        raise NoSuch("policy", version)
    told: Plain = codec.encode(found)
    return told
