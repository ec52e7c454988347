"""`GET /v1/deals/{id}/replay`: what fold and rules say of a deal, to auditors only."""

from typing import Any

from sqlalchemy import update

from infra.db import table_of
from infra.stores.refusals import Refusal
from models.tables.records import TimelineRow
from tests.models.world import World, paid

_TIMELINE = table_of(TimelineRow)


async def test_a_sound_deal_is_equal(office: Any) -> None:
    world = await office.store(paid(World()))
    told = (await office.get("auditor", "/v1/deals/D-1/replay")).json()
    assert (told["equal"], told["differences"], told["deal_id"]) == (True, [], "D-1")
    assert told["entries"] == told["acts"] == len(world.entries)
    assert told["verdicts"] > 30


async def test_a_forged_entry_is_named_by_both(office: Any) -> None:
    await office.store(paid(World()))
    forged = update(_TIMELINE).where(_TIMELINE.c.deal_id == "D-1", _TIMELINE.c.action == "deliver")
    async with office.desk.books.database.begin() as connection:
        await connection.execute(forged.values(state_to="lost", actor="u-x"))
    told = (await office.get("auditor", "/v1/deals/D-1/replay")).json()
    assert not told["equal"]
    assert {each["replay"] for each in told["differences"]} == {"fold", "rules"}
    entries = await office.desk.books.timeline.entries("D-1")
    place = next(entry.sequence for entry in entries if entry.action == "deliver")
    assert told["differences"][0]["sequence"] == place


async def test_a_refused_act_is_judged_again(office: Any) -> None:
    await office.store(World())
    refused = {"message": "no", "state": "identified", "failing": [], "fields": {}}
    refusals = office.desk.books.refusals
    await refusals.record(Refusal("D-1", "2026-01-05T08:00:00Z", "u-x", "deliver", "wrong_state", refused))
    await refusals.record(Refusal("D-1", "2026-01-05T08:00:00Z", "u-x", "qualify", "malformed", refused))
    told = (await office.get("auditor", "/v1/deals/D-1/replay")).json()
    assert told["equal"], told
    assert told["refusals"] == 1
    assert list(told["unjudged"].values()) == [1]


async def test_others_may_not_ask_and_what_is_not_there_is_not_found(office: Any) -> None:
    await office.store(World())
    for role in ("admin", "account_manager", "head_of_sales", "logistics_manager", "accounts_receivable"):
        assert (await office.get(role, "/v1/deals/D-1/replay")).status_code == 403
    for missing in ("D-NO", "%00", "x" * 500):
        assert (await office.get("auditor", f"/v1/deals/{missing}/replay")).status_code == 404
