"""Acts through the API on a real engine: from opening to paid, replays, versions, dry runs, races."""

import asyncio
from typing import Any

from infra.desk.judging import snapshot_of
from models.deal_state import Deal
from tests.api.conftest import Office

LINES = [{"article": "A-1", "quantity": 3}, {"article": "A-2", "quantity": 2}]


async def opened(works: Office, **fields: Any) -> str:
    asked = {"title": "Pumps", "customer": "c-1", "is_test": True, "branch": "berlin"} | fields
    answer = await works.post("account_manager", "/v1/deals", asked)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["deal_id"])


async def done(works: Office, role: str, deal: str, action: str, **payload: Any) -> dict[str, Any]:
    """Act, and wait until the departments have done what it asked of them."""
    answer = await works.act(role, deal, action, payload)
    assert answer.status_code == 200, answer.text
    await settled(works, deal)
    told: dict[str, Any] = answer.json()
    return told


async def settled(works: Office, deal: str) -> Deal:
    for _ in range(200):
        row = await works.desk.books.deals.get(deal)
        assert row is not None
        if not row["pending_effects"]:
            return (await snapshot_of(works.desk.books, row, row["updated_at"])).deal
        await asyncio.sleep(0.02)
    raise AssertionError(f"deal {deal} does not come to rest")


async def qualified(works: Office) -> str:
    deal = await opened(works)
    await done(works, "account_manager", deal, "log_contact", channel="call", outcome="interested")
    await done(works, "account_manager", deal, "record_needs", what="pumps", quantity=5, budget_minor=50_000)
    await done(works, "account_manager", deal, "qualify")
    return deal


async def offer_open(works: Office) -> str:
    deal = await qualified(works)
    await done(works, "account_manager", deal, "request_check")
    await done(works, "account_manager", deal, "draft_offer", lines=LINES)
    await done(works, "account_manager", deal, "send_offer")
    return deal


async def shipped(works: Office) -> str:
    deal = await offer_open(works)
    await done(works, "account_manager", deal, "accept_offer")
    await done(works, "account_manager", deal, "send_contract")
    contract = (await settled(works, deal)).contract
    assert contract is not None
    for side in ("ours", "theirs"):
        await done(works, "account_manager", deal, "sign", side=side, digest=contract.digest, signatory="buyer")
    await done(works, "account_manager", deal, "accept_order")
    lines = [{"article": a, "quantity": q, "unit_price_minor": 10_000} for a, q in (("A-1", 3), ("A-2", 2))]
    await done(works, "sales_support", deal, "enter_order", lines=lines)
    await done(works, "logistics_manager", deal, "ship")
    return deal


async def invoiced(works: Office) -> tuple[str, Deal]:
    deal = await shipped(works)
    await done(works, "logistics_manager", deal, "deliver")
    return deal, await settled(works, deal)


async def test_from_first_contact_to_paid(works: Office) -> None:
    deal, known = await invoiced(works)
    owed = known.receivables[0]
    amount = {"amount_minor": owed.open_minor, "currency": "EUR"}
    payment = {"invoice": owed.number, "amount": amount, "reference": "R-1"}
    paid = await works.post("accounts_receivable", "/v1/payments", payment, key="pay-1")
    assert (paid.status_code, paid.json()["substates"]["money"]) == (200, "settled")
    again = await works.post("accounts_receivable", "/v1/payments", payment, key="pay-1")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == paid.json()
    await settled(works, deal)
    payments = (await works.get("accounts_receivable", "/v1/payments")).json()["items"]
    assert [(one["invoice"], one["amount"]["amount_minor"]) for one in payments] == [(owed.number, owed.open_minor)]
    invoice = (await works.get("account_manager", f"/v1/invoices/{owed.number}")).json()
    assert (invoice["open"]["amount_minor"], len(invoice["lines"])) == (0, 2)
    moved = await works.post("admin", "/v1/clock/advance", {"deal": deal, "seconds": 20 * 86_400})
    assert (moved.status_code, moved.json()["items"][0]["problem"]) == (200, "")
    assert (await works.get("account_manager", f"/v1/deals/{deal}")).json()["state"] == "completed"
    late = await works.act("account_manager", deal, "lose", {"reason": "price"})
    assert (late.status_code, late.json()["code"]) == (409, "wrong_state")
    for path in ("stock", "invoices"):
        verdict = (await works.get("auditor", f"/v1/{path}/verification")).json()
        assert (verdict["sound"], verdict["differences"]) == (True, [])
    for check in ("verification", "rebuild"):
        assert (await works.get("auditor", f"/v1/audit/{check}")).json()["sound"] is True


