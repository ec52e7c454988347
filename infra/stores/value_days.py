"""Value days of money and the instants at which invoices of earlier systems became known, read from timelines.

The ledger knows when something was booked; what the bank said about its day stands in the act that booked it.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection, Select, or_, select

from infra.db import table_of
from models.as_of import VALUE_DAYS, value_instant
from models.parts.receivable import LEGACY
from models.tables.records import TELLS_OF_MONEY, TimelineRow

_TIMELINE = table_of(TimelineRow)
_ISSUES = "book_invoice"
"""The act with which an invoice enters its deal."""


@dataclass(frozen=True, slots=True)
class News:
    """What an instant's knowledge tells beside the ledger: from when on bookings of an act count that were back-dated
    (by the beginning of their effect's key), and numbers of invoices of earlier systems that nobody had told of."""

    value_instants: dict[str, str] = field(default_factory=dict)
    not_yet: frozenset[str] = frozenset()

    def counts_from(self, effect_key: str, at: str) -> str:
        """From when on a booking counts that was made at an instant."""
        return self.value_instants.get(act_of(effect_key), at)


NOTHING_NEW = News()


def act_of(effect_key: str) -> str:
    """The act that asked for an effect: deal and sequence, as `models.deal` begins an effect's key."""
    return effect_key.rsplit(":", 2)[0]


def later_news(connection: Connection, known_at: str) -> News:
    """What was known at an instant. Only what is back-dated is held in memory."""
    not_yet = frozenset(connection.execute(brought_after(known_at)).scalars().all())
    return News(_value_instants(connection, known_at), not_yet)


def _value_instants(connection: Connection, known_at: str) -> dict[str, str]:
    t = _TIMELINE.c
    days = [(action, t.payload[name].as_string()) for action, name in VALUE_DAYS.items()]
    query = select(t.deal_id, t.sequence, t.at, *(day for _, day in days), t.action)
    dated = or_(*((t.action == action) & (day != "") for action, day in days))
    found: dict[str, str] = {}
    query = query.where(TELLS_OF_MONEY, dated, t.at <= known_at)
    for deal_id, sequence, at, *said, action in connection.execute(query):
        day = said[list(VALUE_DAYS).index(action)] or ""
        counts = value_instant(at, day)
        if counts != at:
            found[f"{deal_id}:{sequence}"] = counts
    return found


def brought_after(known_at: str) -> Select[str]:
    """Numbers of invoices of earlier systems that nobody had told of by an instant."""
    t = _TIMELINE.c
    is_legacy = t.payload["kind"].as_string() == LEGACY
    number = t.payload["number"].as_string()
    return select(number).where(TELLS_OF_MONEY, t.action == _ISSUES, t.at > known_at, is_legacy)
