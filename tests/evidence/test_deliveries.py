"""Checkpoints reach those outside: never half, never over another one, again after each failure, and with an alert."""

import asyncio
import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from infra.db import Database, open_database, table_of
from infra.evidence.checkpoints import Checkpoints
from infra.evidence.deliveries import ALERT, PATIENCE, Deliveries
from infra.evidence.office import ALERT_KEY, office_of
from infra.evidence.targets import FileDrop, NotHanded, Webhook, file_name
from infra.settings import load_settings
from models.messages.evidence import Checkpointed, HandedOver
from models.tables.evidence import CheckpointDeliveryRow
from models.tables.post import AlertRow
from tests.evidence.log_samples import AT, LATER, do, grow
from tests.evidence.webhook_server import TOKEN, Fault, webhook_server

SOON = 1.0
"""Seconds after which a server that never ends its answer is given up."""


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.fixture
def checkpoints(database, tmp_path) -> Checkpoints:
    return Checkpoints(database, tmp_path / "keys", "log.example/audit", ("drop", "webhook"))


async def rows(database: Database, target: str) -> list[tuple[int, str, str]]:
    deliveries = table_of(CheckpointDeliveryRow)
    found = await database.rows(select(deliveries).order_by(deliveries.c.id))
    return [(row["attempts"], row["problem"], row["delivered_at"]) for row in found if row["target"] == target]


async def open_alerts(database: Database) -> list[tuple[str, str]]:
    found = await database.rows(select(table_of(AlertRow)))
    return [(row["kind"], row["subject"]) for row in found if not row["acknowledged_at"]]


async def test_each_checkpoint_is_a_file_and_a_request(checkpoints, database, drop):
    signed = []
    for count in (3, 4):
        await grow(database, count)
        signed.append(await checkpoints.sign(AT))
    async with webhook_server() as server:
        deliveries = Deliveries(database, (FileDrop(drop), Webhook(server.url, TOKEN)))
        assert await deliveries.run_once(LATER) == HandedOver(4, 0)
        assert await deliveries.run_once(LATER) == HandedOver(0, 0)
    assert [path.name for path in sorted(drop.iterdir())] == [file_name(one) for one in signed]
    assert [path.read_text() for path in sorted(drop.iterdir())] == [one.note for one in signed] == server.taken
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in drop.iterdir())
    headers = server.requests[0].headers
    assert (headers["authorization"], headers["idempotency-key"]) == (f"Bearer {TOKEN}", file_name(signed[0]))
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert await rows(database, "drop") == await rows(database, "webhook") == [(1, "", LATER)] * 2


async def test_a_file_that_stands_there_is_never_written_again(checkpoints, database, drop):
    await grow(database, 3)
    signed = await checkpoints.sign(AT)
    target, path = FileDrop(drop), drop / file_name(signed)
    await target.hand(signed)
    before = path.stat()
    await target.hand(signed)
    assert path.stat() == before
    path.write_text("something else")
    with pytest.raises(NotHanded, match="with another content"):
        await target.hand(signed)
    assert path.read_text() == "something else"
    assert [one.name for one in drop.iterdir()] == [path.name], "and no part of a file is left"


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
async def test_what_was_not_taken_is_handed_over_later(checkpoints, database, fault, capsys):
    await grow(database, 3)
    first = await checkpoints.sign(AT)
    await grow(database, 3)
    second = await checkpoints.sign(AT)
    async with webhook_server() as server:
        patience = SOON if fault in (Fault.SLOW, Fault.DRIP) else 20.0
        deliveries = Deliveries(database, (Webhook(server.url, TOKEN, patience),))
        server.plan = [fault]
        assert await deliveries.run_once(AT) == HandedOver(0, 2)
        assert len(server.requests) == 1, "who fails is left until the next round"
        (attempts, problem, delivered), untouched = await rows(database, "webhook")
        assert (attempts, bool(problem), delivered, untouched) == (1, True, "", (0, "", ""))
        assert await deliveries.run_once(LATER) == HandedOver(2, 0)
    assert server.taken == [first.note, second.note]
    assert await rows(database, "webhook") == [(2, "", LATER), (1, "", LATER)]
    assert TOKEN not in problem + capsys.readouterr().out
    assert len({one.headers["idempotency-key"] for one in server.requests[:2]}) == 1


