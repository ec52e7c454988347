"""The kinds of things in a deal's event log: their ids, their attributes, and how they are related to each other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.deal_state import Deal
from models.parts.care import Approval, Case
from models.parts.contract import OURS, THEIRS, Contract
from models.parts.offer import Offer
from models.parts.order import Order, OrderLine
from models.parts.receivable import Receivable
from models.parts.shipment import Shipment

Value = str | int | bool
Attributes = dict[str, Value]


def _typed(**named: str) -> dict[str, str]:
    """Attributes by type: names separated by spaces under the type that they have."""
    return {name: form for form, names in named.items() for name in names.split()}


TYPES: dict[str, dict[str, str]] = {
    "deal": _typed(
        string="state stage owner department branch holds policy_version currency",
        boolean="is_test",
        integer="value_minor",
    ),
    "customer": {},
    "offer": _typed(
        integer="version lines payment_days total_minor discount_bps margin_bps",
        boolean="prepaid",
        time="valid_until",
        string="drafted_by",
    ),
    "contract": _typed(
        integer="version open_disagreements amount_minor", boolean="signed_ours signed_theirs", string="digest"
    ),
    "order": _typed(integer="version lines", string="accepted_by entered_by"),
    "line": _typed(
        string="state article expected_on",
        integer="ordered reserved shipped delivered cancelled substituted returned unit_price_minor",
    ),
    "shipment": _typed(string="state carrier", integer="units"),
    "invoice": _typed(
        string="state kind",
        time="due_at",
        integer="broken_promises total_minor paid_minor credited_minor written_off_minor open_minor disputed_minor",
    ),
    "payment": _typed(integer="applied_minor unapplied_minor"),
    "case": _typed(string="state cause decision", time="due_at"),
    "approval": _typed(string="state kind subject_hash roles requested_by requested_for decided_by", time="due_at"),
}
"""Types of objects with their attributes, in the types of OCEL 2.0."""

SUMS = frozenset(name for attributes in TYPES.values() for name in attributes if name.endswith(("_minor", "_bps")))
"""Attributes that tell amounts, discounts or margins."""


@dataclass(frozen=True, slots=True)
class Link:
    """A relation to an object, and what it is."""

    target: str
    qualifier: str


@dataclass(frozen=True, slots=True)
class Part:
    """An object as it stands in a deal. `value` is what it is made of: the same value means that nothing changed."""

    id: str
    type: str
    value: Any
    attributes: Callable[[], Attributes]
    links: Callable[[], list[Link]]


def object_id(kind: str, *name: str) -> str:
    """The id of an object: its type and its name, that of a part of a deal begins with the deal's."""
    return f"{kind}:{'/'.join(name)}"


def parts(deal: Deal, offers: dict[str, str]) -> Iterator[Part]:
    """All objects of a deal as it stands now. `offers` keeps the ids of offers by their hash, which contracts name."""
    yield Part(object_id("deal", deal.id), "deal", deal, lambda: _deal(deal), lambda: _deal_links(deal))
    if offer := deal.offer:
        mine = object_id("offer", deal.id, str(offer.version))
        offers[offer.hash] = mine
        yield Part(mine, "offer", offer, lambda: _offer(offer), lambda: _versions(deal, "offer", offer.version))
    if contract := deal.contract:
        links = _versions(deal, "contract", contract.version)
        if contract.offer_hash in offers:
            links.append(Link(offers[contract.offer_hash], "based on"))
        mine = object_id("contract", deal.id, str(contract.version))
        yield Part(mine, "contract", contract, lambda: _contract(contract), lambda: links)
    if order := deal.order:
        yield from _goods(deal, order)
    yield from _care(deal, offers)


def _goods(deal: Deal, order: Order) -> Iterator[Part]:
    mine = object_id("order", deal.id)
    links = [_of_deal(deal)]
    if deal.contract:
        links.append(Link(object_id("contract", deal.id, str(deal.contract.version)), "under"))
    about = (order.version, len(order.lines), order.accepted_by, order.entered_by)
    yield Part(mine, "order", about, lambda: dict(zip(TYPES["order"], about, strict=True)), lambda: links)
    for line in order.lines:
        yield Part(
            object_id("line", deal.id, str(line.line)),
            "line",
            line,
            _bound(_line, line),
            _bound(_line_links, deal, line),
        )
    for each in order.shipments:
        name = object_id("shipment", deal.id, each.number)
        yield Part(name, "shipment", each, _bound(_shipment, each), _bound(_shipment_links, deal, each))


