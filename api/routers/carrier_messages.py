"""The hook for carriers, the list of what they sent, and telling a dead message again."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.keys import Desk, Me
from api.once import REPLAYED, once
from api.routes import GuardedRoute, HookRoute
from api.wire.post import CarrierMessage, KeptMessage, KeptMessages, OutcomeName, Receipt, WholeMessage
from api.wire.shared import Clean, Cursor, Key, Limit, Plain

hook = APIRouter(prefix="/v1/carrier-messages", tags=["carrier messages"], route_class=HookRoute)
router = APIRouter(prefix="/v1/carrier-messages", tags=["carrier messages"], route_class=GuardedRoute)

Number = Annotated[int, Path(ge=1, le=2**53 - 1)]
Outcome = Annotated[OutcomeName | None, Query(description="Only messages with this outcome; `dead` lists dead letters")]
Shipment = Annotated[Clean, Query(max_length=100, description="Only this shipment's messages")]

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": CarrierMessage.model_json_schema()}},
    }
}


@hook.post("", status_code=202, response_model=Receipt, openapi_extra=_BODY)
async def receive(desk: Desk, me: Me, request: Request, response: Response) -> Plain:
    """Take in what a carrier reports, once per carrier and message id; what can't be used is kept as a dead letter.

    503 means that it is kept and its deal could not be told yet: send it again.
    """
    received = await desk.carrier_inbox.receive(me, request.state.body)
    if received.replayed:
        response.headers[REPLAYED] = "true"
    return received.row


@router.get("", response_model=KeptMessages)
async def list_messages(
    desk: Desk, me: Me, outcome: Outcome = None, shipment: Shipment = "", cursor: Cursor = "", limit: Limit = 50
) -> Plain:
    """What carriers sent and what became of it, in the order in which it came."""
    page = await desk.carrier_inbox.page(me, outcome or "", shipment, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.get("/{number}", response_model=WholeMessage)
async def read_message(number: Number, desk: Desk, me: Me) -> Plain:
    """One message with its body as it came in."""
    return await desk.carrier_inbox.message(me, number)


@router.post("/{number}/retry", response_model=KeptMessage)
async def retry(number: Number, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Tell a message to its deal again, when the cause of its trouble is gone; each try needs a key of its own."""

    async def work() -> Plain:
        return KeptMessage.model_validate(await desk.carrier_inbox.retry(me, number)).model_dump()

    return await once(desk, me, "carrier-messages", key, {"id": number}, response, work)
