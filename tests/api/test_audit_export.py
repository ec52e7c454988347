"""Auditors' bundles over the API: one deal on a real engine with all its papers, a selection, and every kind of no."""

from pathlib import Path

import pytest
from httpx2 import Response

import verify_bundle as verifier
from models.messages.deals import workflow_id
from tests.api.conftest import Office
from tests.api.test_acts import invoiced
from tests.evidence.bundles import Forge
from tests.models.world import World, offered, paid
from verify_bundle import SOUND, Outside, Report


def judged(answer: Response, folder: Path) -> Report:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert len(answer.content) == int(answer.headers["content-length"])
    file = folder / "bundle.zip"
    file.write_bytes(answer.content)
    keys = Forge.open(answer.content).members["keys.json"]
    trusted = verifier.parse(keys)[0]["public_key"]
    return verifier.verify(str(file), Outside([verifier.read_key(trusted)]))


async def test_a_deal_of_the_real_engine_with_its_papers_and_its_history(works: Office, tmp_path: Path) -> None:
    deal, _ = await invoiced(works)
    answer = await works.get("auditor", f"/v1/deals/{deal}/export")
    report = judged(answer, tmp_path)
    assert (report.exit_code, report.findings, report.notes) == (SOUND, [], [])
    assert f'filename="audit-{deal}.zip"' in answer.headers["content-disposition"]
    manifest = Forge.open(answer.content).manifest
    assert [(one["workflow"], one["open"]) for one in manifest["histories"]] == [(workflow_id(deal), True)]
    assert {"offer", "contract"} <= {one["kind"] for one in manifest["documents"]}
    assert report.checked["documents"] == len(manifest["documents"])
    reads = (await works.get("auditor", "/v1/audit/leaves", kind="read")).json()["items"]
    assert reads[-1]["ref"] == deal
    assert reads[-1]["body"]["what"] == "export"


async def test_a_selection_by_customer_and_period(office: Office, tmp_path: Path) -> None:
    world = await office.store(paid(World()))
    first, last = world.entries[0].at[:10], world.entries[-1].at[:10]
    for asked in ({"customer": "c-1"}, {"from": first, "to": last}, {"all": "true"}):
        answer = await office.get("auditor", "/v1/audit/export", **asked)
        assert judged(answer, tmp_path).exit_code == SOUND
        assert [deal["id"] for deal in Forge.open(answer.content).manifest["deals"]] == ["D-1"]
    nothing = await office.get("auditor", "/v1/audit/export", **{"from": "2031-01-01"})
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"from": "yesterday"}, 422),
        ({"from": "2026-03-02", "to": "2026-03-01"}, 422),
        ({"to": "9999-12-31"}, 422),
        ({"customer": "c" * 81}, 422),
        ({"customer": "\x00"}, 422),
        ({"customer": "c-1", "all": "true"}, 422),
        ({"customer": "c-1", "against": "-1"}, 422),
        ({"customer": "c-1", "against": "x"}, 422),
        ({"customer": "nobody"}, 404),
    ],
)
async def test_a_selection_that_makes_no_sense_is_no_failure_of_ours(
    office: Office, asked: dict[str, str], status: int
) -> None:
    assert (await office.get("auditor", "/v1/audit/export", **asked)).status_code == status


async def test_who_may_export_what(office: Office) -> None:
    await office.store(offered(World()))
    for role in ("logistics_manager", "production", "admin", "legal", "automation"):
        for path in ("/v1/deals/D-1/export", "/v1/audit/export?all=true"):
            assert (await office.get(role, path)).status_code == 403, (role, path)
    assert (await office.get("stranger", "/v1/deals/D-1/export")).status_code == 404
    assert (await office.get("auditor", "/v1/deals/nobody/export")).status_code == 404
    own = await office.get("account_manager", "/v1/deals/D-1/export")
    assert own.status_code == 200
    assert Forge.open(own.content).manifest["histories"] == []
