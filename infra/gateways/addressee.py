"""To whom a paper goes: the firm's name and language from its card. No personal data."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from infra.db import Database
from models.tables.masters import CustomerRow

_CARD = select(CustomerRow.name, CustomerRow.language).where(CustomerRow.id == bindparam("customer"))


@dataclass(frozen=True, slots=True)
class Addressee:
    """A customer as it stands on a paper."""

    name: str
    language: str


async def addressee(database: Database, customer_id: str) -> Addressee:
    """The customer's name and language; the id and English for one that has no card."""
    async with database.read() as connection:
        row = (await connection.execute(_CARD, {"customer": customer_id})).one_or_none()
    return Addressee(customer_id, "en") if row is None else Addressee(row.name, row.language)
