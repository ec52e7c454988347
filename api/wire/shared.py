"""What many requests and answers share: strict bodies, clean texts, money, pages, and the usual headers."""

import re
from datetime import date
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from infra.desk.payloads import bad_text
from models.instants import canonical
from models.money import MAX_MINOR


class Asked(BaseModel):
    """A request body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="ignore")


def _clean(text: str) -> str:
    if why := bad_text(text):
        raise ValueError(why)
    if any(character < " " and character not in "\t\n\r" for character in text):
        raise ValueError("control characters are not allowed")
    return text


def _instant(at: str) -> str:
    try:
        return canonical(at) if at else at
    except (ValueError, OverflowError):
        raise ValueError("an instant looks like 2026-11-21T08:00:00Z") from None


def _day(on: str) -> str:
    if on and (not re.fullmatch(r"\d{4}-\d\d-\d\d", on) or date.fromisoformat(on).isoformat() != on):
        raise ValueError("a day looks like 2026-11-21")
    return on


Clean = Annotated[str, AfterValidator(_clean)]
Id = Annotated[Clean, Field(min_length=1, max_length=80)]
OptionalId = Annotated[Clean, Field(max_length=80)]
Name = Annotated[Clean, Field(min_length=1, max_length=300)]
OptionalName = Annotated[Clean, Field(max_length=300)]
Code = Annotated[Clean, Field(min_length=1, max_length=40)]
OptionalCode = Annotated[Clean, Field(max_length=40)]
Note = Annotated[Clean, Field(max_length=2_000)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
OptionalCurrency = Annotated[str, Field(pattern=r"^([A-Z]{3})?$", description="ISO 4217")]
Day = Annotated[str, AfterValidator(_day), Field(pattern=r"^(\d{4}-\d\d-\d\d)?$")]
Instant = Annotated[str, AfterValidator(_instant), Field(max_length=40)]
Units = Annotated[int, Field(ge=1, le=10**7)]
Bps = Annotated[int, Field(ge=0, le=100_000)]

Limit = Annotated[int, Query(ge=1, le=200, description="Rows on one page")]
Cursor = Annotated[str, Query(max_length=500, description="`next_cursor` of the page before")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="The same key with the same request gets the same answer, and nothing happens twice",
    ),
]


class Money(Told):
    """An amount in minor units (cents for EUR) of one currency."""

    amount_minor: int
    currency: str


class Amount(Asked):
    """A positive amount in minor units (cents for EUR) of one currency."""

    amount_minor: Annotated[int, Field(ge=1, le=MAX_MINOR)]
    currency: Currency


class Price(Asked):
    """An amount in minor units, perhaps zero."""

    amount_minor: Annotated[int, Field(ge=0, le=MAX_MINOR)]
    currency: Currency


Plain = dict[str, Any]
