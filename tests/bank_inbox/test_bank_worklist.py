"""What no rule decides waits with candidates, until a person assigns it, sets it aside, or the world has changed."""

from typing import Any

import pytest
from sqlalchemy import select

from infra.db import table_of
from infra.desk.bank_worklist import Part
from infra.desk.callers import Caller
from infra.desk.errors import Conflict, Invalid, NoSuch, WrongRole
from models.tables.records import AuditLeafRow
from tests.bank.statement_files import Payment
from tests.bank_inbox.paid_deals import AUDITOR, CLERK, PIECE, Bank, paid


async def waiting(bank: Bank) -> list[dict[str, Any]]:
    return (await bank.worklist.page(AUDITOR, "waiting")).rows


async def test_candidates_are_ranked_and_explained(bank: Bank) -> None:
    first = await bank.deals.add("D-1")
    await bank.deals.add("D-2", pieces=10)
    await bank.send(paid(10 * PIECE, "thank you"))
    (entry,) = await waiting(bank)
    assert entry["reason"].startswith("the amount fits more than one way")
    assert entry["customer"] == "c-1"
    scores = [one["score"] for one in entry["candidates"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) >= 2
    assert all(one["why"] for one in entry["candidates"])
    assert entry["candidates"][0]["parts"][0]["invoice"] == first
    assert entry["candidates"][0]["parts"][0]["applied"] == {"amount_minor": 10 * PIECE, "currency": "EUR"}


async def test_a_person_assigns_an_entry(bank: Bank) -> None:
    first, second = await bank.deals.add("D-1"), await bank.deals.add("D-2", customer="c-2", pieces=5)
    await bank.send(Payment(12 * PIECE, text="?", name="Somebody", iban="DE75512108001245126199"))
    done = await bank.worklist.allocate(CLERK, 1, [Part(first, 10 * PIECE), Part(second, 2 * PIECE)])
    assert (done["state"], done["rule"], done["decided_by"], done["left"]["amount_minor"]) == (
        "booked",
        "by_hand",
        "u-clerk",
        0,
    )
    assert bank.deals.owed(first).is_settled
    assert bank.deals.owed(second).open_minor == 3 * PIECE
    with pytest.raises(Conflict):
        await bank.worklist.allocate(CLERK, 1, [Part(first, 12 * PIECE)])
    with pytest.raises(Conflict):
        await bank.worklist.ignore(CLERK, 1, "no")
    leaves = await bank.database.rows(select(table_of(AuditLeafRow)).where(table_of(AuditLeafRow).c.kind == "bank"))
    assert [leaf["body"]["decision"] for leaf in leaves] == ["allocated"]
    await bank.is_sound()


async def test_money_stays_as_credit_through_an_invoice(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(Payment(12 * PIECE, text="?", name="Somebody"))
    done = await bank.worklist.allocate(CLERK, 1, [Part(number, 12 * PIECE)])
    (part,) = done["parts"]
    assert (part["applied"]["amount_minor"], part["excess"]["amount_minor"]) == (10 * PIECE, 2 * PIECE)
    assert bank.deals.owed(number).unapplied_minor == 2 * PIECE
    await bank.is_sound()


async def test_a_return_is_assigned_by_hand(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(paid(10 * PIECE, number), Payment(-4 * PIECE, text="Ruecklastschrift", reason="AC04"))
    assert (await bank.states())[1] == "waiting"
    done = await bank.worklist.allocate(CLERK, 2, [Part(number, 4 * PIECE)])
    assert done["state"] == "booked"
    assert bank.deals.owed(number).open_minor == 4 * PIECE
    await bank.is_sound()


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([], "parts"),
        ([Part("{n}", 1)], "parts"),
        ([Part("{n}", PIECE), Part("{n}", PIECE)], "parts"),
        ([Part("nothing", 12 * PIECE)], "parts[0].invoice"),
        ([Part("{n}", 13 * PIECE), Part("2026-9", -PIECE)], "parts"),
    ],
)
async def test_parts_that_can_not_be(bank: Bank, parts: list[Part], field: str) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(Payment(12 * PIECE, text="?", name="Somebody"))
    asked = [Part(part.invoice.replace("{n}", number), part.amount_minor) for part in parts]
    with pytest.raises(Invalid) as wrong:
        await bank.worklist.allocate(CLERK, 1, asked)
    assert next(iter(wrong.value.fields)) == field
    assert await bank.states() == ["waiting"]


async def test_foreign_money_is_not_assigned(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(paid(PIECE, "?"), currency="USD")
    with pytest.raises(Invalid, match="foreign currency"):
        await bank.worklist.allocate(CLERK, 1, [Part(number, PIECE)])


async def test_what_is_not_ours_is_set_aside_with_a_reason(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(Payment(4 * PIECE, text="?", name="Somebody"))
    with pytest.raises(Invalid):
        await bank.worklist.ignore(CLERK, 1, " ")
    done = await bank.worklist.ignore(CLERK, 1, "the neighbour's")
    assert (done["state"], done["reason"], done["decided_by"]) == ("ignored", "the neighbour's", "u-clerk")
    await bank.is_sound()
    # and taken up again, as it was ours after all
    assert (await bank.worklist.allocate(CLERK, 1, [Part(number, 4 * PIECE)]))["state"] == "booked"
    await bank.is_sound()


async def test_what_a_deal_refuses_can_be_assigned_again(bank: Bank) -> None:
    """Four pieces came in, five can't go back: the deal says no, and a person puts it right."""
    first, second = await bank.deals.add("D-1"), await bank.deals.add("D-2")
    await bank.send(paid(4 * PIECE, first), paid(5 * PIECE, second), Payment(-5 * PIECE, text="RETURN", reason="AC04"))
    done = await bank.worklist.allocate(CLERK, 3, [Part(first, 5 * PIECE)])
    assert done["state"] == "waiting"
    assert done["reason"].startswith(f"not booked: {first}: ")
    assert [part["state"] for part in done["parts"]] == ["refused"]
    done = await bank.worklist.allocate(CLERK, 3, [Part(second, 5 * PIECE)])
    assert [(part["number"], part["state"]) for part in done["parts"]] == [(1, "refused"), (2, "booked")]
    assert done["state"] == "booked"
    await bank.is_sound()


async def test_without_an_engine_the_decision_stands_and_is_told_later(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(Payment(4 * PIECE, text="?", name="Somebody"))
    bank.deals.down = True
    assert (await bank.worklist.allocate(CLERK, 1, [Part(number, 4 * PIECE)]))["state"] == "matched"
    bank.deals.down = False
    assert (await bank.inbox.retry(CLERK))["booked"] == 1
    assert bank.deals.owed(number).paid_minor == 4 * PIECE


async def test_money_that_came_before_its_invoice_is_matched_by_a_retry(bank: Bank) -> None:
    await bank.send(paid(10 * PIECE, "2026-000001"))
    assert await bank.states() == ["waiting"]
    number = await bank.deals.add("D-1")
    assert number == "2026-000001"
    told = await bank.inbox.retry(CLERK)
    assert (told["matched_again"], told["booked"], told["waiting"]) == (1, 1, 0)
    assert bank.deals.owed(number).is_settled


async def test_who_may_do_what(bank: Bank) -> None:
    await bank.send(Payment(5, text="?"))
    for work in (
        bank.worklist.allocate(AUDITOR, 1, [Part("x", 5)]),
        bank.worklist.ignore(Caller("u-a", ("automation",)), 1, "x"),
        bank.worklist.page(Caller("u-l", ("logistics_manager",))),
        bank.worklist.entry(Caller("u-m", ("account_manager",)), 1),
        bank.inbox.retry(AUDITOR),
        bank.inbox.statements(Caller("u-m", ("account_manager",)), "", "", "", 5),
    ):
        with pytest.raises(WrongRole):
            await work
    with pytest.raises(NoSuch):
        await bank.worklist.entry(CLERK, 99)
    with pytest.raises(NoSuch):
        await bank.inbox.statement(CLERK, 99)
