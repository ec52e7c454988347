"""Erasing the personal data of contacts, and the list of erasures."""

from fastapi import APIRouter, Response

from api.keys import Desk, Me
from api.once import once
from api.routes import GuardedRoute
from api.wire.privacy import ContactErasure, Erase, Erasures
from api.wire.shared import Cursor, Key, Limit, Plain

router = APIRouter(prefix="/v1", tags=["privacy"], route_class=GuardedRoute)


@router.post("/contacts/{contact_id}/erasure", response_model=ContactErasure)
async def erase_contact(contact_id: str, asked: Erase, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Destroy the personal data of a contact, for ever; doing it again changes nothing."""

    async def work() -> Plain:
        return await desk.privacy.erase(me, contact_id, asked.reason)

    # without the reason: should it name the person, no digest of it may stay
    return await once(desk, me, "erasures", key, {"contact": contact_id}, response, work)


@router.get("/erasures", response_model=Erasures)
async def list_erasures(desk: Desk, me: Me, cursor: Cursor = "", limit: Limit = 50) -> Plain:
    """Erasures, the latest first."""
    page = await desk.privacy.erasures(me, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}
