"""What callers read of deals, and what they must not see; no engine is needed."""

from typing import Any

import pytest

from tests.api.conftest import Office
from tests.models.world import World, delivered, offered, paid

BLIND = ("logistics_manager", "production")


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in _names(inner)}
    return {name for inner in value for name in _names(inner)} if isinstance(value, list) else set()


async def test_a_deal_with_all_its_parts(office: Office) -> None:
    world = await office.store(delivered(World()))
    answer = await office.get("account_manager", "/v1/deals/D-1")
    deal = answer.json()
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{world.deal.version}"'
    assert deal["value"] == {"amount_minor": world.deal.value_minor, "currency": "EUR"}
    assert deal["offer"]["margin_bps"] == 4_000
    assert [line["delivered"] for line in deal["lines"]] == [10, 5, 1]
    assert deal["invoices"][0]["open"]["amount_minor"] == world.deal.open_minor
    assert deal["contract"]["is_signed"] is True


@pytest.mark.parametrize("role", BLIND)
async def test_goods_departments_never_see_a_price(office: Office, role: str) -> None:
    world = await office.store(delivered(World()))
    amounts = {str(world.deal.value_minor), str(world.deal.open_minor)}
    paths = ("", "/timeline", "/agenda", "/actions")
    for path in (*(f"/v1/deals/D-1{p}" for p in paths), "/v1/deals", "/v1/agenda", "/v1/invoices", "/v1/payments"):
        answer = await office.get(role, path)
        assert answer.status_code == 200, path
        assert not {n for n in _names(answer.json()) if n.endswith("_minor")} - _schema_names(path), path
        assert not [amount for amount in amounts if amount in answer.text], path
    deal = (await office.get(role, "/v1/deals/D-1")).json()
    assert [deal[name] for name in ("value", "offer", "contract", "terms", "assessment")] == [None] * 5
    assert deal["lines"][0]["ordered"] == 10
    product = (await office.get(role, "/v1/products/A-1")).json()
    assert product["prices"] == []


def _schema_names(path: str) -> set[str]:
    """A payload's schema names its fields; that is no price."""
    amounts = {"unit_price_minor", "amount_minor", "credit_minor", "budget_minor", "credit_limit_minor"}
    amounts |= {"wanted_total_minor", "total_minor", "charges_minor", "discount_minor", "gross_minor"}
    return amounts | _facts() if path.endswith("/actions") else set()


def _facts() -> set[str]:
    figures = ("working_capital", "retained_earnings", "ebit", "equity", "total_assets", "total_liabilities")
    return {f"{name}_minor" for name in (*figures, "exposure")}


async def test_margins_are_sales_own(office: Office) -> None:
    await office.store(offered(World()))
    for role, sees in (("account_manager", True), ("auditor", True), ("accounts_receivable", False), ("legal", False)):
        deal = (await office.get(role, "/v1/deals/D-1")).json()
        assert (deal["offer"]["margin_bps"] is not None) is sees, role
        timeline = (await office.get(role, "/v1/deals/D-1/timeline")).json()
        assert ("cost_minor" in _names(timeline)) is sees, role


async def test_not_yours_looks_like_absent(office: Office) -> None:
    await office.store(offered(World()))
    for path in ("", "/timeline", "/agenda", "/actions", "/history"):
        theirs = await office.get("stranger", f"/v1/deals/D-1{path}")
        absent = await office.get("stranger", f"/v1/deals/D-2{path}")
        assert theirs.status_code == absent.status_code == 404
        assert theirs.json() == {**absent.json(), "detail": absent.json()["detail"].replace("D-2", "D-1")}
    assert (await office.get("stranger", "/v1/deals")).json()["items"] == []
    assert (await office.get("admin", "/v1/deals/D-1")).status_code == 404
    assert (await office.get("head_of_sales", "/v1/deals/D-1")).status_code == 200


async def test_an_auditors_read_leaves_a_leaf(office: Office) -> None:
    await office.store(offered(World()))
    await office.get("auditor", "/v1/deals/D-1/timeline")
    await office.get("account_manager", "/v1/deals/D-1/timeline")
    leaves = (await office.get("auditor", "/v1/audit/leaves", kind="read")).json()["items"]
    assert [(leaf["ref"], leaf["body"]["by"], leaf["body"]["what"]) for leaf in leaves] == [
        ("D-1", "u-auditor", "timeline")
    ]


async def test_the_timeline_as_of_an_instant(office: Office) -> None:
    world = World()
    offered(world)
    world.advance(86_400)
    world.do("account_manager", "object", cause="price", answer="quality")
    await office.store(world)
    before = world.entries[-2].at
    whole = (await office.get("account_manager", "/v1/deals/D-1/timeline")).json()
    then = (await office.get("account_manager", "/v1/deals/D-1/timeline", as_of=before)).json()
    assert whole["version"] == world.deal.version
    assert then["version"] == world.deal.version - 1
    assert [e["hash"] for e in whole["entries"]][:-1] == [e["hash"] for e in then["entries"]]
    wrong = await office.get("account_manager", "/v1/deals/D-1/timeline", as_of="yesterday")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "query.as_of")


