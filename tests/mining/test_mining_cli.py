"""Event logs and conformance from the command line, on a folder with a few deals."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, select, text, update

from cli.exits import ExitCode
from infra.db import open_database, table_of
from infra.desk.books import Books
from infra.settings import Settings, load_settings
from infra.stores.people import Person
from models.tables.records import AuditLeafRow, TimelineRow
from tests.cli.command import Ran, in_process
from tests.journeys import BEGINNING, furnish
from tests.mining.mined import store, told

TIMELINE, LEAVES = table_of(TimelineRow), table_of(AuditLeafRow)


@pytest.fixture
def data(tmp_path: Path, migrated_file: Path) -> Path:
    """A folder with deals of several kinds, an auditor and a manager."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dealwright.db").write_bytes(migrated_file.read_bytes())
    asyncio.run(_fill(load_settings(data_dir=folder)))
    return folder


async def _fill(settings: Settings) -> None:
    database = open_database(settings.database)
    await furnish(database)
    await store(database, settings, *told())
    for role in ("auditor", "head_of_sales"):
        await Books(database, settings).people.create(Person(f"u-{role}", "", (role,), "north"), BEGINNING)
    await database.close()


def reads(data: Path) -> list[dict[str, Any]]:
    """The bodies of the leaves about reads."""

    async def look() -> list[dict[str, Any]]:
        database = open_database(load_settings(data_dir=data).database)
        rows = await database.rows(select(LEAVES.c.body).where(LEAVES.c.kind == "read").order_by(LEAVES.c.sequence))
        await database.close()
        return [row["body"] for row in rows]

    return asyncio.run(look())


def audit(data: Path, *arguments: object) -> Ran:
    return in_process("--data", data, "audit", *arguments)


def test_event_logs_in_all_forms(data: Path, tmp_path: Path) -> None:
    ocel, xes, table = tmp_path / "log.jsonocel", tmp_path / "log.xes.gz", tmp_path / "log.csv"
    done = audit(data, "event-log", "--to", ocel, "-o", "json")
    assert done.code == 0, done.err
    assert done.json == {
        "file": str(ocel),
        "format": "ocel",
        "deals": 6,
        "bytes": ocel.stat().st_size,
        "amounts": False,
    }
    events = json.loads(ocel.read_text())["events"]
    assert audit(data, "event-log", "--format", "xes", "--to", xes).code == 0
    assert gzip.decompress(xes.read_bytes()).count(b"<event>") == len(events)
    assert audit(data, "event-log", "--format", "csv", "--to", table).code == 0
    assert len(table.read_text().splitlines()) == 1 + len(events)
    assert audit(data, "event-log", "--format", "csv", "--to", table, "--test").code == 0
    assert {line.split(",")[0] for line in table.read_text().splitlines()[1:]} == {"D-test"}


def test_what_is_wrong_with_a_command(data: Path, tmp_path: Path) -> None:
    nowhere = audit(data, "event-log", "--to", tmp_path / "no" / "log.csv")
    assert (nowhere.code, "folder that is there" in nowhere.err) == (ExitCode.NOT_FOUND, True)
    assert audit(data, "event-log", "--to", tmp_path).code == ExitCode.NOT_FOUND
    assert audit(data, "event-log", "--to", tmp_path / "log", "--from", "2026-1-1").code == ExitCode.USAGE
    assert audit(data, "event-log", "--to", tmp_path / "log", "--stage", "nowhere").code == ExitCode.USAGE
    assert audit(data, "conformance", "--to", "yesterday").code == ExitCode.USAGE
    assert not (tmp_path / "log").exists()


