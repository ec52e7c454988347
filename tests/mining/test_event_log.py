"""A timeline as an event log: one event an entry, every object that is named is there, nothing that people wrote is."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from models.event_log import DealLog, activity_log, deal_log, object_types
from models.event_log_objects import SUMS, TYPES, Link
from tests.mining.mined import SEEDS, by_chance
from tests.models.collecting import late
from tests.models.story import asking
from tests.models.world import LINES, World, delivered, offered, paid

pytestmark = pytest.mark.counted_cells(3)


def links(log: DealLog, activity: str) -> set[tuple[str, str]]:
    """What the first event of an activity is about."""
    event = next(event for event in log.events if event.activity == activity)
    return {(link.target, link.qualifier) for link in event.links}


def values(log: DealLog, target: str, name: str) -> list[Any]:
    found = next(each for each in log.objects if each.id == target)
    return [change.value for change in found.changes if change.name == name]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_entry_of_a_random_deal_is_one_event_and_every_object_that_is_named_exists(seed: int) -> None:
    world = by_chance(seed)
    log = deal_log(world.entries, with_amounts=True)
    assert [(e.id, e.activity, e.time) for e in log.events] == [
        (f"{e.deal_id}/{e.sequence}", e.action, e.at) for e in world.entries
    ]
    known = Counter(each.id for each in log.objects)
    assert set(known.values()) == {1}
    named = {link.target for event in log.events for link in event.links}
    assert named <= set(known)
    assert set(known) <= named | {"customer:c-1"}, "an object that no event is about has no reason to be here"
    assert {link.target for each in log.objects for link in each.links} <= set(known)
    for event in log.events:
        assert len({link.target for link in event.links}) == len(event.links)
        assert "deal:D-1" in {link.target for link in event.links}
    declared = object_types(with_amounts=True)
    for each in log.objects:
        assert {change.name for change in each.changes} <= set(declared[each.type])
        assert len({(change.name, change.time) for change in each.changes}) == len(each.changes)
        assert [change.time for change in each.changes] == sorted(change.time for change in each.changes)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_last_values_of_attributes_are_what_the_deal_came_to(seed: int) -> None:
    deal, log = by_chance(seed).deal, deal_log(by_chance(seed).entries, with_amounts=True)
    last = {(each.id, change.name): change.value for each in log.objects for change in each.changes}
    assert last["deal:D-1", "state"] == deal.state
    for line in deal.order.lines if deal.order else ():
        mine = f"line:D-1/{line.line}"
        assert (last[mine, "state"], last[mine, "ordered"], last[mine, "shipped"]) == (
            str(line.state),
            line.ordered,
            line.shipped,
        )
    for owed in deal.receivables:
        mine = f"invoice:D-1/{owed.number}"
        assert (last[mine, "state"], last[mine, "open_minor"]) == (str(owed.state), owed.open_minor)
    kinds = Counter(each.type for each in log.objects)
    assert kinds["invoice"] == len(deal.receivables)
    assert kinds["approval"] == len(deal.approvals)
    assert kinds["case"] == len(deal.cases)
    # one of which nothing was found when it was to leave is in the log, and no longer in the deal
    assert kinds["shipment"] == (deal.order.last_shipment if deal.order else 0)


def test_objects_are_related_as_the_business_relates_them() -> None:
    log = deal_log(paid(World()).entries)
    related = {each.id: set(each.links) for each in log.objects}
    assert Link("customer:c-1", "sold to") in related["deal:D-1"]
    assert Link("offer:D-1/1", "based on") in related["contract:D-1/1"]
    assert Link("contract:D-1/1", "under") in related["order:D-1"]
    assert Link("order:D-1", "part of") in related["line:D-1/2"]
    assert Link("line:D-1/2", "carries") in related["shipment:D-1/D-1-S1"]
    invoice = next(name for name in related if name.startswith("invoice:"))
    assert {Link("order:D-1", "of order"), Link("line:D-1/3", "bills")} <= related[invoice]
    payment = next(name for name in related if name.startswith("payment:"))
    assert Link(invoice, "pays") in related[payment]


def test_events_say_what_they_were_to_each_object() -> None:
    log = deal_log(paid(World()).entries)
    assert links(log, "open") == {("deal:D-1", "opens"), ("customer:c-1", "for customer")}
    assert ("offer:D-1/1", "creates") in links(log, "draft_offer")
    assert ("offer:D-1/1", "about") in links(log, "send_offer")
    assert ("contract:D-1/1", "about") in links(log, "send_contract")
    assert {("line:D-1/1", "changes"), ("shipment:D-1/D-1-S1", "creates")} <= links(log, "ship")
    assert {qualifier for _, qualifier in links(log, "record_payment")} == {
        "of deal", "for customer", "changes", "creates"
    }  # fmt: skip


def test_an_approval_is_about_its_offer_and_the_act_that_relies_on_it_says_so() -> None:
    world = asking(World())
    world.do("head_of_sales", "approve_offer", reason="a good customer")
    world.do("account_manager", "send_offer")
    log = deal_log(world.entries)
    approval = next(each for each in log.objects if each.type == "approval")
    offer = next(link.target for link in approval.links if link.qualifier == "about")
    assert offer.startswith("offer:D-1/")
    assert (approval.id, "changes") in links(log, "approve_offer")
    assert (approval.id, "relies on") in links(log, "send_offer")
    assert values(log, approval.id, "decided_by") == ["u-head_of_sales"]


def test_attributes_change_with_time() -> None:
    world = offered(World())
    world.advance(86_400)
    world.do("account_manager", "counter", wanted_total_minor=100_000)
    world.do("account_manager", "draft_offer", lines=LINES[:1])
    changes = next(each for each in deal_log(world.entries).objects if each.id == "deal:D-1").changes
    states = [(change.value, change.time) for change in changes if change.name == "state"]
    assert states == [("offer_open", "2026-01-05T08:00:00Z"), (world.deal.state, world.now)]
    assert Link("offer:D-1/1", "replaces") in deal_log(world.entries).objects[-1].links


def test_a_payment_that_went_back_is_named_by_its_reference() -> None:
    world = delivered(World())
    owed = world.deal.receivables[0]
    sums = {"invoice": owed.number, "amount_minor": owed.open_minor, "currency": "EUR", "reference": "R-1"}
    world.do("accounts_receivable", "record_payment", **sums)
    world.do("accounts_receivable", "reverse_payment", **sums, reason="no cover")
    log = deal_log(world.entries)
    payment = next(each.id for each in log.objects if each.type == "payment")
    assert (payment, "takes back") in links(log, "reverse_payment")


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_amounts_are_told_only_when_asked_for(seed: int) -> None:
    entries = by_chance(seed).entries
    plain = deal_log(entries)
    assert not {change.name for each in plain.objects for change in each.changes} & SUMS
    assert not {name for names in object_types(with_amounts=False).values() for name in names} & SUMS
    assert {change.name for each in deal_log(entries, with_amounts=True).objects for change in each.changes} & SUMS


def test_nothing_that_people_wrote_is_told() -> None:
    world = delivered(World())
    secret = "Mrs Miller called and was angry"
    world.do("account_manager", "note", text=secret)
    world.do("legal", "hold", hold="legal", reason=secret)
    world.do("account_manager", "open_case", lines=[1], cause="damage", note=secret)
    world.do("account_manager", "decide_case", case=1, decision="replace", measure=secret)
    told = repr(deal_log(world.entries, with_amounts=True))
    assert secret not in told
    assert "A deal" not in told, "titles are written by people, too"


def test_every_type_of_object_of_the_business_comes_up() -> None:
    found = {each.type for seed in SEEDS for each in deal_log(by_chance(seed).entries).objects}
    assert found == set(TYPES)


def test_what_was_tampered_with_is_exported_all_the_same() -> None:
    entries = paid(World()).entries
    broken: list[Any] = [[{"tag": "nothing"}], [{"tag": "moved"}], ["text"], [{"tag": "lines_shipped", "lines": 7}]]
    for number, events in enumerate(broken):
        changed = [replace(each, events=events) if each.sequence == 10 + number else each for each in entries]
        log = deal_log(changed)
        assert len(log.events) == len(entries)
        assert {link.target for event in log.events for link in event.links} <= {each.id for each in log.objects}
    without_beginning = deal_log(entries[1:])
    assert [link.target for link in without_beginning.events[0].links] == ["deal:D-1"]
    with pytest.raises(ValueError, match="empty"):
        deal_log([])


@pytest.mark.parametrize("seed", SEEDS[:8])
def test_the_events_alone_are_the_same_events(seed: int) -> None:
    entries = by_chance(seed).entries
    whole, alone = deal_log(entries), activity_log(entries)
    assert [replace(event, links=()) for event in whole.events] == alone.events
    assert (alone.deal_id, alone.customer, alone.objects) == (whole.deal_id, whole.customer, [])
    tampered: Any = ["text"]
    assert activity_log([replace(entries[0], events=tampered)]).customer == ""
    with pytest.raises(ValueError, match="empty"):
        activity_log([])


def test_late_deals_tell_how_far_collection_has_come() -> None:
    log = deal_log(late(20).entries)
    invoice = next(each for each in log.objects if each.type == "invoice")
    assert len([change for change in invoice.changes if change.name == "state"]) > 2