async def test_opening_twice_with_one_key_opens_one_deal(works: Office) -> None:
    asked = {"title": "Pumps", "customer": "c-1"}
    both = await asyncio.gather(*(works.post("account_manager", "/v1/deals", asked, key="open-1") for _ in range(2)))
    third = await works.post("account_manager", "/v1/deals", asked, key="open-1")
    assert {answer.status_code for answer in (*both, third)} == {201}
    assert len({answer.json()["deal_id"] for answer in (*both, third)}) == 1
    assert third.headers["idempotent-replayed"] == "true"
    other = await works.post("account_manager", "/v1/deals", {**asked, "title": "Valves"}, key="open-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    theirs = await works.post("head_of_sales", "/v1/deals", {**asked, "owner": "u-stranger"}, key="open-1")
    assert theirs.status_code == 201
    assert len((await works.get("commercial_director", "/v1/deals")).json()["items"]) == 2


async def test_a_source_opens_one_deal(works: Office) -> None:
    first = await works.post("account_manager", "/v1/deals", {"title": "A", "customer": "c-1", "source_ref": "row 7"})
    second = await works.post("account_manager", "/v1/deals", {"title": "A", "customer": "c-1", "source_ref": "row 7"})
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["code"] == "source_taken"


async def test_one_key_is_one_act(works: Office) -> None:
    deal = await opened(works)
    contact = {"channel": "call", "outcome": "interested"}
    calls = [works.act("account_manager", deal, "log_contact", contact, key="call-1") for _ in range(6)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["version"] for answer in answers}) == 1
    other = await works.act("account_manager", deal, "log_contact", {**contact, "outcome": "no"}, key="call-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert (await settled(works, deal)).contacts == 1
    assert await works.refusals(deal) == ["key_reused"]


async def test_two_requests_under_one_key_at_once(works: Office) -> None:
    """The second must never be told that it succeeded."""
    deal = await opened(works)
    outcomes = [f"outcome {n}" for n in range(4)]
    answers = await asyncio.gather(
        *(
            works.act("account_manager", deal, "log_contact", {"channel": "call", "outcome": o}, key="k")
            for o in outcomes
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert (await settled(works, deal)).contacts == 1


async def test_many_acts_on_one_deal_queue_up(works: Office) -> None:
    deal = await opened(works)
    contact = {"channel": "call", "outcome": "x"}
    answers = await asyncio.gather(*(works.act("account_manager", deal, "log_contact", contact) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await settled(works, deal)).contacts == 40


async def test_a_stale_version_is_refused(works: Office) -> None:
    deal = await opened(works)
    contact = {"channel": "call", "outcome": "interested"}
    first = await works.act("account_manager", deal, "log_contact", contact, If_Match='"1"')
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    stale = await works.act("account_manager", deal, "log_contact", contact, If_Match='"1"')
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    bad = await works.act("account_manager", deal, "log_contact", contact, If_Match='"x"')
    assert (bad.status_code, bad.json()["code"]) == (400, "malformed_if_match")
    assert await works.refusals(deal) == ["stale_version", "malformed_if_match"]


async def test_a_dry_run_changes_nothing(works: Office) -> None:
    deal = await qualified(works)
    await done(works, "account_manager", deal, "request_check")
    before = await settled(works, deal)
    path = f"/v1/deals/{deal}/actions/draft_offer?dry_run=true"
    fine = await works.post("account_manager", path, {"lines": LINES})
    assert (fine.status_code, fine.json()["dry_run"], fine.json()["version"]) == (200, True, before.version + 1)
    cheap = [{"article": "A-1", "quantity": 3, "unit_price_minor": 100}]
    blocked = await works.post("account_manager", path, {"lines": cheap})
    assert blocked.status_code == 409
    assert {one["guard"] for one in blocked.json()["blocked"]["failing"]} == {"discount_is_possible", "margin_is_kept"}
    assert await settled(works, deal) == before
    assert await works.refusals(deal) == []


async def test_a_rehearsed_acceptance_reserves_nothing(works: Office) -> None:
    deal = await offer_open(works)
    answer = await works.post("account_manager", f"/v1/deals/{deal}/actions/accept_offer?dry_run=true")
    assert (answer.status_code, answer.json()["state"]) == (200, "drafting_contract")
    async with works.desk.books.database.read() as connection:
        held = (await connection.exec_driver_sql("select count(*) from headroom")).scalar_one()
    assert held == 0


async def test_an_approval_is_decided_by_another_person(works: Office) -> None:
    deal = await qualified(works)
    await done(works, "account_manager", deal, "request_check")
    lines = [{"article": "A-1", "quantity": 3, "unit_price_minor": 9_000}]
    await done(works, "account_manager", deal, "draft_offer", lines=lines)
    refused = await works.act("account_manager", deal, "send_offer")
    assert refused.json()["blocked"]["failing"][0]["guard"] == "discount_within_authority"
    await done(works, "account_manager", deal, "request_approval", reason="a key customer")
    pending = (await works.get("head_of_sales", "/v1/approvals")).json()["items"]
    assert [(one["deal_id"], one["kind"], one["number"]) for one in pending] == [(deal, "offer", 1)]
    mine = await works.post("account_manager", f"/v1/approvals/{deal}/1/approve", {"reason": "yes"})
    assert mine.status_code == 403
    theirs = await works.post("head_of_sales", f"/v1/approvals/{deal}/1/approve", {"reason": "agreed"}, key="yes")
    assert (theirs.status_code, theirs.json()["state"]) == (200, "preparing_offer")
    again = await works.post("head_of_sales", f"/v1/approvals/{deal}/1/approve", {"reason": "agreed"}, key="yes")
    assert again.headers["idempotent-replayed"] == "true"
    late = await works.post("head_of_sales", f"/v1/approvals/{deal}/1/decline", {"reason": "no"})
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")


async def test_an_act_on_a_closed_deal_is_replayed_or_refused(works: Office) -> None:
    deal = await opened(works)
    lost = await works.act("account_manager", deal, "lose", {"reason": "no_need"}, key="lose-1")
    assert lost.json()["state"] == "lost"
    for _ in range(100):
        if (await works.get("auditor", f"/v1/deals/{deal}/history")).json()["items"]:
            break
        await asyncio.sleep(0.05)
    again = await works.act("account_manager", deal, "lose", {"reason": "no_need"}, key="lose-1")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    late = await works.act("account_manager", deal, "note", {"text": "too late"})
    assert (late.status_code, late.json()["code"]) == (409, "wrong_state")
    assert await works.refusals(deal) == ["wrong_state"]
    runs = (await works.get("auditor", f"/v1/deals/{deal}/history")).json()["items"]
    history = await works.get("auditor", f"/v1/deals/{deal}/history/{runs[0]['run_id']}")
    assert len(history.json()["events"]) == runs[0]["events"]
    binary = await works.get("auditor", f"/v1/deals/{deal}/history/{runs[0]['run_id']}", format="binary")
    assert binary.headers["content-type"] == "application/x-protobuf"
    assert (await works.get("account_manager", f"/v1/deals/{deal}/history")).status_code == 403


async def test_clocks_of_real_deals_stand(works: Office) -> None:
    deal = await opened(works, is_test=False)
    real = await works.post("admin", "/v1/clock/advance", {"deal": deal, "seconds": 60})
    assert (real.status_code, real.json()["code"]) == (409, "not_a_test_deal")
    nobody = await works.post("account_manager", "/v1/clock/advance", {"deal": deal, "seconds": 60})
    assert nobody.status_code == 403
    none = await works.post("admin", "/v1/clock/advance", {"deal": "D-0", "seconds": 60})
    assert none.status_code == 404
    assert (await works.get("admin", "/v1/clock")).json() == {"available": True, "why": ""}
    assert (await works.post("admin", "/v1/clock/advance", {"seconds": 60})).json() == {"items": []}


async def test_health_of_a_whole_system(works: Office) -> None:
    await opened(works)  # the engine knows of a worker from its first poll on, which may come after ours
    answer = await works.http.get("/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["pollers"] >= 1
