"""Dry runs on the wire: where a deal would stand, and what the act would lead to."""

from typing import Literal

from api.wire.deals import Acted
from api.wire.goods import AmendedLine
from api.wire.shared import Money, Plain, Told


class EffectPreview(Told):
    """Something that the world would be asked to do."""

    kind: str
    data: Plain


class InvoicePreview(Told):
    """A credit on an invoice that stands, or an invoice that would be issued: it has no number yet."""

    number: str
    kind: str
    amount: Money | None = None


class AmendmentPreview(Told):
    """What an amendment comes to when it is confirmed; amounts are null for roles that must not see prices.

    `order_version` is the version of the order that it changes, `net` and `total` are differences.
    """

    number: int
    order_version: int
    changes: list[AmendedLine]
    net: Money | None = None
    total: Money | None = None
    units_added: int
    units_released: int
    headroom_before: Money | None = None
    headroom_after: Money | None = None
    invoices: list[InvoicePreview]


class Preview(Told):
    """Events of the act (`tag` and fields) and effects, in their order; `amendment` for acts that amend an order."""

    events: list[Plain]
    effects: list[EffectPreview]
    amendment: AmendmentPreview | None


class Rehearsed(Acted):
    """Where the deal would stand after an act; nothing was changed."""

    dry_run: Literal[True]
    preview: Preview
