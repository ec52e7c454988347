"""A deal keeps its policy until it is moved on purpose, and the new one from then on, through all its runs."""

import pytest

from infra.stores.archive import HistoryArchive
from infra.stores.recorder import DatabaseRecorder
from infra.stores.timeline import TimelineStore
from models import codec
from models.calendar import plus_working
from models.command import Actor, Command, Facts
from models.deal import decide, fold
from models.errors import MoveRefused
from models.instants import DAY, plus
from models.messages.control import PolicyResult
from models.messages.records import RecordInput
from models.policy import DEFAULT
from models.projection import project
from tests.crash.histories import replayed, until_archived
from tests.engine import Engine
from tests.invariants import findings
from tests.journeys import BEGINNING, deal_of
from tests.policy_journeys import QUICKER, moved_to_another_policy


async def test_a_deal_lives_by_the_policy_that_it_was_moved_to(engine: Engine) -> None:
    deal_id = "ADOPT-moved"
    await moved_to_another_policy(engine, deal_id)
    assert await engine.handle(deal_id).result() == "completed"
    entries = await TimelineStore(engine.database).entries(deal_id)
    (adopting,) = [entry for entry in entries if entry.action == "adopt_policy"]
    versions = [entry.policy_version for entry in entries]
    assert versions == [DEFAULT.version] * adopting.sequence + [QUICKER.version] * (len(entries) - adopting.sequence)
    assert adopting.facts["policy"]["version"] == QUICKER.version
    assert adopting.facts["policy"]["body"]["ladder"][3] == {"action": "dun_first", "after": 302_400,
                                                            "letter": "first_dunning"}  # fmt: skip
    assert fold(entries).policy_version == QUICKER.version
    rungs = {entry.payload["rung"]: entry for entry in entries if entry.action == "advance_collection"}
    owed = fold(entries).receivables[0]
    reminded, first, second = (rungs[rung].at for rung in ("remind_payment", "dun_first", "dun_second"))

    def working(at: str, seconds: int, more: int = 0) -> str:
        return plus_working(plus(at, seconds), more, QUICKER.holidays_in("DE"))

    assert reminded[:10] == working(owed.due_at, 3 * DAY)[:10], "before the deal was moved"
    half_a_week = working(owed.due_at, 7 * DAY // 2)
    assert half_a_week <= first <= working(max(half_a_week, reminded), 0, 3 * DAY)
    assert working(owed.due_at, 7 * DAY) <= second <= working(max(first, working(owed.due_at, 7 * DAY)), 0, 3 * DAY)
    told = await findings(
        engine.database,
        allowed_extra_keys=lambda key: key.startswith("opening-"),
        policies={QUICKER.version: QUICKER},
    )
    assert told == []
    await until_archived(engine.client, engine.settings.task_queue)
    histories = await replayed(engine.client, HistoryArchive(engine.database, engine.settings.archive_dir), [deal_id])
    assert histories.problems == []
    assert histories.replayed >= 3


async def test_a_deal_is_not_moved_by_accident(engine: Engine) -> None:
    deal_id = "ADOPT-not"
    await engine.open(deal_id)

    async def refusal(role: str, version: str) -> list[str]:
        with pytest.raises(MoveRefused) as caught:
            await engine.act(deal_id, role, "adopt_policy", version=version, reason="a try")
        refused = caught.value.refusal
        return [verdict.guard for verdict in refused.failing] or [refused.code]

    unknown = ["policy_stands", "policy_is_active", "rules_stay"]
    assert await refusal("head_of_sales", "2099.1") == unknown
    assert await refusal("head_of_sales", DEFAULT.version) == ["policy_is_another"]
    assert await refusal("account_manager", "2026.4") == ["wrong_role"]
    assert (await deal_of(engine, deal_id)).version == 1


async def test_a_move_that_a_lost_attempt_recorded_is_taken_over_with_its_numbers(engine: Engine) -> None:
    deal_id = "ADOPT-lost"
    await engine.open(deal_id, moves_per_run=3)
    deal = fold(await TimelineStore(engine.database).entries(deal_id))
    told = PolicyResult(QUICKER.version, BEGINNING, codec.encode(QUICKER))
    asked = {"version": QUICKER.version, "reason": "we collect earlier"}
    command = Command("adopt_policy", Actor("u-head", ("head_of_sales",)), "k-adopt", asked)
    lost = decide(deal, command, DEFAULT, deal.updated_at, Facts(policy=told))
    rows = RecordInput(deal_id, (lost.entry,), project(lost.deal, QUICKER), ("agenda",))
    await DatabaseRecorder(engine.database).record(rows)
    for text in ("one", "two", "three"):
        await engine.act(deal_id, "account_manager", "note", text=text)
    entries = await TimelineStore(engine.database).entries(deal_id)
    assert [entry.policy_version for entry in entries] == [DEFAULT.version] * 2 + [QUICKER.version] * 3
    assert await deal_of(engine, deal_id) == fold(entries)
