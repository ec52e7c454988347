"""The metadata of our own database, and the column types that all tables share.

Instants are ISO 8601 UTC text (they sort as text), money is an integer of minor units, JSON is JSONB on
PostgreSQL. Nothing here reads a clock.
"""

from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, MetaData, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

PlainJson = JSON().with_variant(JSONB(), "postgresql")

Id = Annotated[str, mapped_column(String(80))]
Name = Annotated[str, mapped_column(String(300))]
Code = Annotated[str, mapped_column(String(40))]
Instant = Annotated[str, mapped_column(String(20))]
Day = Annotated[str, mapped_column(String(10))]
Currency = Annotated[str, mapped_column(String(3))]
Minor = Annotated[int, mapped_column(BigInteger)]
Note = Annotated[str, mapped_column(Text)]
Plain = Annotated[Any, mapped_column(PlainJson)]
Digest = Annotated[str, mapped_column(String(64))]


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=NAMING)
