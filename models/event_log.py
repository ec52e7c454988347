"""A deal's timeline as an object-centric event log: one event an entry, the objects that it is about, and what changed.

Everything comes from the entries alone, without texts that people wrote; amounts only for who may see them.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from models.deal import apply
from models.deal_state import Deal
from models.event import from_plain
from models.event_log_objects import SUMS, TYPES, Link, Part, Value, object_id, parts
from models.lifecycle.deal_table import DEAL
from models.lifecycle.machine import NoSuchMove
from models.lifecycle.states import DealState, Stage
from models.stages.opening import DealOpened
from models.timeline import Entry

EVENT_ATTRIBUTES = {
    "resource": "string",
    "role": "string",
    "on_behalf_of": "string",
    "sequence": "integer",
    "state_from": "string",
    "state_to": "string",
    "policy_version": "string",
}
"""What every event tells beside its activity, time and objects, with its type in OCEL's words."""

OPEN = "open"
"""The activity of a deal's first entry, which no row of the table has."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, NoSuchMove)
"""What applying events raises that no deal could have recorded: the event stands in the log all the same."""

_STAGE_OBJECT = {Stage.NEGOTIATION: "offer", Stage.CONTRACT: "contract", Stage.FULFILMENT: "order"}
_INVOICE_FIELDS = ("invoice", "source")
_NAMES = ("line", "case", "shipment")


def _stage_objects() -> dict[str, str]:
    """Actions that are possible in one stage alone are about what that stage is about, whatever they change."""
    stages: dict[str, set[Stage]] = {}
    for row in DEAL.rows:
        stages.setdefault(row.action, set()).update(DealState(source).stage for source in row.sources)
    return {
        action: kind for action, found in stages.items() for stage, kind in _STAGE_OBJECT.items() if found == {stage}
    }


_ABOUT = _stage_objects()


@dataclass(frozen=True, slots=True)
class Change:
    """The value that an object's attribute has from an instant on."""

    name: str
    value: Value
    time: str