async def test_a_server_that_is_not_there_and_a_folder_that_is_not_mounted(checkpoints, database, tmp_path):
    await grow(database, 3)
    await checkpoints.sign(AT)
    async with webhook_server() as server:
        url = server.url
    deliveries = Deliveries(database, (FileDrop(tmp_path / "mount"), Webhook(url, TOKEN)))
    assert await deliveries.run_once(AT) == HandedOver(0, 2)
    assert not (tmp_path / "mount").exists()
    assert [row[1] for row in await rows(database, "drop")] == ["No such file or directory"]
    assert [row[1] for row in await rows(database, "webhook")] == ["ConnectError"]


async def test_a_person_hears_when_it_lasts_and_the_alert_ends_with_its_cause(checkpoints, database):
    await grow(database, 3)
    await checkpoints.sign(AT)
    async with webhook_server() as server:
        deliveries = Deliveries(database, (Webhook(server.url, TOKEN),))
        server.plan = [Fault.BROKEN] * (PATIENCE + 2)
        for _ in range(PATIENCE - 1):
            await deliveries.run_once(AT)
        assert await open_alerts(database) == []
        for _ in range(3):
            await deliveries.run_once(AT)
        assert await open_alerts(database) == [(ALERT, "webhook")]
        assert await deliveries.run_once(LATER) == HandedOver(1, 0)
        assert await open_alerts(database) == []


async def test_one_that_fails_does_not_keep_the_other_from_its_checkpoints(checkpoints, database, drop):
    await grow(database, 3)
    await checkpoints.sign(AT)
    async with webhook_server() as server:
        server.plan = [Fault.BROKEN]
        deliveries = Deliveries(database, (Webhook(server.url, TOKEN), FileDrop(drop)))
        assert await deliveries.run_once(AT) == HandedOver(1, 1)
    assert len(list(drop.iterdir())) == 1


async def test_who_hands_over_at_the_same_time_does_no_harm(checkpoints, database, database_url, drop):
    for _ in range(4):
        await grow(database, 2)
        await checkpoints.sign(AT)
    other = open_database(database_url)
    try:
        async with webhook_server() as server:
            targets = (FileDrop(drop), Webhook(server.url, TOKEN))
            await asyncio.gather(*(Deliveries(one, targets).run_once(AT) for one in (database, other, database)))
    finally:
        await other.close()
    assert len(list(drop.iterdir())) == 4
    assert len(set(server.taken)) == 4
    assert all(row[2] == AT for row in await rows(database, "webhook"))


async def test_a_target_that_is_no_longer_named_is_not_asked(checkpoints, database, drop):
    await grow(database, 3)
    await checkpoints.sign(AT)
    assert await Deliveries(database, ()).run_once(AT) == HandedOver(0, 0)
    assert await Deliveries(database, (FileDrop(drop),)).run_once(AT) == HandedOver(1, 0)
    assert await rows(database, "webhook") == [(0, "", "")]


async def test_the_office_signs_and_hands_over_as_the_settings_say(database, tmp_path, drop):
    async with webhook_server() as server:
        named = {"checkpoint_drop": drop, "checkpoint_webhook": server.url, "checkpoint_token": TOKEN}
        office = office_of(load_settings(data_dir=tmp_path, **named), database)
        await grow(database, 3)
        signed = await office.sign(AT)
        assert (signed.size, signed.is_new, signed.problem) == (3, True, "")
        assert await office.hand_over(AT) == HandedOver(2, 0)
        assert (await office.sign(LATER)).is_new is False
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert (len(list(drop.iterdir())), len(server.taken)) == (1, 1)


async def test_the_office_rings_when_it_may_not_sign(database, tmp_path):
    office = office_of(load_settings(data_dir=tmp_path), database)
    await grow(database, 3)
    signed = await office.sign(AT)
    for file in (tmp_path / "keys").glob("*.pem"):
        file.unlink()
    told = await office.sign(LATER)
    assert told == Checkpointed(problem=told.problem)
    assert "is missing" in told.problem
    assert await open_alerts(database) == [(ALERT_KEY, "audit log")]
    await do(database, "DELETE FROM audit_keys")
    await do(database, f"UPDATE audit_leaves SET leaf_hash = '{'ab' * 32}' WHERE sequence = 1")
    assert "signed by no key that the database knows" in (await office.sign(LATER)).problem
    assert signed.size == 3


async def test_an_office_without_targets_hands_nothing_over(database, tmp_path):
    office = office_of(load_settings(data_dir=tmp_path), database)
    await grow(database, 3)
    await office.sign(AT)
    assert await office.hand_over(AT) == HandedOver(0, 0)
    assert await database.rows(select(table_of(CheckpointDeliveryRow))) == []
