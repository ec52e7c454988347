"""Holds on customer groups on the wire."""

from api.wire.shared import Told


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
