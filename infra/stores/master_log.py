"""Who changed master data: the author of a change, its leaf in the audit log, and the look back for who did what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from infra.db import table_of
from infra.stores.audit_log import Leaf, leaf_of_body
from models.duties import CONFLICTS, Conflict
from models.instants import plus
from models.tables.masters import CustomerRow
from models.tables.projection import DealRow
from models.tables.records import AuditLeafRow, TimelineRow

_LEAVES, _CUSTOMERS = table_of(AuditLeafRow), table_of(CustomerRow)
_DEALS, _TIMELINE = table_of(DealRow), table_of(TimelineRow)

RULE = next(rule for rule in CONFLICTS if rule.scope == "customer")
"""Customer cards and credit limits take two."""
RISK_FIELDS = frozenset({"blocked"})
"""Fields of a card that say how far the customer is trusted: setting them is no work on the card itself."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes master data, and for whom; `eyes` are all whose deputy they are, too. Rules about persons do not
    bind machines."""

    user: str
    on_behalf_of: str = ""
    stands_in_for: tuple[str, ...] = ()
    is_machine: bool = False

    @property
    def eyes(self) -> frozenset[str]:
        """Everybody with whose eyes this one sees."""
        return frozenset({self.user, *self.stands_in_for, *filter(None, [self.on_behalf_of])})

    @property
    def named(self) -> dict[str, str]:
        """The author as bodies of leaves name them."""
        return {"by": self.user, **({"for": self.on_behalf_of} if self.on_behalf_of else {})}


OPERATOR = Author("operator", is_machine=True)
"""Whoever runs imports on the machine that holds the data."""


@dataclass(frozen=True, slots=True)
class EarlierAct:
    """What somebody did that stands against doing the other half now: `where` names it, `people` who they were."""

    rule: Conflict
    where: str
    at: str
    people: tuple[str, ...]


class DutiesCombined(Exception):
    """A person would do both halves of a pair of duties that must be separate; nothing was written."""

    def __init__(self, earlier: EarlierAct) -> None:
        who = ", ".join(earlier.people)
        super().__init__(f"{earlier.rule.name}: {who} did {earlier.where} at {earlier.at}")
        self.earlier = earlier


def customer_leaf(card: dict[str, Any], fields: Iterable[str], author: Author, at: str) -> Leaf:
    """A card was made or changed: the names of its fields, never their values."""
    body = {"id": card["id"], "group": card["group_id"], "fields": sorted(fields), **author.named, "at": at}
    return leaf_of_body("customer", card["id"], body, at)


def limit_leaf(group: str, currency: str, old_minor: int | None, new_minor: int, author: Author, at: str) -> Leaf:
    """A credit limit was fixed, in minor units; `old_minor` is None when the group had none."""
    limits = {"old_minor": old_minor, "new_minor": new_minor}
    body = {"group": group, "currency": currency, **limits, **author.named, "at": at}
    return leaf_of_body("credit_limit", group, body, at)


def refuse_card_work(connection: Connection, group: str, author: Author, at: str) -> None:
    """Refuse work on a card to who says, or said lately, how much its group may owe. Raises DutiesCombined.

    Call it when the leaf was appended: who appends waits for all others, so of two at once the second sees the first.
    """
    if author.is_machine:
        return
    since = plus(at, -RULE.within)
    limits = _leaves(connection, "credit_limit", [group], since)
    entry = (
        select(_TIMELINE)
        .join(_DEALS, _DEALS.c.id == _TIMELINE.c.deal_id)
        .where(
            _DEALS.c.group_id == group,
            _DEALS.c.is_test.is_(False),
            _TIMELINE.c.action == "approve_reliability",
            _TIMELINE.c.at >= since,
        )
    )
    decided = [
        {"where": f"approve_reliability in {row.deal_id}/{row.sequence}", "by": row.actor, "for": row.on_behalf_of}
        | {"at": row.at}
        for row in connection.execute(entry)
    ]
    _refuse([{"where": "credit_limit", **body} for body in limits] + decided, author)


def refuse_limit(connection: Connection, group: str, author: Author, at: str) -> None:
    """Refuse to say how much a group may owe to who works, or lately worked, on one of its cards. Raises
    DutiesCombined; to be called like `refuse_card_work`."""
    if author.is_machine:
        return
    members = list(connection.execute(_members(group)).scalars())
    cards = _leaves(connection, "customer", members, plus(at, -RULE.within))
    _refuse([{"where": "customer", **body} for body in cards if set(body["fields"]) - RISK_FIELDS], author)


def _refuse(acts: Sequence[dict[str, Any]], author: Author) -> None:
    for act in acts:
        both = author.eyes & {act["by"], act.get("for", "")} - {""}
        if both:
            raise DutiesCombined(EarlierAct(RULE, act["where"], act["at"], tuple(sorted(both))))


def _members(group: str) -> Any:
    return select(_CUSTOMERS.c.id).where(_CUSTOMERS.c.group_id == group)


def _leaves(connection: Connection, kind: str, refs: list[str], since: str) -> list[dict[str, Any]]:
    query = select(_LEAVES.c.body).where(
        _LEAVES.c.body.is_not(None), _LEAVES.c.kind == kind, _LEAVES.c.ref.in_(refs), _LEAVES.c.at >= since
    )
    return list(connection.execute(query.order_by(_LEAVES.c.sequence)).scalars())
