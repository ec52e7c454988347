"""Deals that are continued as new while people act on them: nothing is cut off, forgotten or done twice."""

import asyncio
import itertools
from collections import Counter

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from infra.desk.callers import Caller
from infra.desk.service import DealDesk
from infra.stores.archive import HistoryArchive
from infra.stores.timeline import TimelineStore
from models import codec
from models.command import Actor
from models.errors import MoveRefused
from models.messages.deals import REFUSED, UPDATE_ACT, ActInput, ActResult
from models.timeline import Entry
from tests import journeys
from tests.crash.histories import Histories, replayed, until_archived
from tests.engine import Engine
from tests.invariants import findings

MANAGER = Actor("u-account_manager", ("account_manager",))
_updates = itertools.count()


async def _ask(engine: Engine, deal_id: str, key: str, text: str, *, settle: bool = False) -> ActResult:
    """A note under a key, as an update that the engine has not seen. Raises MoveRefused's code as a KeyError."""
    asked = ActInput("note", MANAGER, key, f"print of {text}", {"text": text}, settle=settle)
    handle = engine.handle(deal_id)
    try:
        answer: ActResult = await handle.execute_update(
            UPDATE_ACT, asked, id=f"{key}:{next(_updates)}", result_type=ActResult
        )
    except WorkflowUpdateFailedError as failed:
        if isinstance(failed.cause, ApplicationError) and failed.cause.type == REFUSED:
            raise KeyError(failed.cause.details[0]["code"]) from None
        raise
    return answer


async def _timeline(engine: Engine, deal_id: str) -> list[Entry]:
    return await TimelineStore(engine.database).entries(deal_id)


async def _histories(engine: Engine, *deals: str) -> Histories:
    await until_archived(engine.client, engine.settings.task_queue)
    return await replayed(engine.client, HistoryArchive(engine.database, engine.settings.archive_dir), deals)


async def _assert_sound(engine: Engine, runs: int, *deals: str) -> None:
    """All invariants, and that the deals really have at least so many runs, soon."""
    assert await findings(engine.database, allowed_extra_keys=lambda key: key.startswith("opening-")) == []
    histories = await _histories(engine, *deals)
    for _ in range(10):  # a run is continued a moment after its last answer
        if histories.replayed >= runs:
            break
        histories = await _histories(engine, *deals)
    assert histories.problems == []
    assert histories.replayed >= runs


@pytest.mark.slow
@pytest.mark.parametrize("settle", [False, True])
async def test_acts_that_race_with_a_new_run_are_all_done_once(engine: Engine, settle: bool) -> None:
    deal_id = f"CAN-race-{settle}"  # the server is the other tests', too
    await engine.open(deal_id, moves_per_run=5)

    async def somebody(number: int) -> list[ActResult]:
        return [await _ask(engine, deal_id, f"{number}-{n}", f"{number}-{n}", settle=settle) for n in range(8)]

    answers = [answer for one in await asyncio.gather(*map(somebody, range(6))) for answer in one]
    notes = [entry for entry in await _timeline(engine, deal_id) if entry.action == "note"]
    assert Counter(e.key for e in notes) == Counter(f"{a}-{n}" for a in range(6) for n in range(8))
    if not settle:
        assert sorted(answer.version for answer in answers) == list(range(2, 50))
    await _assert_sound(engine, 5, deal_id)


async def test_answers_are_remembered_from_run_to_run(engine: Engine) -> None:
    await engine.open("CAN-keys", moves_per_run=3)
    first = [await _ask(engine, "CAN-keys", f"k-{n}", f"text {n}") for n in range(14)]
    for number, answer in enumerate(first):
        again = await _ask(engine, "CAN-keys", f"k-{number}", f"text {number}")
        assert again.replayed
        assert {**codec.encode(again), "replayed": False} == codec.encode(answer)
    with pytest.raises(KeyError, match="key_reused"):
        await _ask(engine, "CAN-keys", "k-0", "another text")
    assert len(await _timeline(engine, "CAN-keys")) == 15
    await _assert_sound(engine, 4, "CAN-keys")


