"""What histories testify against timelines: sound ones agree in every entry, tampered ones are convicted."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from cli.replaying_engine import Compared, EngineReplay, compare
from cli.replaying_engine import Testimony as RunTold
from infra.db import Database
from infra.payloads import DATA_CONVERTER
from infra.settings import Settings
from infra.stores.recorder import DatabaseRecorder
from infra.temporal_server import EmbeddedServer
from infra.wiring import Ports, embedded_ports
from models import codec
from models.policy import GOODS, SPINE, Policy
from models.rejudging import rejudge
from models.replaying import fold_problems
from models.timeline import Entry, entry_hash
from tests import engine as tests_engine
from tests import journeys
from tests.engine import running_engine
from tests.journeys import furnish
from tests.replay.kept import Played, forged
from tests.replay.played import POLICIES, played
from tests.replay.test_replay import HISTORIES, recorded
from tests.workflows.test_taking_over import Forgetful

REPLAY = EngineReplay(DATA_CONVERTER)


async def told_by(histories: Sequence[WorkflowHistory]) -> list[RunTold]:
    async def all_of_them() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    return [testimony async for testimony in REPLAY.replay(all_of_them())]


async def judged(deal: Played, policies: dict[str, Policy] = POLICIES) -> Compared:
    return compare(deal.deal_id, await told_by(deal.histories), deal.entries, policies)


async def test_sound_deals_agree_in_every_entry(deals: dict[str, Played]) -> None:
    for deal in deals.values():
        assert await judged(deal) == Compared(vouched=len(deal.entries))
    assert len(deals["REP-long"].histories) == 4


async def test_an_entry_that_was_taken_out_of_the_timeline_is_missed(deals: dict[str, Played]) -> None:
    sound = deals["REP-won"]
    for lacking in (sound.entries[:-1], [*sound.entries[:7], *sound.entries[8:]]):
        [found] = (await judged(replace(sound, entries=lacking))).differences
        gone = next(entry for entry in sound.entries if entry not in lacking)
        assert found.sequence == gone.sequence
        assert f"recorded {gone.action} at {gone.at} here; the timeline lacks it" in found.why


@pytest.mark.parametrize("changes", [{"actor": "u-x"}, {"key": "k"}, {"payload": {}}, {"receipt": None}, {"facts": {}}])
async def test_a_changed_entry_is_named_and_those_chained_after_it_are_not(
    deals: dict[str, Played], changes: dict[str, object]
) -> None:
    sound = deals["REP-won"]
    place = next(entry.sequence for entry in sound.entries if entry.action == "draft_offer")
    [found] = (await judged(forged(sound, place, **changes))).differences
    assert found.sequence == place
    assert next(iter(changes)) in found.why
    # the same without a new chain: the hash that stands beside it is not what is compared
    entries = [replace(entry, **changes) if entry.sequence == place else entry for entry in sound.entries]  # type: ignore[arg-type]
    [found] = (await judged(replace(sound, entries=entries))).differences
    assert found.sequence == place


def with_one_more(deal: Played) -> Played:
    """A forged entry at the end, which follows by the chain."""
    last = deal.entries[-1]
    more = replace(last, sequence=last.sequence + 1, previous_hash=last.hash, action="note", hash="")
    return replace(deal, entries=[*deal.entries, replace(more, hash=entry_hash(more))])


async def test_what_was_added_after_the_end_is_convicted_and_in_an_open_deal_remarked(deals: dict[str, Played]) -> None:
    ended = with_one_more(deals["REP-won"])
    [found] = (await judged(ended)).differences
    assert (found.sequence, "ended before it" in found.why) == (ended.entries[-1].sequence, True)
    still_open = with_one_more(deals["REP-discount"])
    told = await judged(still_open)
    assert (told.differences, told.unknown) == ([], 1)


async def test_a_run_whose_history_is_lost_is_vouched_for_by_the_next(deals: dict[str, Played]) -> None:
    sound = deals["REP-long"]
    lacking = replace(sound, histories=[*sound.histories[:1], *sound.histories[2:]])
    told = await judged(lacking)
    assert told.differences == []
    assert 0 < told.vouched < len(sound.entries)
    runs = await told_by(sound.histories)
    lost = runs[1].entries[1].sequence
    chained = await judged(forged(lacking, lost, actor="u-x"))
    assert chained.differences[0].sequence in range(lost, runs[2].began_after[0] + 2)
    content = [replace(e, actor="u-x") if e.sequence == lost else e for e in sound.entries]
    [found] = (await judged(replace(lacking, entries=content))).differences
    assert (found.sequence, found.why) == (lost, "its content does not give its hash")
    cut = [entry for entry in sound.entries if entry.sequence != lost]
    assert lost in {found.sequence for found in (await judged(replace(lacking, entries=cut))).differences}


async def test_a_policy_that_is_not_the_deals_own_is_named(deals: dict[str, Played]) -> None:
    version, policy = next(iter(POLICIES.items()))
    told = await judged(deals["REP-won"], {version: replace(policy, margin_floor=1)})
    assert "is not the deal's: margin_floor: recorded 1, computed 800" in told.differences[0].why
    assert (await judged(deals["REP-won"], {})).differences == []


@pytest.mark.parametrize("policy", [SPINE, GOODS], ids=lambda policy: policy.version)
async def test_deals_of_earlier_generations_agree(
    policy: Policy, server: EmbeddedServer, database: Database, tmp_path: Path
) -> None:
    await furnish(database)
    deal_id = f"REP-{policy.version}"
    async with running_engine(server, database, tmp_path) as engine:
        old = replace(engine, policy=policy)
        await journeys.won_and_paid(old, deal_id)
        deal = await played(old, deal_id)
    policies = {policy.version: policy}
    assert deal.entries[0].receipt is None
    assert (await judged(deal, policies)) == Compared(vouched=len(deal.entries))
    assert rejudge(deal_id, deal.entries, policies).differences == []
    assert fold_problems(deal_id, deal.entries, deal.standing) == ()


async def test_entries_that_were_overtaken_do_not_count_and_those_taken_over_do(
    server: EmbeddedServer, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(database)
    recorder = Forgetful(DatabaseRecorder(database))
    recorder.twin, recorder.noted = {"open", "qualify", "book_shipment"}, {"draft_offer", "deliver", "complete"}

    def ports(settings: Settings, opened: Database, client: object) -> Ports:
        return replace(embedded_ports(settings, opened, client), recorder=recorder)  # type: ignore[arg-type]

    monkeypatch.setattr(tests_engine, "embedded_ports", ports)
    async with running_engine(server, database, tmp_path) as engine:
        await journeys.won_and_paid(engine, "REP-over")
        deal = await played(engine, "REP-over")
    assert set(recorder.happened) == recorder.twin | recorder.noted
    told = await judged(deal)
    assert told == Compared(vouched=len(deal.entries))
    taken = next(entry for entry in deal.entries if entry.action == "note")
    [found] = (await judged(forged(deal, taken.sequence, payload={"text": "another"}))).differences
    assert found.sequence == taken.sequence


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.name.removesuffix(".pb.gz"))
@pytest.mark.counted_cells(3)
async def test_histories_of_released_code_testify_to_a_chain_that_folds(path: Path) -> None:
    deal_id = path.name.split(".")[0]
    [run] = await told_by([WorkflowHistory(f"deal-{deal_id}", list(recorded(path).events))])
    assert run.failure == ""
    entries: list[Entry] = run.entries
    first = run.began_after[0] + 1
    assert [entry.sequence for entry in entries] == list(range(first, first + len(entries)))
    if first == 1:
        policy = codec.decode(Policy, run.policy)
        assert fold_problems(deal_id, entries) == ()
        assert rejudge(deal_id, entries, {policy.version: policy}).differences == []


async def test_a_history_that_was_altered_does_not_replay(deals: dict[str, Played]) -> None:
    sound = deals["REP-won"]
    events = [event for event in sound.histories[0].events if not event.HasField("timer_started_event_attributes")]
    told = await judged(replace(sound, histories=[WorkflowHistory("deal-REP-won", events)]))
    assert "does not replay" in told.differences[0].why
