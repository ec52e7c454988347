"""Credit limits of customer groups, and holds on them, on the wire."""

from typing import Annotated

from pydantic import Field

from api.wire.shared import Asked, Currency, Id, Told
from models.money import MAX_MINOR


class NewLimit(Asked):
    """How much a customer group may owe, in minor units, from now on."""

    group: Id
    currency: Currency
    limit_minor: Annotated[int, Field(ge=0, le=MAX_MINOR)]


class CreditLimit(Told):
    """A group's limit and what is reserved of it. `fixed_by` is empty while the limit follows the assessments."""

    group: str
    currency: str
    limit_minor: int
    reserved_minor: int
    fixed_by: str


class CreditLimits(Told):
    """A page of limits, by group."""

    items: list[CreditLimit]
    next_cursor: str


class GroupHold(Told):
    """Why a customer group confirms no new orders and gets no goods. `invoice` is what is late; empty when a person has
    set the hold. It is lifted by the money, or by `resume` (credit) on the deal."""

    group: str
    customer: str
    deal_id: str
    invoice: str
    reason: str
    since: str
    owner: str
    is_test: bool


class GroupHolds(Told):
    """A page of holds, the oldest first."""

    items: list[GroupHold]
    next_cursor: str
