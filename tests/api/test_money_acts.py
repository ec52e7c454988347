"""Money that comes in and goes back over the API on a real engine, down to letters, ladder and holds of the invoice."""

import hashlib
from datetime import date
from typing import Any

from models.instants import DAY
from tests.api.conftest import Office
from tests.api.test_acts import invoiced, settled

MONEY = "accounts_receivable"


def euros(amount: int, currency: str = "EUR") -> dict[str, Any]:
    return {"amount_minor": amount, "currency": currency}


async def advance(works: Office, deal: str, days: int) -> None:
    moved = await works.post("admin", "/v1/clock/advance", {"deal": deal, "seconds": days * DAY})
    assert (moved.status_code, moved.json()["items"][0]["problem"]) == (200, ""), moved.text
    await settled(works, deal)


def cents(told: dict[str, Any]) -> dict[str, int]:
    return {name: cost["amount_minor"] for name, cost in told["interest"].items() if isinstance(cost, dict)}


async def read(works: Office, number: str) -> dict[str, Any]:
    told: dict[str, Any] = (await works.get(MONEY, f"/v1/invoices/{number}")).json()
    return told


async def test_a_late_invoice_is_written_about_holds_the_group_and_is_paid_less_charges(works: Office) -> None:
    deal, known = await invoiced(works)
    owed = known.receivables[0]
    await advance(works, deal, 80)
    late = await read(works, owed.number)
    assert late["level"] == "dunned_twice"
    letters = late["letters"]
    assert [one["kind"] for one in letters] == ["pre_due_notice", "reminder", "first_dunning", "second_dunning"]
    for one in letters:
        assert hashlib.sha256((works.desk.settings.outbox_dir / one["name"]).read_bytes()).hexdigest() == one["digest"]
    assert late["credit_hold"]["deal"] is True
    assert late["credit_hold"]["group"]["group"] == "g-1"
    received = late["ladder"]["reached"][2]["at"][:10]
    amount = owed.total_minor - 1_000
    payment = {"invoice": owed.number, "amount": euros(amount), "received_on": received, "charges": euros(1_000)}
    paid = await works.post(MONEY, "/v1/payments", payment)
    assert paid.status_code == 200, paid.text
    await settled(works, deal)
    told = await read(works, owed.number)
    assert (told["state"], told["open"], told["written_off"]) == ("paid", euros(0), euros(1_000))
    assert told["credit_hold"] == {"deal": False, "group": None}
    days = (date.fromisoformat(received) - date.fromisoformat(late["due_at"][:10])).days
    interest = round(owed.total_minor * late["interest"]["rate_bps"] * days / 3_650_000)
    assert cents(told)["interest"] == interest < cents(late)["interest"], "counted until the bank's day"


async def test_money_goes_back_and_the_invoice_is_open_where_it_stood(works: Office) -> None:
    deal, known = await invoiced(works)
    owed = known.receivables[0]
    case = await works.act("sales_support", deal, "open_case", {"lines": [1], "cause": "quality"})
    assert case.status_code == 200, case.text
    payment = {"invoice": owed.number, "amount": euros(owed.total_minor + 500), "reference": "R-1"}
    assert (await works.post(MONEY, "/v1/payments", payment)).status_code == 200
    await settled(works, deal)
    back = {"invoice": owed.number, "amount": euros(owed.total_minor), "reason": "no funds", "reference": "R-2"}
    first = await works.post(MONEY, "/v1/payments/returns", back, key="back-1")
    assert (first.status_code, first.json()["substates"]["money"]) == (200, "open"), first.text
    again = await works.post(MONEY, "/v1/payments/returns", back, key="back-1")
    assert (again.headers["idempotent-replayed"], again.json()) == ("true", first.json())
    await settled(works, deal)
    told = await read(works, owed.number)
    assert (told["open"], told["unapplied"]) == (euros(owed.total_minor - 500), euros(0)), "the credit went first"
    assert [(one["kind"], one["reference"]) for one in told["entries"]] == [("payment", "R-1"), ("reversal", "R-2")]
    beyond = await works.post(MONEY, "/v1/payments/returns", back)
    assert (beyond.status_code, beyond.json()["blocked"]["failing"][0]["guard"]) == (409, "payment_can_go_back")


async def test_what_is_refused(works: Office) -> None:
    deal, known = await invoiced(works)
    number = known.receivables[0].number
    good: dict[str, Any] = {"invoice": number, "amount": euros(1_000)}
    for more, field in (
        ({"charges": euros(1, "USD")}, "body"),
        ({"discount": euros(1, "USD")}, "body"),
        ({"received_on": "yesterday"}, "received_on"),
        ({"charges": euros(-1)}, "charges.amount_minor"),
    ):
        answer = await works.post(MONEY, "/v1/payments", good | more)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    tomorrow = await works.post(MONEY, "/v1/payments", good | {"received_on": "2999-01-01"})
    assert tomorrow.json()["blocked"]["failing"][0]["guard"] == "received_in_the_past"
    taken = await works.post(MONEY, "/v1/payments", good | {"discount": euros(500)})
    assert taken.json()["blocked"]["failing"][0]["guard"] == "difference_is_small"
    for path, body in (("payments", good), ("payments/returns", good | {"reason": "no funds"})):
        assert (await works.post("account_manager", f"/v1/{path}", body)).status_code == 403
        hidden = await works.post("stranger", f"/v1/{path}", body)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
        unknown = await works.post(MONEY, f"/v1/{path}", body | {"invoice": "2026-999999"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
        nameless = await works.post(MONEY, f"/v1/{path}", body | {"surprise": 1})
        assert nameless.status_code == 422
    assert (await settled(works, deal)).receivables[0].paid_minor == 0
