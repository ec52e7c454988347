"""Our own vans: the carrier of an installation that has no other. Booking one is a note in our database."""

from functools import partial

from sqlalchemy import Connection

from infra.db import Database
from infra.gateways import checked
from infra.gateways.once import once
from models.messages.logistics import CarriageInput, CarriageResult

OWN = "own"
"""The name that our vans go by among carriers."""

LONGEST_SHIPMENT = 100
"""Longest number of a shipment that the tables hold."""


class OwnCarrier:
    """The port Carrier with our own vans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def book(self, asked: CarriageInput) -> CarriageResult:
        """Book a van, once per effect key. The reference is made of the shipment's number: another van for the same
        shipment, after a failed delivery, goes under the same one."""
        check_booking(asked)
        work = partial(_book, asked)
        return await once(self._database, asked.effect_key, "carriage.book", CarriageResult, work)


def check_booking(asked: CarriageInput) -> None:
    """Raises ValueError for what no carrier is asked to carry."""
    checked.stock_lines(asked.lines)
    checked.text(asked.shipment, "a shipment's number", LONGEST_SHIPMENT)
    checked.instant(asked.at)


def own_reference(shipment: str) -> str:
    """What our vans call a shipment."""
    return f"VAN-{shipment}"


def _book(asked: CarriageInput, connection: Connection) -> CarriageResult:
    return CarriageResult(OWN, own_reference(asked.shipment))