async def test_pages_of_a_timeline_join(office: Office) -> None:
    world = await office.store(offered(World()))
    seen: list[int] = []
    cursor = ""
    while True:
        page = (await office.get("account_manager", "/v1/deals/D-1/timeline", limit=3, cursor=cursor)).json()
        seen += [entry["sequence"] for entry in page["entries"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == list(range(1, world.deal.version + 1))


async def test_every_action_says_why_not(office: Office) -> None:
    await office.store(offered(World()))
    answer = (await office.get("account_manager", "/v1/deals/D-1/actions")).json()
    actions = {one["action"]: one for one in answer["items"]}
    assert actions["accept_offer"]["allowed"] is True
    assert actions["accept_offer"]["unchecked"] == ["headroom_is_available"]
    assert actions["ship"]["code"] == "wrong_state"
    assert actions["ship"]["states"] == ["fulfilling"]
    assert actions["expire"]["code"] == "wrong_role"
    assert actions["lose"]["payload_schema"]["additionalProperties"] is False
    blind = (await office.get("logistics_manager", "/v1/deals/D-1/actions")).json()["items"]
    assert all(not one["allowed"] for one in blind)


async def test_a_blocked_action_names_the_guard(office: Office) -> None:
    world = World()
    world.do("account_manager", "log_contact", channel="call", outcome="interested")
    await office.store(world)
    actions = (await office.get("account_manager", "/v1/deals/D-1/actions")).json()["items"]
    qualify = next(one for one in actions if one["action"] == "qualify")
    assert (qualify["allowed"], qualify["code"]) == (False, "guard_failed")
    assert [guard["guard"] for guard in qualify["failing"]] == ["needs_are_recorded"]
    assert qualify["failing"][0]["lifted_by"]


async def test_agenda_of_a_role_and_a_person(office: Office) -> None:
    await office.store(offered(World()))
    mine = (await office.get("account_manager", "/v1/agenda", person="u-account_manager")).json()["items"]
    assert {item["kind"] for item in mine} == {"reminder", "deadline", "offer_expiry"}
    assert (await office.get("legal", "/v1/agenda", role="legal")).json()["items"] == []
    assert (await office.get("stranger", "/v1/agenda")).json()["items"] == []


async def test_lists_refuse_foreign_cursors(office: Office) -> None:
    for path in (
        "deals",
        "agenda",
        "customers",
        "products",
        "stock",
        "stock/moves",
        "invoices",
        "payments",
        "approvals",
    ):
        role = "commercial_director" if path != "stock/moves" else "logistics_manager"
        for cursor in ("x", "bm8", "W10", "WyJcdWQ4MDAiLCJhIl0", "===", "%00"):
            answer = await office.get(role, f"/v1/{path}", cursor=cursor)
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), (path, cursor)
        for limit in ("0", "201", "-1", "ten", "1e9"):
            assert (await office.get(role, f"/v1/{path}", limit=limit)).status_code == 422, path


async def test_lifecycle_in_three_forms(office: Office) -> None:
    tables = (await office.get("production", "/v1/lifecycle")).json()
    assert set(tables) == {
        "deal", "order_line", "receivable", "complaint", "approval", "shipment", "discrepancy", "amendment"
    }  # fmt: skip
    drawn = await office.get("production", "/v1/lifecycle", format="mermaid")
    assert drawn.text.startswith("stateDiagram-v2")
    assert (await office.get("production", "/v1/lifecycle", format="dot", table="approval")).text.startswith("digraph")


async def test_evidence_can_be_verified(office: Office) -> None:
    await office.store(paid(World()))
    verdict = (await office.get("auditor", "/v1/audit/verification")).json()
    assert (verdict["sound"], verdict["deals"]) == (True, 1)
    rebuilt = (await office.get("auditor", "/v1/audit/rebuild")).json()
    assert (rebuilt["sound"], rebuilt["deals"]) == (True, 1)
    checkpoint = (await office.get("auditor", "/v1/audit/checkpoint")).json()
    assert checkpoint == {"size": verdict["leaves"], "root": verdict["root"]}
    assert (await office.get("account_manager", "/v1/audit/verification")).status_code == 403


async def test_health_without_an_engine(office: Office) -> None:
    answer = await office.http.get("/v1/health")
    assert answer.status_code == 503
    assert answer.json()["database"] == "ok"
    assert answer.json()["status"] == "degraded"
    assert (await office.http.get("/v1/health/live")).json() == {"status": "alive"}
