"""Event logs and conformance over the API: for auditors alone, streamed whole, and written down as read."""

import csv
import io
import json
from typing import Any

from lxml import etree

from api.routers.mining import AT_ONCE, Export
from tests.api.conftest import Office
from tests.api.desks import another
from tests.models.world import paid

LOG, FITS = "/v1/audit/event-log", "/v1/audit/conformance"


async def stored(office: Office) -> int:
    """Two deals; answers how many entries they have."""
    worlds = [await office.store(paid(another(name))) for name in ("D-m1", "D-m2")]
    return sum(len(world.entries) for world in worlds)


async def reads(office: Office) -> list[dict[str, Any]]:
    leaves = (await office.get("auditor", "/v1/audit/leaves", kind="read")).json()["items"]
    return [leaf["body"] for leaf in leaves]


async def test_an_auditor_takes_the_log_away_in_every_form(office: Office) -> None:
    entries = await stored(office)
    ocel = await office.get("auditor", LOG)
    assert (ocel.status_code, ocel.headers["content-type"]) == (200, "application/json")
    assert len(json.loads(ocel.content)["events"]) == entries
    assert "_minor" not in ocel.text
    assert "open_minor" in (await office.get("auditor", LOG, amounts=True)).text
    xes = await office.get("auditor", LOG, format="xes")
    assert len(etree.fromstring(xes.content).findall(".//{*}trace/{*}event")) == entries
    table = await office.get("auditor", LOG, format="csv")
    assert len(list(csv.reader(io.StringIO(table.text)))) == entries + 1
    none = await office.get("auditor", LOG, **{"from": "2026-02-01", "format": "csv"})
    assert len(none.text.splitlines()) == 1
    assert [(body["what"], body["count"]) for body in await reads(office)] == [
        ("event-log ocel", 2),
        ("event-log ocel", 2),
        ("event-log xes", 2),
        ("event-log csv", 2),
        ("event-log csv", 0),
    ]


async def test_bad_questions_get_clear_answers(office: Office) -> None:
    for path in (LOG, FITS):
        for asked in ({"from": "2026-1-1"}, {"stage": "nowhere"}, {"format": "pdf"}, {"limit": 0}, {"test": "perhaps"}):
            answer = await office.get("auditor", path, **asked)
            assert answer.status_code in (200, 422), (path, asked)
            assert answer.status_code == 422 or set(asked) <= {"format", "limit"}


async def test_not_too_many_exports_run_at_once(office: Office) -> None:
    Export.running += AT_ONCE
    try:
        busy = await office.get("auditor", LOG)
    finally:
        Export.running -= AT_ONCE
    assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (429, "too_many_requests", "30")
    assert (await office.get("auditor", LOG)).status_code == 200
    assert Export.running == 0


async def test_conformance_of_all_deals(office: Office) -> None:
    entries = await stored(office)
    report = (await office.get("auditor", FITS)).json()
    assert (report["sound"], report["deals"], report["events"], report["items"]) == (True, 2, entries, [])
    assert report["fitness_bps"] == 10_000
    every = (await office.get("auditor", FITS, all=True, limit=1)).json()
    assert ([item["deal_id"] for item in every["items"]], every["more"]) == (["D-m1"], 1)
    assert every["items"][0]["first"] is None
    assert [body["what"] for body in await reads(office)] == ["conformance", "conformance"]