async def test_two_requests_under_one_key_at_once_are_one_act_and_one_refusal(engine: Engine) -> None:
    await engine.open("CAN-two", moves_per_run=6)
    for round_number in range(5):
        key = f"round {round_number}"
        same = [_ask(engine, "CAN-two", key, "this") for _ in range(3)]
        other = [_ask(engine, "CAN-two", key, "that") for _ in range(3)]
        told = await asyncio.gather(*same, *other, return_exceptions=True)
        done = [answer for answer in told if isinstance(answer, ActResult)]
        assert len(done) == 3
        assert len({answer.version for answer in done}) == 1
        assert [str(problem) for problem in told if isinstance(problem, KeyError)] == ["'key_reused'"] * 3
    assert len(await _timeline(engine, "CAN-two")) == 6
    await _assert_sound(engine, 1, "CAN-two")


@pytest.mark.slow
async def test_a_whole_deal_in_short_runs(engine: Engine) -> None:
    await journeys.delivered(engine, "CAN-short", moves_per_run=2)
    await engine.forward("CAN-short", 76)
    await journeys.pay_with_interest(engine, "CAN-short")
    assert await engine.handle("CAN-short").result() == "completed"
    await _assert_sound(engine, 8, "CAN-short")


@pytest.mark.slow
async def test_timers_survive_a_new_run(engine: Engine) -> None:
    await engine.open("CAN-timer", moves_per_run=2)
    await engine.forward("CAN-timer", 6)
    for number in range(5):
        await _ask(engine, "CAN-timer", f"k-{number}", "still nothing")
    await engine.forward("CAN-timer", 9)
    actions = [entry.action for entry in await _timeline(engine, "CAN-timer")]
    assert actions.count("remind") == actions.count("escalate") == 1
    opened, *_, escalated = await _timeline(engine, "CAN-timer")
    assert (escalated.action, escalated.at[:10]) != (opened.action, opened.at[:10])
    await _assert_sound(engine, 3, "CAN-timer")


async def test_a_key_is_answered_after_the_deal_has_closed(engine: Engine) -> None:
    desk = DealDesk(engine.database, engine.client, engine.settings)
    caller = Caller("u-account_manager", ("account_manager",), "north")
    await engine.open("CAN-closed", test=False, moves_per_run=2)
    note = {"text": "hello"}
    first = await desk.act(caller, "CAN-closed", "note", note, "k-note")
    lost = await desk.act(caller, "CAN-closed", "log_contact", {"channel": "call", "outcome": "no"}, "k-call")
    lost = await desk.act(caller, "CAN-closed", "lose", {"reason": "no_response"}, "k-lose")
    assert await engine.handle("CAN-closed").result() == "lost"
    for action, payload, key, answer in (
        ("note", note, "k-note", first),
        ("lose", {"reason": "no_response"}, "k-lose", lost),
    ):
        again = await desk.act(caller, "CAN-closed", action, payload, key)
        assert {**codec.encode(again), "replayed": False} == codec.encode(answer)
    assert len(await _timeline(engine, "CAN-closed")) == 4
    await _assert_sound(engine, 2, "CAN-closed")


async def test_a_refused_act_at_the_end_of_a_run_leaves_no_trace(engine: Engine) -> None:
    await engine.open("CAN-no", moves_per_run=3)

    async def refused(number: int) -> str:
        try:
            await engine.act("CAN-no", "account_manager", "ship", key=f"no-{number}")
        except MoveRefused as problem:
            return problem.refusal.code
        return "done"

    told = await asyncio.gather(
        *(_ask(engine, "CAN-no", f"k-{n}", "note") for n in range(8)), *(refused(n) for n in range(8))
    )
    assert [answer for answer in told if isinstance(answer, str)] == ["wrong_state"] * 8
    assert len(await _timeline(engine, "CAN-no")) == 9
    await _assert_sound(engine, 2, "CAN-no")
