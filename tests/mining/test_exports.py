"""Exports for process mining: valid by the formats' rules, complete, the same each time, whole files or none."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from lxml import etree

from infra.db import Database
from infra.evidence.mining import Chosen, ProcessMining
from infra.evidence.mining_file import ExportFile
from infra.evidence.mining_forms import COLUMNS, NAMES
from infra.settings import load_settings
from models.deal import open_deal
from models.event_log_objects import TYPES
from models.lifecycle.deal_table import DEAL
from models.stages.opening import OpenDeal
from models.timeline import Entry
from tests.api.desks import another
from tests.mining.mined import by_chance, store, told
from tests.models.world import PEOPLE, World, paid

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE / "ocel20.schema.json").read_text())
XES = "{http://www.xes-standard.org/}"


async def exported(database: Database, form: str, chosen: Chosen | None = None, with_amounts: bool = False) -> str:
    pieces = ProcessMining(database).event_log(form, chosen or Chosen(), with_amounts)
    return "".join([piece async for piece in pieces])


@pytest.fixture
async def worlds(database: Database, tmp_path: Path) -> list[World]:
    return await store(database, load_settings(data_dir=tmp_path), *told(), by_chance(3))


def all_entries(worlds: list[World]) -> dict[str, Entry]:
    return {f"{entry.deal_id}/{entry.sequence}": entry for world in worlds for entry in world.entries}


def ids(log: Any) -> list[str]:
    return sorted(each["id"].removeprefix("deal:") for each in log["objects"] if each["type"] == "deal")


async def test_ocel_is_valid_and_complete(database: Database, worlds: list[World]) -> None:
    log = json.loads(await exported(database, "ocel"))
    jsonschema_rs.Draft7Validator(SCHEMA, validate_formats=True).validate(log)
    entries = all_entries(worlds)
    assert {each["id"]: each["type"] for each in log["events"]} == {name: e.action for name, e in entries.items()}
    assert len(log["events"]) == len(entries)
    assert len({each["id"] for each in log["objects"]}) == len(log["objects"])
    assert {each["type"] for each in log["objects"]} <= {each["name"] for each in log["objectTypes"]} == set(TYPES)
    assert {each["name"] for each in log["eventTypes"]} == {each["type"] for each in log["events"]}
    assert {each["name"] for each in log["eventTypes"]} <= {*DEAL.actions, "open"}


async def test_every_relation_of_ocel_names_an_object_and_every_value_has_its_declared_type(
    database: Database, worlds: list[World]
) -> None:
    log = json.loads(await exported(database, "ocel", with_amounts=True))
    known = {each["id"] for each in log["objects"]}
    for each in (*log["objects"], *log["events"]):
        assert {link["objectId"] for link in each["relationships"]} <= known
    declared = {
        (kind["name"], each["name"]): each["type"]
        for kind in (*log["objectTypes"], *log["eventTypes"])
        for each in kind["attributes"]
    }
    for each in (*log["objects"], *log["events"]):
        for value in each["attributes"]:
            assert is_a(value["value"], declared[each["type"], value["name"]]), (each["id"], value)
    assert ("invoice", "open_minor") in declared


def is_a(value: str, kind: str) -> bool:
    match kind:
        case "integer":
            return str(int(value)) == value
        case "boolean":
            return value in ("true", "false")
        case "time":
            return value.endswith("Z") and value[10] == "T"
    return kind == "string"


def test_the_schema_refuses_what_is_no_ocel() -> None:
    """Else the test above could not fail."""
    event = {
        "id": "e",
        "type": "t",
        "time": "2026-01-05T08:00:00Z",
        "relationships": [{"objectId": "o", "qualifier": ""}],
    }
    log = {"objectTypes": [{"name": "o", "attributes": []}], "eventTypes": [], "objects": [], "events": [event]}
    validator = jsonschema_rs.Draft7Validator(SCHEMA, validate_formats=True)
    assert validator.is_valid(log)
    for wrong in (
        {**event, "time": "yesterday"},
        {**event, "relationships": []},
        {**event, "relationships": [{"objectId": "o"}]},
        {**event, "attributes": [{"name": "n", "value": 1}]},
        {**event, "more": 1},
    ):
        assert not validator.is_valid({**log, "events": [wrong]}), wrong
    assert not validator.is_valid({**log, "ocel:version": "1.0"})
    assert not validator.is_valid({name: value for name, value in log.items() if name != "eventTypes"})


async def test_no_amount_is_exported_unless_asked_for(database: Database, worlds: list[World]) -> None:
    for form in NAMES:
        assert "_minor" not in await exported(database, form)
        assert "margin" not in await exported(database, form)
    assert "margin_bps" in await exported(database, "ocel", with_amounts=True)


async def test_xes_is_valid_and_has_a_trace_for_each_deal(database: Database, worlds: list[World]) -> None:
    document = etree.fromstring((await exported(database, "xes")).encode())
    etree.RelaxNG(etree.parse(HERE / "xes.rng")).assertValid(document)
    traces = document.findall(f"{XES}trace")
    assert {_value(trace, "concept:name") for trace in traces} == {world.deal.id for world in worlds}
    for trace in traces:
        world = next(world for world in worlds if world.deal.id == _value(trace, "concept:name"))
        events = trace.findall(f"{XES}event")
        assert [
            (_value(e, "concept:name"), _value(e, "time:timestamp"), _value(e, "org:resource")) for e in events
        ] == [(entry.action, entry.at, entry.actor) for entry in world.entries]
    always = [each.get("key") for each in document.findall(f"{XES}global[@scope='event']/*")]
    for event in document.iter(f"{XES}event"):
        assert {each.get("key") for each in event} >= set(always)


def _value(element: Any, key: str) -> str:
    (found,) = (each.get("value") for each in element if each.get("key") == key)
    return str(found)


async def test_xes_takes_any_text(database: Database, tmp_path: Path) -> None:
    world = another("D-\"<&'é")
    await store(database, load_settings(data_dir=tmp_path), world)
    document = etree.fromstring((await exported(database, "xes")).encode())
    assert _value(document.find(f"{XES}trace"), "concept:name") == world.deal.id


async def test_csv_has_a_row_for_each_entry(database: Database, worlds: list[World]) -> None:
    rows = list(csv.DictReader(io.StringIO(await exported(database, "csv"))))
    assert tuple(rows[0]) == COLUMNS
    assert {f"{row['case']}/{row['sequence']}": (row["activity"], row["resource"], row["time"]) for row in rows} == {
        name: (entry.action, entry.actor, entry.at) for name, entry in all_entries(worlds).items()
    }


async def test_the_same_deals_give_the_same_text(database: Database, worlds: list[World]) -> None:
    for form in NAMES:
        assert await exported(database, form) == await exported(database, form)


async def test_an_empty_log_is_valid(database: Database) -> None:
    log = json.loads(await exported(database, "ocel"))
    jsonschema_rs.Draft7Validator(SCHEMA).validate(log)
    assert (log["events"], log["objects"], log["eventTypes"]) == ([], [], [])
    document = etree.fromstring((await exported(database, "xes")).encode())
    etree.RelaxNG(etree.parse(HERE / "xes.rng")).assertValid(document)
    assert await exported(database, "csv") == ",".join(COLUMNS) + "\r\n"


async def test_deals_are_chosen_by_period_customer_stage_and_kind(database: Database, tmp_path: Path) -> None:
    later = another("D-later", now="2026-02-01T08:00:00Z")
    worlds = [paid(another("D-paid")), later, paid(another("D-test", test=True))]
    await store(database, load_settings(data_dir=tmp_path), *worlds)
    for chosen, expected in (
        (Chosen(), ["D-later", "D-paid", "D-test"]),
        (Chosen(first="2026-02-01"), ["D-later"]),
        (Chosen(last="2026-01-05"), ["D-paid", "D-test"]),
        (Chosen(first="2026-01-06", last="2026-01-31"), []),
        (Chosen(last="9999-12-31"), ["D-later", "D-paid", "D-test"]),
        (Chosen(customer="c-1", test=False), ["D-later", "D-paid"]),
        (Chosen(customer="nobody"), []),
        (Chosen(stage="prospecting"), ["D-later"]),
        (Chosen(test=True), ["D-test"]),
    ):
        assert ids(json.loads(await exported(database, "ocel", chosen))) == expected, chosen
        assert await ProcessMining(database).count(chosen) == len(expected)
    with pytest.raises(ValueError, match="2026-1-1"):
        await exported(database, "ocel", Chosen(first="2026-1-1"))
    with pytest.raises(ValueError, match="ocel, xes, csv"):
        await exported(database, "ocel1")


async def test_a_link_to_a_deal_that_is_not_exported_is_left_out(database: Database, tmp_path: Path) -> None:
    repeat = World()
    repeat.entries.clear()
    opened = OpenDeal("Again", "c-1", "g-1", "u-account_manager", "north", "", "EUR", True, linked_deal="D-paid")
    repeat._keep(open_deal("D-repeat", opened, PEOPLE["account_manager"], "open", repeat.policy, repeat.now))
    await store(database, load_settings(data_dir=tmp_path), paid(another("D-paid")), repeat)
    for chosen, follows in ((Chosen(), True), (Chosen(test=True), False)):
        log = json.loads(await exported(database, "ocel", chosen))
        mine = next(each for each in log["objects"] if each["id"] == "deal:D-repeat")
        assert ({"objectId": "deal:D-paid", "qualifier": "follows"} in mine["relationships"]) is follows


async def test_conformance_of_all_deals(database: Database, worlds: list[World]) -> None:
    report = await ProcessMining(database).conformance(Chosen())
    entries = len(all_entries(worlds))
    assert report.sound
    assert (report.tally.cases, report.tally.events, report.tally.fitting_events) == (len(worlds), entries, entries)
    assert (report.fits, report.more, report.tally.fitness_bps) == ([], 0, 10_000)
    every = await ProcessMining(database).conformance(Chosen(), every=True, most=2)
    assert ([fit.fits for fit in every.fits], every.more) == ([True, True], len(worlds) - 2)


def half_written(target: Path) -> None:
    with ExportFile(target) as file:
        file.write("half")
        raise RuntimeError("the disk is full")


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "log.csv"
    target.write_text("before")
    with pytest.raises(RuntimeError):
        half_written(target)
    assert target.read_text() == "before"
    with ExportFile(target) as file:
        file.write("näh")
    assert (target.read_text(encoding="utf-8"), list(tmp_path.iterdir())) == ("näh", [target])
    assert target.stat().st_mode & 0o007 == 0, "not for everybody"


def test_packed_files_are_the_same_each_time(tmp_path: Path) -> None:
    found = []
    for name in ("a.gz", "b.gz"):
        with ExportFile(tmp_path / name) as file:
            file.write("the same")
        found.append((tmp_path / name).read_bytes())
    assert gzip.decompress(found[0]) == b"the same"
    assert found[0] == found[1]
