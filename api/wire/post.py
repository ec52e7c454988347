"""Carrier messages and alerts on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from api.wire.shared import Asked, Told
from infra.desk.carrier_letter import KINDS, LONGEST_CARRIER, LONGEST_ID, LONGEST_NOTE, LONGEST_SHIPMENT

OutcomeName = Literal["received", "booked", "unchanged", "dead"]


class CarrierMessage(Asked):
    """What a carrier reports of a shipment. `message_id` is the carrier's own and the same when it is sent again."""

    carrier: Annotated[str, Field(min_length=1, max_length=LONGEST_CARRIER, pattern=r"^\S+$")]
    message_id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=r"^\S+$")]
    shipment: Annotated[str, Field(max_length=LONGEST_SHIPMENT, description="Our number, such as D-7Q2K9M4XTA-S1")]
    kind: Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
    occurred_at: Annotated[str, Field(max_length=40, description="An instant, at most a day ahead of the clock")]
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""


class Receipt(Told):
    """What became of a message: `booked`, `unchanged` (old news), or `dead` with the reason, which people look at."""

    id: int
    carrier: str
    message_id: str
    outcome: OutcomeName
    reason: str


class KeptMessage(Receipt):
    """A message as it is kept; `tries` counts how often its deal was to be told."""

    shipment: str
    deal_id: str
    kind: str
    occurred_at: str
    received_at: str
    tries: int
    settled_at: str


class WholeMessage(KeptMessage):
    """A message with its body as it came in: the text, or `base64:` and the bytes when it is none."""

    body: str


class KeptMessages(Told):
    """A page of messages, in the order in which they came."""

    items: list[KeptMessage]
    next_cursor: str


class Alert(Told):
    """Something that a person must look at; `acknowledged_at` is empty until somebody has."""

    id: int
    at: str
    kind: str
    subject: str
    text: str
    acknowledged_by: str
    acknowledged_at: str


class Alerts(Told):
    """A page of alerts, the newest first."""

    items: list[Alert]
    next_cursor: str
