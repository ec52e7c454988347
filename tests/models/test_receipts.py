"""Receipts: by which key, with which roles, what was asked, which approvals counted and why, which effects follow."""

from dataclasses import replace

from models.command import Actor
from models.deal import open_deal
from models.policy import DEFAULT, GOODS, SPINE
from models.stages.opening import OpenDeal
from models.timeline import Entry, digest, entry_hash, verify_chain
from tests.models.world import PEOPLE, START, World, paid, qualified

ENTRIES = paid(World()).entries


def of(action: str) -> Entry:
    return next(entry for entry in ENTRIES if entry.action == action)


def test_every_entry_has_one_and_its_hash_covers_it():
    assert all(entry.receipt for entry in ENTRIES)
    changed = replace(ENTRIES[3], receipt={**(ENTRIES[3].receipt or {}), "credential": "another"})
    assert entry_hash(changed) != ENTRIES[3].hash
    assert verify_chain(ENTRIES) is None


def test_it_tells_what_was_asked_and_by_whom():
    for entry in ENTRIES[1:]:
        assert entry.receipt is not None
        assert entry.receipt["payload_digest"] == digest(entry.payload)
        assert entry.receipt["roles"] in ([entry.role], list(PEOPLE.get(entry.role, Actor("", ("system",))).roles))


def test_verdicts_name_what_their_guards_looked_at():
    inputs = {verdict["guard"]: verdict["inputs"] for entry in ENTRIES for verdict in entry.verdicts}
    assert inputs["headroom_is_available"] == ["deal", "facts.headroom"]
    assert inputs["effect_is_pending"] == ["deal", "payload"]
    assert inputs["not_on_hold"] == ["deal"]


def test_effects_are_named_by_the_keys_under_which_they_are_carried_out():
    reported = {entry.payload["effect"] for entry in ENTRIES if "effect" in entry.payload}
    promised = {effect for entry in ENTRIES for effect in (entry.receipt or {})["effects"]}
    assert reported
    assert reported <= promised


def test_earlier_generations_have_none():
    for policy, has in ((SPINE, False), (GOODS, False), (DEFAULT, True)):
        asked = OpenDeal("A deal", "C-1", "G-1", "u-owner", "north", "B-1", "EUR")
        opened = open_deal("D-1", asked, Actor("u-owner", ("account_manager",), "", "dw_1"), "k", policy, START)
        assert (opened.entry.receipt is not None) == has
        if opened.entry.receipt:
            assert opened.entry.receipt["credential"] == "dw_1"


def test_an_approval_counts_where_it_is_decided_and_where_a_guard_relies_on_it():
    world = World()
    qualified(world).do("account_manager", "request_check")
    world.do("account_manager", "draft_offer", lines=[{"article": "A-1", "quantity": 10, "unit_price_minor": 8_800}])
    world.do("account_manager", "request_approval", reason="a large customer")
    world.do("head_of_sales", "approve_offer", reason="once")
    world.do("account_manager", "send_offer")
    assert world.deal.offer is not None
    told = {
        entry.action: [(a["kind"], a["subject_hash"], a["decided_by"], a["why"]) for a in entry.receipt["approvals"]]
        for entry in world.entries
        if entry.receipt and entry.receipt["approvals"]
    }
    exactly = world.deal.offer.hash
    assert told == {
        "approve_offer": [("offer", exactly, "u-head_of_sales", "approved by this act")],
        "send_offer": [("offer", exactly, "u-head_of_sales", "guard discount_within_authority")],
    }