def test_amounts_are_for_auditors_and_their_reading_is_logged(data: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    for acting in ((), ("--as", "u-head_of_sales")):
        refused = audit(data, "event-log", "--to", log, "--with-amounts", *acting)
        assert (refused.code, "auditor" in refused.err) == (ExitCode.REFUSED, True)
    assert audit(data, "event-log", "--to", log, "--as", "u-head_of_sales").code == ExitCode.REFUSED
    assert not log.exists()
    assert audit(data, "event-log", "--to", log, "--with-amounts", "--as", "u-auditor").code == 0
    assert "margin_bps" in log.read_text()
    assert audit(data, "conformance", "--as", "u-auditor").code == 0
    assert [(body["by"], body["what"], body["count"]) for body in reads(data)] == [
        ("u-auditor", "event-log ocel", 6),
        ("u-auditor", "conformance", 6),
    ]


def test_an_auditors_look_at_a_deal_is_logged(data: Path) -> None:
    assert in_process("--data", data, "deal", "show", "D-paid", "--as", "u-auditor").code == 0
    assert in_process("--data", data, "deal", "why", "D-paid", "--as", "u-auditor").code == 0
    assert in_process("--data", data, "deal", "list", "--as", "u-auditor").code == 0
    assert in_process("--data", data, "deal", "show", "D-paid", "--as", "u-head_of_sales").code == 0
    found = [(body["what"], body.get("deal"), body.get("count")) for body in reads(data)]
    assert found == [("deal", "D-paid", None), ("why", "D-paid", None), ("deals", None, 6)]


def test_what_cannot_be_written_down_is_not_shown(data: Path) -> None:
    asyncio.run(_execute(data, text("ALTER TABLE audit_head RENAME TO audit_head_away")))
    for arguments in (("deal", "show", "D-paid"), ("deal", "list"), ("audit", "conformance")):
        refused = in_process("--data", data, *arguments, "--as", "u-auditor")
        assert (refused.code, refused.out) == (ExitCode.ENGINE, ""), arguments
        assert "can't be written into the audit log" in refused.err


def test_conformance_says_where_a_deal_left_the_tables(data: Path) -> None:
    sound = audit(data, "conformance", "-o", "json")
    assert (sound.code, sound.json["sound"], sound.json["items"]) == (0, True, [])
    assert len(audit(data, "conformance", "--all", "-o", "json").json["items"]) == 6
    change = update(TIMELINE).where(TIMELINE.c.deal_id == "D-paid", TIMELINE.c.sequence == 5)
    asyncio.run(_execute(data, change.values(action="enter_order")))
    found = audit(data, "conformance")
    assert found.code == ExitCode.REFUSED
    assert "enter_order is not possible in qualified" in " ".join(found.out.split())
    told = audit(data, "conformance", "-o", "json").json
    assert (told["fitting_deals"], told["deals"], told["fitting_events"]) == (5, 6, told["events"] - 1)
    (item,) = told["items"]
    assert (item["deal_id"], item["first"]["sequence"], item["first"]["action"]) == ("D-paid", 5, "enter_order")
    assert "request_check" in item["first"]["allowed"]


async def _execute(data: Path, statement: Executable) -> None:
    database = open_database(load_settings(data_dir=data).database)
    async with database.begin() as connection:
        await connection.execute(statement)
    await database.close()


@pytest.mark.parametrize("form", ["csv", "xes"])
def test_our_own_event_log_fits_as_somebody_elses(data: Path, tmp_path: Path, form: str) -> None:
    log = tmp_path / f"log.{form}.gz"
    assert audit(data, "event-log", "--format", form, "--to", log).code == 0
    told = audit(data, "conformance", "--log", log, "-o", "json")
    assert told.code == 0, told.out
    assert (told.json["deals"], told.json["fitness_bps"]) == (6, 10_000)


def test_a_foreign_event_log_is_checked(data: Path, tmp_path: Path) -> None:
    log = tmp_path / "theirs.csv"
    rows = ("case;activity;user;timestamp", "4711;open;ann;2026-01-05 08:00", "4711;ship;ann;2026-01-06 08:00")
    log.write_text("\n".join((*rows, "4712;log_contact;ann;2026-01-05 09:00", "4712;open;ann;2026-01-05 08:00")))
    found = audit(data, "conformance", "--log", log, "-o", "json")
    assert (found.code, found.json["fitting_deals"], found.json["deals"]) == (ExitCode.REFUSED, 1, 2)
    (item,) = found.json["items"]
    assert (item["deal_id"], item["first"]["action"], item["first"]["state_from"]) == ("4711", "ship", "identified")
    log.write_text("case,activity\n1,2")
    assert audit(data, "conformance", "--log", log).code == ExitCode.BAD_DATA
    assert audit(data, "conformance", "--log", tmp_path / "none").code == ExitCode.NOT_FOUND
    assert audit(data, "conformance", "--log", log, "--real").code == ExitCode.USAGE
