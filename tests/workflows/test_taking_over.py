"""What a lost attempt recorded is taken over: the engine forgets an unfinished workflow task, the timeline does not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio

from infra.db import Database
from infra.settings import Settings
from infra.stores.archive import HistoryArchive
from infra.stores.recorder import DatabaseRecorder
from infra.stores.timeline import TimelineStore
from infra.temporal_server import EmbeddedServer
from infra.wiring import Ports, embedded_ports
from models import codec
from models.command import Actor, Command
from models.deal import decide, fold, open_deal
from models.instants import plus
from models.messages.records import Answer, RecordInput, RecordResult, StandingInput, StandingResult
from models.policy import DEFAULT
from models.projection import CHILDREN, project
from models.stages.opening import OpenDeal
from models.timeline import Entry, entry_hash
from tests import engine as tests_engine
from tests import journeys
from tests.crash.histories import replayed, until_archived
from tests.engine import Engine, running_engine
from tests.invariants import findings
from tests.journeys import deal_of, furnish
from workflows.answers import answer_of
from workflows.standing import check_follows

MANAGER = Actor("u-account_manager", ("account_manager",))
OPENED = OpenDeal("A deal", "c-1", "g-1", MANAGER.user, "north", "berlin", "EUR")


@dataclass
class Forgetful:
    """A recorder after an attempt that was lost: just before an act is recorded, something else turns out to stand.

    `twin` acts stand as the lost attempt recorded them, a second earlier; before the others stands a note.
    """

    inner: DatabaseRecorder
    twin: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)
    happened: list[str] = field(default_factory=list)

    async def record(self, asked: RecordInput) -> RecordResult:
        """Record, unless the place is taken."""
        action = asked.entries[0].action
        if action in self.twin - set(self.happened):
            self.happened.append(action)
            await self._lose(asked, [replace(entry, at=_earlier(entry.at)) for entry in asked.entries])
        elif action in self.noted - set(self.happened):
            self.happened.append(action)
            await self._lose(RecordInput(asked.deal_id, (), asked.projection, ()), [await self._note(asked)])
        return await self.inner.record(asked)

    async def standing(self, asked: StandingInput) -> StandingResult:
        """What stands."""
        return await self.inner.standing(asked)

    async def _note(self, asked: RecordInput) -> Entry:
        before = fold((await self.inner.standing(StandingInput(asked.deal_id, 0))).entries)
        note = Command("note", MANAGER, f"note before {asked.entries[0].action}", {"text": "hello"})
        return decide(before, note, DEFAULT, asked.entries[0].at).entry

    async def _lose(self, asked: RecordInput, entries: list[Entry]) -> None:
        """Record what the lost attempt recorded, with everything that belongs to it."""
        before = (await self.inner.standing(StandingInput(asked.deal_id, 0))).entries
        chained: list[Entry] = []
        previous = entries[0].previous_hash
        for entry in entries:
            linked = replace(entry, previous_hash=previous)
            chained.append(replace(linked, hash=entry_hash(linked)))
            previous = chained[-1].hash
        deal = fold([*before, *chained])
        answers = asked.answers
        if not answers and chained[0].action == "note":
            told = codec.encode(answer_of(deal, MANAGER.roles, DEFAULT))
            answers = (Answer(chained[0].key, "print", told),)
        await self.inner.record(RecordInput(deal.id, tuple(chained), project(deal, DEFAULT), CHILDREN, answers))


def _earlier(at: str) -> str:
    return plus(at, -1)


@pytest_asyncio.fixture
async def forgetful(
    server: EmbeddedServer, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Engine, Forgetful]]:
    """An engine whose recorder is to be told what was lost."""
    await furnish(database)
    recorder = Forgetful(DatabaseRecorder(database))

    def ports(settings: Settings, opened: Database, client: object) -> Ports:
        return replace(embedded_ports(settings, opened, client), recorder=recorder)  # type: ignore[arg-type]

    monkeypatch.setattr(tests_engine, "embedded_ports", ports)
    async with running_engine(server, database, tmp_path) as engine:
        yield engine, recorder


async def _assert_sound(engine: Engine, deal_id: str) -> None:
    assert await findings(engine.database, allowed_extra_keys=lambda key: key.startswith("opening-")) == []
    await until_archived(engine.client, engine.settings.task_queue)
    archive = HistoryArchive(engine.database, engine.settings.archive_dir)
    assert (await replayed(engine.client, archive, [deal_id])).problems == []
    entries = await TimelineStore(engine.database).entries(deal_id)
    assert (await deal_of(engine, deal_id)) == fold(entries)


async def test_lost_attempts_of_all_kinds_of_acts_are_taken_over(forgetful: tuple[Engine, Forgetful]) -> None:
    engine, recorder = forgetful
    recorder.twin = {
        "open", "qualify", "pass_check", "draft_offer", "accept_offer", "file_document", "sign", "enter_order",
        "book_reservation", "ship", "book_shipment", "deliver", "book_invoice", "follow_up", "file_letter",
        "record_payment", "finish_effect", "complete",
    }  # fmt: skip
    await journeys.won_and_paid(engine, "OVER-twin")
    assert set(recorder.happened) == recorder.twin
    assert await engine.handle("OVER-twin").result() == "completed"
    await _assert_sound(engine, "OVER-twin")


async def test_an_act_is_judged_again_after_what_stands_before_it(forgetful: tuple[Engine, Forgetful]) -> None:
    engine, recorder = forgetful
    recorder.noted = {
        "qualify", "pass_check", "draft_offer", "accept_offer", "file_document", "enter_order", "book_reservation",
        "ship", "deliver", "book_invoice", "follow_up", "file_letter", "record_payment", "complete",
    }  # fmt: skip
    await journeys.won_and_paid(engine, "OVER-note")
    assert set(recorder.happened) == recorder.noted
    entries = await TimelineStore(engine.database).entries("OVER-note")
    assert sum(entry.action == "note" for entry in entries) == len(recorder.noted)
    assert entries[-1].action == "complete"
    await _assert_sound(engine, "OVER-note")


async def test_the_answers_of_lost_acts_are_known_again(forgetful: tuple[Engine, Forgetful]) -> None:
    engine, recorder = forgetful
    recorder.twin, recorder.noted = {"log_contact"}, {"record_needs"}
    await journeys.checked(engine, "OVER-known")
    entries = await TimelineStore(engine.database).entries("OVER-known")
    contact = next(entry for entry in entries if entry.action == "log_contact")
    again = await engine.act(
        "OVER-known", "account_manager", "log_contact", key=contact.key, channel="call", outcome="interested"
    )
    assert again.version == contact.sequence
    await _assert_sound(engine, "OVER-known")


async def test_more_than_a_page_is_taken_over_bit_by_bit(forgetful: tuple[Engine, Forgetful]) -> None:
    engine, recorder = forgetful
    await engine.open("OVER-page", moves_per_run=100)
    first_run = (await engine.handle("OVER-page").describe()).run_id
    deal = fold(await TimelineStore(engine.database).entries("OVER-page"))
    for number in range(130):
        decision = decide(deal, Command("note", MANAGER, f"k-{number}", {"text": "x"}), DEFAULT, deal.updated_at)
        deal = decision.deal
        await recorder.inner.record(RecordInput(deal.id, (decision.entry,), project(deal, DEFAULT), ("agenda",)))
    answer = await engine.act("OVER-page", "account_manager", "log_contact", channel="call", outcome="at last")
    assert answer.version == 132
    for _ in range(100):  # everything that was taken over counts as long: the deal is continued in a new run
        if (await engine.handle("OVER-page").describe()).run_id != first_run:
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("the run that took over 130 moves goes on")
    await _assert_sound(engine, "OVER-page")


def test_what_does_not_follow_is_never_taken_over() -> None:
    first = open_deal("D-1", OPENED, MANAGER, "open", DEFAULT, "2026-01-01T00:00:00Z")
    second = decide(first.deal, Command("note", MANAGER, "k", {"text": "x"}), DEFAULT, "2026-01-01T00:00:01Z").entry
    check_follows([first.entry, second], None)
    check_follows([second], first.deal)
    forged = replace(second, actor="mallory")
    for entries, deal in (
        ([], first.deal),
        ([second], None),
        ([first.entry], first.deal),
        ([forged], first.deal),
        ([replace(second, previous_hash="0" * 64)], first.deal),
    ):
        with pytest.raises(ValueError, match="timeline"):
            check_follows(entries, deal)


def test_the_rest_of_a_timeline_is_folded_on() -> None:
    first = open_deal("D-1", OPENED, MANAGER, "open", DEFAULT, "2026-01-01T00:00:00Z")
    second = decide(first.deal, Command("note", MANAGER, "k", {"text": "x"}), DEFAULT, "2026-01-01T00:00:01Z")
    assert fold([second.entry], first.deal) == second.deal == fold([first.entry, second.entry])
