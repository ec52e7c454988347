"""The post office on the real engine: a schedule has letters sent through a real mail server, and nothing twice."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select
from temporalio.client import ScheduleOverlapPolicy
from temporalio.service import RPCError

from infra.db import Database
from infra.desk.clocks import wall_clock
from infra.gateways.letter_states import LETTERS, LetterState
from infra.gateways.mailer import OutboxMailer
from infra.schedules import duties, keep_schedules, schedule_id
from infra.settings import Settings, load_settings
from infra.temporal_server import EmbeddedServer
from models.instants import plus
from models.messages.post import POST_OFFICE, Dispatched
from models.messages.receivables import LetterInput
from models.tables.masters import ContactRow
from tests.engine import Engine, running_engine
from tests.journeys import furnish
from tests.letters.mail_server import MailServer, mail_server
from tests.letters.samples import OWED

LONG = 40.0
ALWAYS = {"monthly-reconciliation", "reconciliation-deadlines", "audit-checkpoint"}


@pytest_asyncio.fixture
async def customer(database: Database) -> str:
    """c-1 with somebody to write to."""
    await furnish(database)
    row = {"id": "P1", "customer_id": "c-1", "name": "A", "role": "billing", "email": "books@kunde.example"}
    await database.write(lambda connection: connection.execute(insert(ContactRow), row))
    return "c-1"


def by_mail(mails: MailServer, **more: Any) -> dict[str, Any]:
    server = {"smtp_host": "127.0.0.1", "smtp_port": mails.port, "smtp_tls": "none"}
    # nothing comes by itself during a test
    return server | {"smtp_from": "us@nordwind.example", "post_interval": 86_400} | more


async def written(database: Database, settings: Settings, customer: str, count: int, now: str) -> None:
    mailer = OutboxMailer(database, settings.outbox_dir)
    for number in range(count):
        await mailer.send_letter(LetterInput(f"k{number:03d}", "D1", customer, "second_dunning", OWED, now))


async def states(database: Database) -> list[str]:
    return list(
        await database.look(
            lambda connection: connection.execute(select(LETTERS.c.state).order_by(LETTERS.c.effect_key)).scalars()
        )
    )


async def until(what: Any, wanted: Any) -> None:
    async with asyncio.timeout(LONG):
        while await what() != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def existing(engine: Engine) -> set[str]:
    """The schedules of this installation; lists of them lag, so each is asked for."""
    found = set()
    for name in (duty.name for duty in duties(engine.settings)):
        try:
            await engine.client.get_schedule_handle(schedule_id(engine.settings, name)).describe()
        except RPCError:
            continue
        found.add(name)
    return found


async def runs(engine: Engine) -> list[Dispatched]:
    """What the runs of the post office's schedule did, the oldest first."""
    handle = engine.client.get_schedule_handle(schedule_id(engine.settings, "post-office"))
    told = (await handle.describe()).info.recent_actions
    done = []
    for each in told:
        started: Any = each.action
        done.append(
            await engine.client.get_workflow_handle(
                started.workflow_id, run_id=started.first_execution_run_id, result_type=Dispatched
            ).result()
        )
    return done


@pytest.mark.usefixtures("on_the_wall_clock")
async def test_a_schedule_has_letters_sent_once(
    server: EmbeddedServer, database: Database, tmp_path: Path, customer: str
) -> None:
    async with mail_server() as mails, running_engine(server, database, tmp_path, **by_mail(mails)) as engine:
        await keep_schedules(engine.client, engine.settings)
        now = plus(wall_clock(), -60)
        await written(database, engine.settings, customer, 13, now)
        handle = engine.client.get_schedule_handle(schedule_id(engine.settings, "post-office"))
        await handle.trigger()
        await until(lambda: states(database), [LetterState.SENT.value] * 13)
        await until(lambda: runs(engine), [Dispatched(sent=13)])
        await handle.trigger()
        await until(lambda: runs(engine), [Dispatched(sent=13), Dispatched()])
        assert len(mails.mails) == 13
        assert len({mail["Message-ID"] for mail in mails.mails}) == 13
        assert set(mails.recipients) == {"books@kunde.example"}
        sent = await database.rows(select(LETTERS.c.dispatched_at))
        assert all(now < row["dispatched_at"] <= plus(wall_clock(), 1) for row in sent), (
            "real time, never a test deal's"
        )


async def test_a_closed_mail_server_leaves_letters_for_the_next_run(
    server: EmbeddedServer, database: Database, tmp_path: Path, customer: str
) -> None:
    async with mail_server() as mails:
        settings = by_mail(mails)
    async with running_engine(server, database, tmp_path, **settings) as engine:
        await written(database, engine.settings, customer, 12, wall_clock())
        queue = engine.settings.task_queue
        done = await engine.client.execute_workflow(POST_OFFICE, id=f"{queue}-p", task_queue=queue)
        assert done["waiting"] == 12, "it stops at once, and does not go from letter to letter"
        assert set(await states(database)) == {LetterState.WAITING.value}


@pytest.mark.usefixtures("on_the_wall_clock")
async def test_schedules_are_as_the_settings_say_however_often_they_are_kept(
    server: EmbeddedServer, database: Database, tmp_path: Path
) -> None:
    async with mail_server() as mails, running_engine(server, database, tmp_path, **by_mail(mails)) as engine:
        await asyncio.gather(*(keep_schedules(engine.client, engine.settings) for _ in range(3)))
        assert await existing(engine) == {"post-office", *ALWAYS}
        handle = engine.client.get_schedule_handle(schedule_id(engine.settings, "post-office"))
        await handle.pause(note="the mail server moves")
        often = engine.settings.model_copy(update={"post_interval": 30})
        await keep_schedules(engine.client, often)
        kept = (await handle.describe()).schedule
        assert [each.every.total_seconds() for each in kept.spec.intervals] == [30]
        assert (kept.state.paused, kept.state.note) == (True, "the mail server moves")
        assert kept.policy.overlap is ScheduleOverlapPolicy.SKIP
        assert not (await handle.describe()).info.recent_actions, "to be made is not to be started"
        without = load_settings(
            data_dir=tmp_path,
            temporal_address=server.address,
            task_queue=often.task_queue,
            reconciliation_day=0,
            checkpoint_interval=0,
        )
        for _ in range(2):
            await keep_schedules(engine.client, without)
            assert await existing(engine) == set()


async def test_the_monthly_schedule_is_due_when_the_settings_say(
    server: EmbeddedServer, database: Database, tmp_path: Path
) -> None:
    chosen: dict[str, Any] = {"reconciliation_day": 3, "reconciliation_hour": 22}
    async with running_engine(server, database, tmp_path, **chosen) as engine:
        await keep_schedules(engine.client, engine.settings)
        assert await existing(engine) == ALWAYS
        described = await engine.client.get_schedule_handle(
            schedule_id(engine.settings, "monthly-reconciliation")
        ).describe()
        due = described.info.next_action_times
        assert {(each.day, each.hour, each.minute, each.second) for each in due} == {(3, 22, 0, 0)}
        daily = await engine.client.get_schedule_handle(
            schedule_id(engine.settings, "reconciliation-deadlines")
        ).describe()
        times = daily.info.next_action_times
        assert {(each.hour, each.minute) for each in times} == {(22, 30)}
        assert len({each.day for each in times}) == len(times)
