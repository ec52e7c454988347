"""Judging acts again: sound timelines of every generation give themselves; forgeries are named by their entry."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models import codec
from models.command import Actor, Command, Facts
from models.deal import decide, open_deal
from models.instants import plus
from models.messages.control import PolicyResult
from models.policy import DEFAULT, GOODS, SPINE, Policy
from models.rejudging import Rejudged, rejudge
from models.replaying import Difference, fold_problems
from models.stages.opening import OpenDeal
from models.timeline import Entry, entry_hash, verify_chain
from tests.models.test_released_stories import told_again
from tests.models.world import START, World, offered, paid, qualified

POLICIES = {policy.version: policy for policy in (SPINE, GOODS, DEFAULT)}
WEEKS = 40 * 86_400
STORIES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "released_stories.json").read_text())


def ended(policy: Policy = DEFAULT) -> World:
    world = paid(World(policy))
    world.advance(WEEKS)
    return world


ENDED = ended()


def judged(entries: list[Entry], policies: dict[str, Policy] = POLICIES) -> Rejudged:
    return rejudge("D-1", entries, policies)


def rechained(entries: list[Entry]) -> list[Entry]:
    """A timeline as a forger leaves it who computes every hash anew."""
    chained: list[Entry] = []
    for entry in entries:
        previous = chained[-1].hash if chained else "0" * 64
        linked = replace(entry, previous_hash=previous)
        chained.append(replace(linked, hash=entry_hash(linked)))
    assert verify_chain(chained) is None
    return chained


def forged(action: str, **changes: Any) -> list[Entry]:
    """The sound timeline with the first entry of an action changed, and the chain made good again."""
    place = next(i for i, entry in enumerate(ENDED.entries) if entry.action == action)
    entries = [*ENDED.entries]
    entries[place] = replace(entries[place], **changes)
    return rechained(entries)


def entry(action: str) -> Entry:
    return next(entry for entry in ENDED.entries if entry.action == action)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.version)
def test_a_sound_timeline_of_each_generation_gives_itself(policy: Policy) -> None:
    world = ended(policy)
    done = judged(world.entries)
    assert done.differences == []
    assert done.acts == len(world.entries)
    assert done.verdicts == sum(len(each.verdicts) for each in world.entries) > 50
    assert fold_problems("D-1", world.entries, codec.encode(world.deal)) == ()


@pytest.mark.uncounted
def test_random_deals_of_the_first_release_give_themselves() -> None:
    for story in STORIES[:6]:
        world = told_again(story)
        assert judged(world.entries).differences == []
        assert fold_problems("D-1", world.entries, codec.encode(world.deal)) == ()


def test_a_role_that_the_first_generations_did_not_write_down_may_have_lifted_a_limit() -> None:
    both = Actor("u-both", ("account_manager", "head_of_sales"))
    world = qualified(World(SPINE))
    world.do("account_manager", "request_check")
    lines = [{"article": "A-1", "quantity": 10, "unit_price_minor": 8_800}]  # twelve per cent: a head's authority
    world.do("account_manager", "draft_offer", lines=lines)
    world.act(both, "send_offer")
    assert next(each.role for each in world.entries if each.action == "send_offer") == "account_manager"
    assert judged(world.entries).differences == []


@pytest.mark.parametrize(
    ("action", "changes", "why"),
    [
        ("draft_offer", {"actor": "u-somebody"}, "events"),
        ("qualify", {"receipt": {**(entry("qualify").receipt or {}), "roles": ["legal"]}}, "needs one of the roles"),
        ("qualify", {"verdicts": []}, "recorded nothing, computed"),
        ("draft_offer", {"facts": {}}, "guard"),
        ("record_payment", {"payload": {**entry("record_payment").payload, "amount_minor": 1}}, "events["),
        ("draft_offer", {"at": "2026-01-05T08:00:01Z"}, "valid_until"),
        ("sign", {"policy_version": SPINE.version}, "it names the policy 2026.1, the deal was under 2026.3"),
        ("sign", {"policy_version": "2099.1"}, "there is no policy 2099.1"),
        ("sign", {"key": "another"}, ""),
        ("deliver", {"state_from": "nowhere"}, "state_from"),
        ("deliver", {"payload": {"strange": True}}, "unknown field"),
        ("deliver", {"facts": {"strange": 1}}, "cannot be judged again"),
        ("deliver", {"verdicts": [{"guard": "invented", "ok": True}]}, "guard"),
    ],
)
def test_a_forged_entry_with_a_valid_chain_is_named(action: str, changes: dict[str, Any], why: str) -> None:
    done = judged(forged(action, **changes))
    if not why:  # the key is the caller's: no rule can know it, only the engine's history does
        assert done.differences == []
        return
    assert done.differences[0].sequence == entry(action).sequence
    assert done.differences[0].replay == "rules"
    assert why in done.differences[0].why


def test_forged_events_are_found_by_the_rules_and_what_they_lead_to_by_the_fold() -> None:
    paid_entry = entry("record_payment")
    events = json.loads(json.dumps(paid_entry.events).replace('"applied_minor": ', '"applied_minor": 1'))
    assert events != paid_entry.events
    entries = forged("record_payment", events=events)
    assert judged(entries).differences[0].sequence == paid_entry.sequence
    assert "events[" in judged(entries).differences[0].why
    assert fold_problems("D-1", entries, codec.encode(ENDED.deal)) != ()


def test_a_removed_a_doubled_and_a_foreign_entry_are_named() -> None:
    sound = ENDED.entries
    for wrong, sequence in (
        ([*sound[:5], *sound[6:]], 6),
        ([*sound[:5], sound[4], *sound[5:]], 6),
        ([*sound[:5], sound[6], sound[5], *sound[7:]], 6),
        ([*sound[:5], replace(sound[5], deal_id="D-2"), *sound[6:]], 6),
        (sound[1:], 1),
        ([*sound[:5], replace(sound[5], at="2020-01-01T00:00:00Z"), *sound[6:]], 6),
        ([], 0),
    ):
        [found] = fold_problems("D-1", wrong, codec.encode(ENDED.deal))
        assert (found.sequence, found.replay) == (sequence, "fold")


def test_a_timeline_without_its_end_is_not_the_deal_that_stands() -> None:
    [found] = fold_problems("D-1", ENDED.entries[:-1], codec.encode(ENDED.deal))
    assert "the deal that stands differs from the folded one in" in found.why
    assert fold_problems("D-1", ENDED.entries[:-1]) == ()


@pytest.mark.parametrize(
    "events", [[{}], [{"tag": "moved"}], [{"tag": 7}], ["moved"], [None], [{"tag": "moved", "to": "nowhere"}]]
)
def test_whatever_stands_for_events_is_a_finding_and_no_crash(events: list[Any]) -> None:
    entries = forged("ship", events=events)
    [found] = fold_problems("D-1", entries, codec.encode(ENDED.deal))
    assert found.sequence == entry("ship").sequence
    assert judged(entries).differences[0].sequence == entry("ship").sequence


def test_another_policy_under_the_same_name_gives_other_verdicts() -> None:
    changed = replace(DEFAULT, discount_authority={"account_manager": 0})
    world = World()
    offered(world, [{"article": "A-1", "quantity": 10, "unit_price_minor": 9_700}])
    assert judged(world.entries).differences == []
    found = judged(world.entries, {DEFAULT.version: changed}).differences[-1]
    assert found.sequence == next(each.sequence for each in world.entries if each.action == "send_offer")
    assert "guard discount_within_authority held when it was recorded" in found.why


def test_what_differs_is_told_without_end() -> None:
    long = "x" * 100_000
    [found] = judged(forged("qualify", role=long)).differences
    assert len(found.why) < 500
    assert found == Difference("D-1", entry("qualify").sequence, "rules", found.why)


@pytest.mark.parametrize(
    "order", [sorted, lambda names: sorted(names, key=lambda name: (len(name), name))], ids=["alphabet", "length"]
)
def test_the_order_in_which_a_store_of_json_left_the_policy_does_not_matter(order: Any) -> None:
    def sorted_again(plain: Any) -> Any:
        return {name: sorted_again(plain[name]) for name in order(plain)} if isinstance(plain, dict) else plain

    elsewhere = codec.decode(Policy, sorted_again(codec.encode(DEFAULT)))
    assert list(elsewhere.discount_authority) != list(DEFAULT.discount_authority)
    assert judged(ENDED.entries, {DEFAULT.version: elsewhere}).differences == []
    there = paid(World(elsewhere)).entries
    assert [each.hash for each in there] == [each.hash for each in ENDED.entries[: len(there)]]


def test_a_deal_that_was_moved_to_another_policy_is_judged_under_the_old_one_up_to_that_act() -> None:
    later = replace(DEFAULT, version="2099.1", offer_validity=86_400)
    head, manager = Actor("u-head", ("commercial_director",)), Actor("u-account_manager", ("account_manager",))
    opened = OpenDeal("A deal", "c-1", "g-1", manager.user, "north", "berlin", "EUR")
    first = open_deal("D-1", opened, manager, "open", DEFAULT, START)
    asked = Command("adopt_policy", head, "k-1", {"version": later.version, "reason": "new terms"})
    found = Facts(policy=PolicyResult(later.version, START, codec.encode(later)))
    moved = decide(first.deal, asked, DEFAULT, plus(START, 60), found)
    noted = decide(moved.deal, Command("note", manager, "k-2", {"text": "x"}), later, plus(START, 120))
    entries = [first.entry, moved.entry, noted.entry]
    assert [each.policy_version for each in entries] == [DEFAULT.version, DEFAULT.version, later.version]
    assert judged(entries, {**POLICIES, later.version: later}).differences == []
    [missed] = judged(entries).differences
    assert (missed.sequence, missed.why) == (3, "note: there is no policy 2099.1")
    kept = rechained([*entries[:2], replace(noted.entry, policy_version=DEFAULT.version)])
    assert "the deal was under 2099.1" in judged(kept, {**POLICIES, later.version: later}).differences[0].why
