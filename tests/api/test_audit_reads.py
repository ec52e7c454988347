"""What auditors read of deals that are not their own leaves a leaf a request; what can't be written is not shown."""

from typing import Any

import pytest
from sqlalchemy import text

from infra.stores.people import Person
from tests.api.conftest import Office
from tests.api.desks import another
from tests.journeys import BEGINNING
from tests.models.world import paid


async def reads(office: Office) -> list[dict[str, Any]]:
    leaves = (await office.get("auditor", "/v1/audit/leaves", kind="read", limit=200)).json()["items"]
    return [leaf["body"] for leaf in leaves]


@pytest.mark.parametrize("part", ["", "/timeline", "/history", "/actions", "/agenda"])
async def test_one_look_at_a_deal_is_one_leaf(office: Office, part: str) -> None:
    await office.store(paid(another("D-read")))
    assert (await office.get("auditor", f"/v1/deals/D-read{part}")).status_code == 200
    (body,) = await reads(office)
    assert (body["by"], body["deal"]) == ("u-auditor", "D-read")
    assert body["credential"]
    assert office.keys["auditor"].startswith(body["credential"])
    assert body["what"] == part.removeprefix("/") or (part, body["what"]) == ("", "deal")


async def test_lists_and_reports_leave_one_leaf_with_their_count(office: Office) -> None:
    number = (await office.store(paid(another("D-read")))).deal.receivables[0].number
    for path in ("/v1/deals", "/v1/invoices", "/v1/agenda", "/v1/reports/ageing", "/v1/customers/c-1"):
        assert (await office.get("auditor", path)).status_code == 200, path
    assert [(body["what"], body.get("count")) for body in await reads(office)] == [
        ("deals", 1),
        ("invoices", 1),
        ("agenda", 4),
        ("/v1/reports/ageing", None),
        ("/v1/customers/c-1", None),
    ]
    assert (await office.get("auditor", f"/v1/invoices/{number}")).status_code in (200, 404)


async def test_what_tells_of_no_deal_leaves_no_leaf(office: Office) -> None:
    await office.store(paid(another("D-read")))
    for path in ("lifecycle", "policies", "products", "stock", "audit/leaves", "audit/verification", "users"):
        assert (await office.get("auditor", f"/v1/{path}")).status_code in (200, 404), path
    assert (await office.get("auditor", "/v1/deals/D-none")).status_code == 404
    assert await reads(office) == []


async def test_nobody_elses_reading_is_logged_nor_that_of_ones_own_deals(office: Office) -> None:
    both = Person("u-both", "Both", ("account_manager", "auditor"), "north")
    office.keys["both"] = await office.desk.books.people.create(both, BEGINNING)
    await office.store(paid(another("D-mine", owner="u-both")))
    await office.store(paid(another("D-theirs")))
    assert (await office.get("both", "/v1/deals/D-mine")).status_code == 200
    assert (await office.get("account_manager", "/v1/deals/D-theirs")).status_code == 200
    assert (await office.get("commercial_director", "/v1/deals/D-theirs")).status_code == 200
    assert await reads(office) == []
    assert (await office.get("both", "/v1/deals/D-theirs")).status_code == 200
    assert [(body["by"], body["deal"]) for body in await reads(office)] == [("u-both", "D-theirs")]


async def test_a_read_that_cannot_be_written_down_is_not_given(office: Office) -> None:
    await office.store(paid(another("D-read")))
    async with office.desk.books.database.begin() as connection:
        await connection.execute(text("ALTER TABLE audit_head RENAME TO audit_head_away"))
    for path in ("/v1/deals/D-read", "/v1/deals/D-read/timeline", "/v1/deals", "/v1/customers", "/v1/audit/event-log"):
        answer = await office.get("auditor", path)
        assert (answer.status_code, answer.json()["code"]) == (503, "read_not_logged"), path
        assert "D-read" not in answer.text or path != "/v1/deals"
    assert (await office.get("account_manager", "/v1/deals/D-read")).status_code == 200, "others are not watched"
    async with office.desk.books.database.begin() as connection:
        await connection.execute(text("ALTER TABLE audit_head_away RENAME TO audit_head"))
    assert (await office.get("auditor", "/v1/deals/D-read")).status_code == 200
    verdict = (await office.get("auditor", "/v1/audit/verification")).json()
    assert verdict["sound"], verdict