def _care(deal: Deal, offers: Mapping[str, str]) -> Iterator[Part]:
    for owed in deal.receivables:
        name = object_id("invoice", deal.id, owed.number)
        yield Part(name, "invoice", owed, _bound(_invoice, owed), _bound(_invoice_links, deal, owed))
    for case in deal.cases:
        name = object_id("case", deal.id, str(case.number))
        yield Part(name, "case", case, _bound(_case, case), _bound(_case_links, deal, case))
    for asked in deal.approvals:
        name = object_id("approval", deal.id, str(asked.number))
        yield Part(name, "approval", asked, _bound(_approval, asked), _bound(_approval_links, deal, asked, offers))


def _bound(work: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: work(*arguments)


def _of_deal(deal: Deal) -> Link:
    return Link(object_id("deal", deal.id), "of deal")


def _deal(deal: Deal) -> Attributes:
    same = ("state", "owner", "department", "branch", "policy_version", "is_test", "currency", "value_minor")
    told = {name: getattr(deal, name) for name in same}
    return told | {"state": str(deal.state), "stage": str(deal.stage), "holds": ",".join(deal.holds)}


def _deal_links(deal: Deal) -> list[Link]:
    links = [Link(object_id("customer", deal.customer), "sold to")]
    return [*links, Link(object_id("deal", deal.linked_deal), "follows")] if deal.linked_deal else links


def _versions(deal: Deal, kind: str, version: int) -> list[Link]:
    before = [Link(object_id(kind, deal.id, str(version - 1)), "replaces")] if version > 1 else []
    return [_of_deal(deal), *before]


def _offer(offer: Offer) -> Attributes:
    same = ("version", "payment_days", "prepaid", "valid_until", "drafted_by")
    told = {name: getattr(offer, name) for name in (*same, "total_minor", "discount_bps", "margin_bps")}
    return {**told, "lines": len(offer.lines)}


def _contract(contract: Contract) -> Attributes:
    return {
        "version": contract.version,
        "open_disagreements": sum(not each.resolution for each in contract.disagreements),
        "signed_ours": contract.signed_by(OURS),
        "signed_theirs": contract.signed_by(THEIRS),
        "digest": contract.digest,
        "amount_minor": contract.amount_minor,
    }


def _line(line: OrderLine) -> Attributes:
    return {name: _plain(getattr(line, name)) for name in TYPES["line"]}


def _line_links(deal: Deal, line: OrderLine) -> list[Link]:
    links = [Link(object_id("order", deal.id), "part of"), _of_deal(deal)]
    return (
        [*links, Link(object_id("line", deal.id, str(line.replaces)), "takes the place of")] if line.replaces else links
    )


def _shipment(each: Shipment) -> Attributes:
    return {"state": str(each.state), "units": sum(part.quantity for part in each.lines), "carrier": each.carrier}


def _shipment_links(deal: Deal, each: Shipment) -> list[Link]:
    carried = [Link(object_id("line", deal.id, str(part.line)), "carries") for part in each.lines]
    return [Link(object_id("order", deal.id), "of order"), _of_deal(deal), *carried]


def _invoice(owed: Receivable) -> Attributes:
    return {name: _plain(getattr(owed, name)) for name in TYPES["invoice"]}


def _invoice_links(deal: Deal, owed: Receivable) -> list[Link]:
    links = [_of_deal(deal)]
    if deal.order:
        links.append(Link(object_id("order", deal.id), "of order"))
        known = {line.line for line in deal.order.lines}
        links += [Link(object_id("line", deal.id, str(b.line)), "bills") for b in owed.lines if b.line in known]
        sent = [each.number for each in deal.order.shipments if each.invoice == owed.number]
        links += [Link(object_id("shipment", deal.id, number), "for shipment") for number in sent]
    if owed.charged_for:
        links.append(Link(object_id("invoice", deal.id, owed.charged_for), "charges lateness of"))
    return links


def _case(case: Case) -> Attributes:
    return {name: _plain(getattr(case, name)) for name in TYPES["case"]}


def _case_links(deal: Deal, case: Case) -> list[Link]:
    known = {line.line for line in deal.order.lines} if deal.order else set()
    return [_of_deal(deal), *(Link(object_id("line", deal.id, str(n)), "about") for n in case.lines if n in known)]


def _approval(asked: Approval) -> Attributes:
    return {name: _plain(getattr(asked, name)) for name in TYPES["approval"]} | {"roles": ",".join(asked.roles)}


def _approval_links(deal: Deal, asked: Approval, offers: Mapping[str, str]) -> list[Link]:
    links = [_of_deal(deal)]
    if asked.subject_hash in offers:
        links.append(Link(offers[asked.subject_hash], "about"))
    elif deal.receivable(asked.subject) is not None:
        links.append(Link(object_id("invoice", deal.id, asked.subject), "about"))
    return links


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int) else str(value)