@dataclass(slots=True)
class LoggedObject:
    """A thing that events are about, with its attributes as they changed and the objects that it is related to."""

    id: str
    type: str
    changes: list[Change] = field(default_factory=list)
    links: dict[Link, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One timeline entry: its activity, its time (business time), and the objects that it is about, each with what
    the act was to it."""

    id: str
    activity: str
    time: str
    attributes: dict[str, Value]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class DealLog:
    """All events of one deal in their order, and all objects that they name, in the order in which they came up."""

    deal_id: str
    customer: str
    events: list[LoggedEvent]
    objects: list[LoggedObject]


def object_types(with_amounts: bool) -> dict[str, dict[str, str]]:
    """Types of objects with the types of their attributes; amounts are in minor units."""
    return {
        kind: {name: form for name, form in attributes.items() if with_amounts or name not in SUMS}
        for kind, attributes in TYPES.items()
    }


def deal_log(entries: Sequence[Entry], with_amounts: bool = False) -> DealLog:
    """The event log of one deal's timeline, given whole and in its order. An entry whose events can't be read gives an
    event that names the deal alone. Raises ValueError for no entries."""
    if not entries:
        raise ValueError("an empty timeline has no event log")
    reader = _Reader(entries[0].deal_id, with_amounts)
    events = [reader.read(entry) for entry in entries]
    return DealLog(reader.deal_id, reader.customer, events, list(reader.objects.values()))


def activity_log(entries: Sequence[Entry]) -> DealLog:
    """The events alone, without objects and what they are about: for forms that know cases only, in a tenth of the
    time. Raises ValueError for no entries."""
    if not entries:
        raise ValueError("an empty timeline has no event log")
    opened = next((each.get("opened") for each in _values(entries[0].events) if "opened" in each), None)
    customer = str(opened.get("customer", "")) if isinstance(opened, dict) else ""
    return DealLog(entries[0].deal_id, customer, [_event(entry, ()) for entry in entries], [])


def _event(entry: Entry, links: tuple[Link, ...]) -> LoggedEvent:
    attributes: dict[str, Value] = {
        "resource": entry.actor,
        "role": entry.role,
        "on_behalf_of": entry.on_behalf_of,
        "sequence": entry.sequence,
        "state_from": entry.state_from,
        "state_to": entry.state_to,
        "policy_version": entry.policy_version,
    }
    return LoggedEvent(f"{entry.deal_id}/{entry.sequence}", entry.action, entry.at, attributes, links)


class _Reader:
    """Follows a deal from entry to entry and keeps the objects that came up."""

    def __init__(self, deal_id: str, with_amounts: bool) -> None:
        self.deal_id, self.customer = deal_id, ""
        self.objects: dict[str, LoggedObject] = {}
        self._with_amounts = with_amounts
        self._deal: Deal | None = None
        self._seen: dict[str, tuple[Any, dict[str, Value]]] = {}
        self._offers: dict[str, str] = {}
        self._paid: dict[tuple[str, str], list[str]] = {}

    def read(self, entry: Entry) -> LoggedEvent:
        """The event of the next entry."""
        self._follow(entry)
        links: dict[str, str] = {}
        self._note_deal(entry, links)
        self._note_parts(entry.at, links)
        self._note_payments(entry, links)
        self._note_named(entry, links)
        return _event(entry, tuple(Link(target, qualifier) for target, qualifier in links.items()))

    def _follow(self, entry: Entry) -> None:
        with suppress(*UNREADABLE):
            events = [from_plain(plain) for plain in entry.events]
            if self._deal is not None:
                self._deal, _ = apply(self._deal, events, entry.at)
            elif events and isinstance(events[0], DealOpened):
                self._deal, _ = apply(events[0].create(entry.at), events[1:], entry.at)

    def _note_deal(self, entry: Entry, links: dict[str, str]) -> None:
        deal = object_id("deal", self.deal_id)
        links[deal] = "opens" if entry.action == OPEN else "of deal"
        self.objects.setdefault(deal, LoggedObject(deal, "deal"))
        if self._deal is not None:
            self.customer = self._deal.customer
            customer = object_id("customer", self.customer)
            links[customer] = "for customer"
            self.objects.setdefault(customer, LoggedObject(customer, "customer"))

    def _note_parts(self, at: str, links: dict[str, str]) -> None:
        with suppress(*UNREADABLE):
            self._look_at_parts(at, links)

    def _look_at_parts(self, at: str, links: dict[str, str]) -> None:
        for part in parts(self._deal, self._offers) if self._deal is not None else ():
            before = self._seen.get(part.id)
            if before is not None and before[0] is part.value:
                continue
            if part.type != "deal" and (before is None or before[0] != part.value):
                links[part.id] = "creates" if before is None else "changes"
            attributes = {n: v for n, v in part.attributes().items() if self._with_amounts or n not in SUMS}
            self._keep(part, at, before[1] if before else {}, attributes)
            self._seen[part.id] = (part.value, attributes)

    def _keep(self, part: Part, at: str, before: dict[str, Value], now: dict[str, Value]) -> None:
        kept = self.objects.setdefault(part.id, LoggedObject(part.id, part.type))
        for name, value in now.items():
            if value != before.get(name, ""):
                if kept.changes and kept.changes[-1].time == at:
                    # an attribute has one value at an instant: the last of those that it had within a second
                    kept.changes = [each for each in kept.changes if (each.name, each.time) != (name, at)]
                kept.changes.append(Change(name, value, at))
        kept.links.update(dict.fromkeys(part.links()))

    def _note_payments(self, entry: Entry, links: dict[str, str]) -> None:
        taken = 0
        for event in _values(entry.events):
            place = (str(event.get("invoice", "")), str(event.get("reference", "")))
            if event.get("tag") == "payment_recorded":
                taken += 1
                paid = object_id("payment", self.deal_id, f"{entry.sequence}-{taken}")
                self.objects[paid] = self._payment(paid, place[0], event, entry.at)
                self._paid.setdefault(place, []).append(paid)
                links[paid] = "creates"
            elif event.get("tag") == "payment_reversed" and place[1]:
                links.update(dict.fromkeys(self._paid.get(place, ()), "takes back"))

    def _payment(self, paid: str, invoice: str, event: dict[str, Any], at: str) -> LoggedObject:
        made = LoggedObject(paid, "payment", links={Link(object_id("deal", self.deal_id), "of deal"): None})
        number = object_id("invoice", self.deal_id, invoice)
        if number in self.objects:
            made.links[Link(number, "pays")] = None
        if self._with_amounts:
            made.changes += [Change(f"{n}_minor", event.get(f"{n}_minor", 0), at) for n in ("applied", "unapplied")]
        return made

    def _note_named(self, entry: Entry, links: dict[str, str]) -> None:
        for target, qualifier in _named(self.deal_id, self._deal, entry):
            if target in self.objects:
                links.setdefault(target, qualifier)


def _named(deal_id: str, deal: Deal | None, entry: Entry) -> Iterable[tuple[str, str]]:
    """Objects that an entry is about without changing them: by its payload, its events, and the approvals that its
    receipt says counted."""
    for plain in _values([entry.payload, *_values(entry.events)]):
        for name in _INVOICE_FIELDS:
            yield object_id("invoice", deal_id, str(plain.get(name, ""))), "about"
        for name in _NAMES:
            yield object_id(name, deal_id, str(plain.get(name, ""))), "about"
        for line in _lines(plain.get("lines")):
            yield object_id("line", deal_id, line), "about"
    yield from _about_stage(deal, _ABOUT.get(entry.action, ""))
    for counted in _values((entry.receipt or {}).get("approvals")):
        yield object_id("approval", deal_id, str(counted.get("number", ""))), "relies on"


def _values(found: Any) -> list[dict[str, Any]]:
    """The plain values of a list; what was tampered with may hold anything."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list | tuple) else []


def _about_stage(deal: Deal | None, kind: str) -> Iterable[tuple[str, str]]:
    if deal is None:
        return
    if kind == "offer" and deal.offer:
        yield object_id(kind, deal.id, str(deal.offer.version)), "about"
    elif kind == "contract" and deal.contract:
        yield object_id(kind, deal.id, str(deal.contract.version)), "about"
    elif kind == "order" and deal.order:
        yield object_id(kind, deal.id), "about"


def _lines(value: Any) -> Iterable[str]:
    for each in value if isinstance(value, list | tuple) else ():
        found = each.get("line") if isinstance(each, dict) else each
        if isinstance(found, int):
            yield str(found)
