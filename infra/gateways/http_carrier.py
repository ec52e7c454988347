"""A carrier behind HTTP. What becomes of a shipment comes back through our API, see docs/connectors.md."""

from infra.db import Database
from infra.gateways import checked
from infra.gateways.connector_errors import ConnectorRefused
from infra.gateways.first_question import first_asked
from infra.gateways.http_door import HttpDoor
from infra.gateways.own_carrier import OWN, check_booking
from models.codec import Malformed
from models.messages.logistics import CarriageInput, CarriageResult

UNPROCESSABLE = 422
"""The status of a carrier that understands the question and will not carry the goods."""

LONGEST_CARRIER = 40
"""Longest name of a carrier that the tables hold."""


class HttpCarrier:
    """The port Carrier on a foreign system. Refuses what our own vans refuse; raises ConnectorErrors besides."""

    def __init__(self, door: HttpDoor, database: Database) -> None:
        self._door = door
        self._database = database

    async def close(self) -> None:
        """Close the connections."""
        await self._door.close()

    async def book(self, asked: CarriageInput) -> CarriageResult:
        """Hand a shipment over; the answer names the carrier and its reference, or says why it will not carry it.

        A no to the shipment itself is an answer, as people must then find another way; a wrong token or address is not.
        """
        check_booking(asked)
        first = await first_asked(self._database, asked.effect_key, "carriage.book.abroad", asked)
        try:
            return await self._door.ask("/v1/shipments", first.effect_key, first, CarriageResult, _check)
        except ConnectorRefused as no:
            if no.status != UNPROCESSABLE:
                raise
            return CarriageResult("", "", refused=no.problem or "no reason given")


def _check(answer: CarriageResult) -> None:
    if answer.refused:
        raise Malformed("refused", f"a carrier that will not answers {UNPROCESSABLE}")
    for where, text, longest in (
        ("carrier", answer.carrier, LONGEST_CARRIER),
        ("reference", answer.reference, checked.ID_LENGTH),
    ):
        if not 0 < len(text) <= longest or not text.isprintable():
            raise Malformed(where, f"has 1 to {longest} printable characters")
    if answer.carrier == OWN:
        raise Malformed("carrier", f"{OWN!r} are our own vans")
