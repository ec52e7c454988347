"""Alerts and dead letters in a terminal: listed, acknowledged, told again."""

import asyncio
import json
from pathlib import Path

import pytest

from cli.exits import ExitCode
from infra.db import open_database
from infra.desk.carrier_letter import read
from infra.migrate import upgrade
from infra.settings import Settings, load_settings
from infra.stores.alerts import Alert, AlertStore
from infra.stores.carrier_messages import CarrierMessageStore
from tests.cli.command import in_process

AT = "2026-01-01T00:00:00Z"
LOST = {"carrier": "swift", "message_id": "m-1", "shipment": "D-1-S1", "kind": "delivered", "occurred_at": AT}


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder with one dead letter and its alert, another alert, and a message that waits."""
    (tmp_path / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_fill(load_settings(data_dir=tmp_path)))
    return tmp_path


async def _fill(settings: Settings) -> None:
    upgrade(settings.database)
    database = open_database(settings.database)
    messages = CarrierMessageStore(database)
    await messages.keep(read(json.dumps(LOST | {"kind": "lost"}).encode()).kept, AT)
    await messages.keep(read(json.dumps(LOST | {"message_id": "m-2"}).encode()).kept, AT)
    await AlertStore(database).ring(Alert("disk", "data", "nearly full"), AT)
    await database.close()


def test_alerts_are_listed_and_acknowledged(data: Path) -> None:
    listed = in_process("--data", data, "alerts", "-o", "json")
    assert [(one["kind"], one["subject"]) for one in listed.json] == [("disk", "data"), ("dead_letter", "swift/m-1")]
    number = listed.json[0]["id"]
    done = in_process("--data", data, "alerts", "acknowledge", number)
    assert done.code == 0, done.err
    assert "operator" in done.out
    assert "nearly full" not in in_process("--data", data, "alerts").out
    assert "nearly full" in in_process("--data", data, "alerts", "--all").out
    assert in_process("--data", data, "alerts", "acknowledge", 99).code == ExitCode.NOT_FOUND
    assert in_process("--data", data, "alerts", "acknowledge", 0).code == ExitCode.USAGE


def test_who_may_acknowledge(data: Path) -> None:
    for role, code in (("auditor", ExitCode.REFUSED), ("head_of_sales", 0)):
        assert in_process("--data", data, "user", "add", role, "Somebody", "--role", role).code == 0
        told = in_process("--data", data, "alerts", "acknowledge", 1, "--as", role)
        assert told.code == code, told.err
    assert in_process("--data", data, "alerts", "--as", "auditor").code == 0


def test_keys_are_those_of_an_installation_that_encrypts(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALWRIGHT_PAYLOADS", "plain")
    told = in_process("--data", data, "keys", "list")
    assert (told.code, told.out) == (ExitCode.USAGE, "")
    assert "payloads are not encrypted here" in told.err


def test_dead_letters_are_listed_with_what_waits(data: Path) -> None:
    listed = in_process("--data", data, "dead-letters", "-o", "json").json
    assert [(one["message_id"], one["outcome"]) for one in listed] == [("m-2", "received"), ("m-1", "dead")]
    shown = in_process("--data", data, "dead-letters").out
    assert "kind: must be one of" in " ".join(shown.split())


def test_the_doctor_tells(data: Path) -> None:
    told = in_process("--data", data, "doctor", "-o", "json")
    assert told.code == 0, told.out
    (found,) = [one for one in told.json if one["check"] == "alerts"]
    assert found["verdict"] == "doubtful"
    assert found["found"] == "2 open alerts, 1 carrier messages wait to be told"


@pytest.mark.systems
@pytest.mark.timeout(240)
def test_a_letter_is_told_again(data: Path) -> None:
    still = in_process("--data", data, "dead-letters", "retry", 1)
    assert still.code == ExitCode.REFUSED, still.err
    assert "message 1 is dead: kind" in still.out
    unknown = in_process("--data", data, "dead-letters", "retry", 2, "-o", "json")
    assert "alert_raised" in unknown.err
    assert (unknown.code, unknown.json["reason"]) == (ExitCode.REFUSED, "there is no shipment D-1-S1")
    assert in_process("--data", data, "dead-letters", "retry", 99).code == ExitCode.NOT_FOUND
    assert len(in_process("--data", data, "alerts", "-o", "json").json) == 3
