"""Conformance: what the tables allow fits, whoever did it; what was changed is reported where it was changed."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from models.conformance import FULL, Deviation, check_activities, check_deal
from models.lifecycle.deal_table import DEAL
from models.timeline import Entry
from tests.mining.mined import SEEDS, by_chance, told
from tests.models.collecting import late
from tests.models.test_released_stories_2 import STORIES, begun
from tests.models.world import World, delivered, paid

pytestmark = pytest.mark.counted_cells(3)


def first(entries: list[Entry]) -> Deviation:
    found = check_deal(entries).first
    assert found is not None, "nothing was found"
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_random_people_did_fits(seed: int) -> None:
    entries = by_chance(seed).entries
    fit = check_deal(entries)
    assert (fit.first, fit.events, fit.fitting, fit.fitness_bps) == (None, len(entries), len(entries), FULL)


def test_deals_of_all_kinds_and_earlier_rules_fit() -> None:
    for world in told():
        assert check_deal(world.entries).fits, world.deal.id
    for story in STORIES[:20]:
        assert check_deal(begun(story).entries).fits


@pytest.mark.parametrize("seed", SEEDS)
def test_an_action_in_the_wrong_place_is_reported_there(seed: int) -> None:
    """Any entry's action becomes one that its state has not."""
    rng, entries = Random(seed), by_chance(seed).entries
    place = rng.randrange(1, len(entries))
    was = entries[place]
    action = rng.choice([each for each in DEAL.actions if each not in DEAL.exits[was.state_from]])
    found = first([replace(each, action=action) if each is was else each for each in entries])
    assert (found.sequence, found.table, found.state_from, found.action) == (
        was.sequence, "deal", was.state_from, action
    )  # fmt: skip
    assert found.allowed == DEAL.exits[was.state_from]
    assert was.action in found.allowed
    fit = check_deal([replace(each, action=action) if each is was else each for each in entries])
    assert fit.fitting == len(entries) - 1, "the rest still fits"


@pytest.mark.parametrize("seed", SEEDS)
def test_an_entry_that_is_missing_is_reported_at_its_place(seed: int) -> None:
    rng, entries = Random(seed), by_chance(seed).entries
    place = rng.randrange(0, len(entries) - 1)
    found = first(entries[:place] + entries[place + 1 :])
    assert found.sequence == entries[place + 1].sequence
    assert f"entry {entries[place].sequence} should come here" in found.why


@pytest.mark.parametrize("seed", SEEDS[:12])
def test_a_state_that_no_row_leads_to_is_reported(seed: int) -> None:
    rng, entries = Random(seed), by_chance(seed).entries
    was = entries[rng.randrange(1, len(entries))]
    other = rng.choice([state for state in DEAL.states if state != was.state_to])
    found = first([replace(each, state_to=str(other)) if each is was else each for each in entries])
    assert (found.sequence, found.state_to, found.expected) == (was.sequence, other, was.state_to)


def changed(world: World, place: str, /, **fields: Any) -> Deviation:
    """What is found when the first entry of an action is another."""
    was = next(entry for entry in world.entries if entry.action == place)
    found = first([replace(each, **fields) if each is was else each for each in world.entries])
    assert found.sequence == was.sequence
    return found


def test_an_act_by_somebody_who_may_not_is_reported() -> None:
    found = changed(paid(World()), "sign", role="production")
    assert found.why.startswith("production may not sign")


def test_a_timeline_begins_with_its_opening() -> None:
    assert "begins with open" in changed(paid(World()), "open", action="qualify").why
    assert first(paid(World()).entries[1:]).allowed == ("open",)


def test_events_that_contradict_the_move_are_reported() -> None:
    world = paid(World())
    assert changed(world, "qualify", events=[]).why == "its events lead to contacted"
    assert "can't be applied" in changed(world, "ship", events=[{"tag": "no_such_event"}]).why
    ship = next(entry for entry in world.entries if entry.action == "ship")
    twice = changed(world, "ship", events=[*ship.events, *ship.events])
    assert twice.sequence == ship.sequence


def test_parts_of_a_deal_move_by_their_own_tables() -> None:
    world = delivered(World())
    world.do("account_manager", "open_case", lines=[1], cause="damage", note="")
    world.do("account_manager", "decide_case", case=1, decision="replace", measure="boxes")
    world.do("account_manager", "close_case", case=1)
    decided = [{"tag": "case_decided", "number": 1, "state": "open", "decision": "replace", "measure": ""}]
    assert check_deal(world.entries).fits
    found = changed(world, "decide_case", events=[{**decided[0], "state": "closed"}])
    assert (found.table, found.subject) == ("complaint", "case:D-1/1")
    assert (found.state_from, found.state_to, found.allowed) == ("open", "closed", ("decide",))
    reopened = changed(world, "close_case", events=[{"tag": "case_closed", "number": 1, "state": "open"}])
    assert (reopened.table, reopened.state_from, reopened.allowed) == ("complaint", "decided", ("close",))


def test_an_invoice_begins_where_its_table_begins() -> None:
    world = paid(World())
    (was,) = (entry for entry in world.entries if entry.action == "book_invoice")
    events = [
        {**each, "receivable": {**each["receivable"], "state": "with_legal"}} if "receivable" in each else each
        for each in was.events
    ]
    found = changed(world, "book_invoice", events=events)
    assert (found.table, found.state_from, found.state_to) == ("receivable", "", "with_legal")
    assert found.expected == "issued"


def test_a_rung_of_the_ladder_that_was_left_out_is_reported() -> None:
    world = late(20)
    was = next(each for each in world.entries if any(e["tag"] == "collection_advanced" for e in each.events))
    events = [{**each, "rung": "dun_second"} if "rung" in each else each for each in was.events]
    found = first([replace(each, events=events) if each is was else each for each in world.entries])
    assert (found.sequence, found.table, found.state_from) == (was.sequence, "receivable", "issued")
    assert found.action == "dun_second"
    assert "announce_due" in found.allowed


def test_activities_of_a_foreign_log_are_replayed_on_the_table() -> None:
    names = [entry.action for entry in paid(World()).entries]
    assert check_activities("4711", names).fits
    assert check_activities("4711", names[1:]).fits, "a log may begin after the opening"
    wrong = check_activities("4711", [*names[:5], "deliver", *names[5:]])
    assert wrong.first is not None
    assert (wrong.first.sequence, wrong.first.action, wrong.events - wrong.fitting) == (6, "deliver", 1)
    unknown = check_activities("4711", ["open", "drink coffee", "log_contact"])
    assert unknown.first is not None
    assert (unknown.first.why, unknown.fitting) == ("no table has an action 'drink coffee'", 2)
    again = check_activities("4711", ["open", "open"])
    assert again.first is not None
    assert again.first.why == "a deal is opened once, at its beginning"


def test_a_foreign_log_that_leaps_goes_on_where_it_leapt_to() -> None:
    fit = check_activities("4711", ["open", "log_contact", "enter_order", "ship", "deliver"])
    assert fit.first is not None
    assert (fit.first.sequence, fit.first.state_from) == (3, "contacted")
    assert fit.fitting == 4


def test_nothing_fits_wholly() -> None:
    assert (check_activities("4711", []).fits, check_activities("4711", []).fitness_bps) == (True, FULL)
    assert check_deal([]).fits
