"""What statements pay is booked on the deals, once and to the cent, whatever comes again, breaks or disagrees."""

import pytest

from infra.desk.errors import EngineDown
from infra.stores.bank_entries import BankEntryStore
from models.policy import DEFAULT
from tests.bank.statement_files import VERSIONS, Payment
from tests.bank_inbox.paid_deals import BERGMANN, CLERK, NORDHOLZ, PIECE, Bank, file_of, paid


async def test_one_entry_pays_two_invoices_of_two_deals(bank: Bank) -> None:
    first, second = await bank.deals.add("D-1"), await bank.deals.add("D-2", pieces=5)
    (told,) = await bank.send(paid(15 * PIECE, f"RE {first} + {second}"))
    assert (told["state"], told["new"], told["known"]) == ("imported", 1, 0)
    assert [(one["state"], one["rule"], one["count"]) for one in told["outcomes"]] == [("booked", "invoice_number", 1)]
    assert bank.deals.owed(first).is_settled
    assert bank.deals.owed(second).is_settled
    assert [(part["key"], part["applied_minor"], part["received_on"]) for part in await bank.parts()] == [
        ("bank:1:1", 10 * PIECE, "2026-03-03"),
        ("bank:1:2", 5 * PIECE, "2026-03-03"),
    ]
    await bank.is_sound()


async def test_a_part_and_the_rest(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(paid(4 * PIECE, number), paid(6 * PIECE, number))
    assert await bank.states() == ["booked invoice_number"] * 2
    assert bank.deals.owed(number).is_settled
    assert [ask.payload["amount_minor"] for ask in bank.deals.asks] == [4 * PIECE, 6 * PIECE]
    await bank.is_sound()


async def test_what_is_too_much_is_kept_as_credit(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(paid(11 * PIECE, number))
    assert bank.deals.owed(number).unapplied_minor == PIECE
    (part,) = await bank.parts()
    assert (part["applied_minor"], part["excess_minor"]) == (10 * PIECE, PIECE)
    await bank.is_sound()


async def test_bank_charges_are_forgiven(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(paid(10 * PIECE - 700, number))
    assert await bank.states() == ["booked invoice_number"]
    owed = bank.deals.owed(number)
    assert (owed.is_settled, owed.tolerated_minor, owed.paid_minor) == (True, 700, 10 * PIECE - 700)
    await bank.is_sound()


async def test_a_returned_direct_debit_opens_the_invoice_again(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(paid(10 * PIECE, number, end_to_end="E2E-7"))
    back = paid(-10 * PIECE, "Ruecklastschrift", end_to_end="E2E-7", reason="AC04")
    await bank.send(back, opening=100_000 + 10 * PIECE, number="2", days=("2026-03-02", "2026-03-03"))
    assert await bank.states() == ["booked invoice_number", "booked returned"]
    assert bank.deals.owed(number).open_minor == 10 * PIECE
    assert bank.deals.asks[-1].payload["reason"] == "AC04"
    await bank.is_sound()
    again = paid(-10 * PIECE, "Ruecklastschrift", end_to_end="E2E-7", reason="AC04", booked_on="2026-03-04")
    await bank.send(again, number="3", days=("2026-03-04", "2026-03-04"))
    assert (await bank.states())[-1] == "waiting"
    await bank.is_sound()


async def test_payment_and_return_in_one_statement(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    back = paid(-10 * PIECE, end_to_end="E2E-7", reason="MS03")
    await bank.send(paid(10 * PIECE, number, end_to_end="E2E-7"), back)
    assert await bank.states() == ["booked invoice_number", "booked returned"]
    assert bank.deals.owed(number).open_minor == 10 * PIECE
    await bank.is_sound()


@pytest.mark.parametrize("again", [*VERSIONS, "mt940"])
@pytest.mark.parametrize("first", ["08", "mt940"])
@pytest.mark.uncounted
async def test_the_same_entries_in_any_format_change_nothing(bank: Bank, first: str, again: str) -> None:
    one, two = await bank.deals.add("D-1"), await bank.deals.add("D-2", pieces=3)
    payments = (
        paid(10 * PIECE, f"Rechnung {one}", reference="R-1"),
        paid(3 * PIECE, f"Rechnung {two}", end_to_end="E-2"),
        Payment(777, text="who knows", name="Somebody"),
        Payment(-500, text="Kontofuehrung"),
    )
    account = "37040044/0532013000" if first == "mt940" else "DE89370400440532013000"
    await bank.send(*payments, form=first, account=account)
    entries, parts, asks = await bank.entries(), await bank.parts(), len(bank.deals.asks)
    (told,) = await bank.send(*payments, form=again)
    assert (told["new"], told["known"]) == (0, 4)
    assert (await bank.entries(), await bank.parts(), len(bank.deals.asks)) == (entries, parts, asks)
    assert [row["state"] for row in entries] == ["booked", "booked", "waiting", "ignored"]
    await bank.is_sound()


async def test_an_overlapping_file_brings_what_is_new(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    first = paid(4 * PIECE, number, reference="R-1")
    second = paid(6 * PIECE, number, reference="R-2", booked_on="2026-03-03")
    await bank.send(first)
    (same,) = await bank.send(first)
    assert (same["replayed"], same["entries"]) == (True, 1)
    (told,) = await bank.send(first, second, number="9", days=("2026-03-01", "2026-03-03"))
    assert (told["replayed"], told["new"], told["known"]) == (False, 1, 1)
    assert bank.deals.owed(number).is_settled
    assert len(await bank.entries()) == 2
    await bank.is_sound()


async def test_what_breaks_between_the_deal_and_our_books_is_booked_once(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    bank.deals.lines_break = 1
    body = file_of([paid(4 * PIECE, number)])
    done = await bank.inbox.receive(CLERK, body)
    assert (done.unanswered, await bank.states()) == (1, ["matched invoice_number"])
    assert bank.deals.owed(number).paid_minor == 4 * PIECE
    done = await bank.inbox.receive(CLERK, body)
    assert (done.unanswered, await bank.states()) == (0, ["booked invoice_number"])
    assert (len(bank.deals.asks), bank.deals.owed(number).paid_minor) == (1, 4 * PIECE)
    await bank.is_sound()


async def test_a_killed_import_goes_on(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after every single write: what is left is done by the next one, and nothing twice."""
    first, second = await bank.deals.add("D-1"), await bank.deals.add("D-2", pieces=5)
    body = file_of([paid(15 * PIECE, f"{first} {second}"), paid(PIECE, first)])

    async def dies(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    for step in ("decide", "to_tell", "booked", "conclude"):
        with monkeypatch.context() as patch:
            patch.setattr(BankEntryStore, step, dies)
            with pytest.raises(RuntimeError):
                await bank.inbox.receive(CLERK, body)
    told = await bank.inbox.resume(CLERK)
    assert (told.unanswered, await bank.states()) == (0, ["booked invoice_number", "waiting"])
    keys = [entry.key for world in bank.deals.worlds.values() for entry in world.entries if "bank:" in entry.key]
    assert sorted(keys) == ["bank:1:1", "bank:1:2"]
    await bank.is_sound()


async def test_without_an_engine_entries_wait_for_it(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    bank.deals.down = True
    done = await bank.inbox.receive(CLERK, file_of([paid(10 * PIECE, number)]))
    assert (done.unanswered, await bank.states()) == (1, ["matched invoice_number"])
    # what is spoken for is not open for the next one
    await bank.send(paid(10 * PIECE, number, reference="X-9"), number="2")
    assert await bank.states() == ["matched invoice_number", "waiting"]
    bank.deals.down = False
    assert (await bank.inbox.resume(CLERK)).booked == 1
    await bank.is_sound()


async def test_a_deal_that_never_answers_holds_up_nobody_else(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [await bank.deals.add(f"D-{n}") for n in range(3)]
    act = bank.deals.act

    async def half(ask):
        if ask.deal_id == "D-0":
            raise EngineDown("this one is stuck")
        return await act(ask)

    monkeypatch.setattr(bank.deals, "act", half)
    done = await bank.inbox.receive(CLERK, file_of([paid(10 * PIECE, number) for number in numbers]))
    assert done.unanswered == 1
    assert await bank.states() == ["matched invoice_number", "booked invoice_number", "booked invoice_number"]
    assert [row["tries"] for row in await bank.entries()] == [1, 0, 0]


async def test_what_was_paid_meanwhile_goes_to_a_person(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    bank.deals.down = True
    await bank.send(paid(10 * PIECE, number))
    bank.deals.down = False
    bank.deals.worlds["D-1"].pay(PIECE)
    await bank.deals.keep(bank.deals.worlds["D-1"])
    told = await bank.inbox.resume(CLERK)
    assert (told.booked, told.refused) == (0, 1)
    (row,) = await bank.entries()
    assert row["state"] == "waiting"
    assert row["reason"] == f"not booked: {number}: less is open by now: 107100 instead of 119000 minor units"
    await bank.is_sound()


async def test_what_a_deal_refuses_goes_to_a_person_and_the_rest_is_booked(bank: Bank) -> None:
    """The bank kept more than the policy forgives: one deal takes its part, the other says no."""
    assert DEFAULT.money.charges_minor["EUR"] < 2_000
    first, second = await bank.deals.add("D-1"), await bank.deals.add("D-2", pieces=5)
    await bank.send(paid(15 * PIECE - 2_000, f"{first} {second}", charges_minor=2_000))
    parts = {part["state"]: part for part in await bank.parts()}
    (row,) = await bank.entries()
    assert row["state"] == "waiting", parts
    assert "refused" in parts
    await bank.is_sound()


async def test_a_payer_is_known_by_the_account_after_the_first_booking(bank: Bank) -> None:
    number = await bank.deals.add("D-1", customer="c-2")
    third = "DE75512108001245126199"
    await bank.send(Payment(4 * PIECE, text=number, name="Holding", iban=third))
    await bank.send(Payment(2 * PIECE, text="on account", iban=third, booked_on="2026-03-04"), number="2")
    assert await bank.states() == ["booked invoice_number", "booked iban_history"]
    assert bank.deals.owed(number).paid_minor == 6 * PIECE


async def test_foreign_currency_is_refused_with_a_reason(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(paid(10 * PIECE, number), currency="USD")
    (row,) = await bank.entries()
    assert row["state"] == "waiting"
    assert row["reason"].startswith("foreign currency: ")
    assert not bank.deals.asks


async def test_names_and_accounts_of_payers_stay_in_the_banks_tables(bank: Bank) -> None:
    number = await bank.deals.add("D-1")
    await bank.send(paid(10 * PIECE, f"{number} thanks, Petra"), Payment(9, name="Petra", iban=BERGMANN))
    told = str([ask.payload for ask in bank.deals.asks])
    told += str([entry.payload for world in bank.deals.worlds.values() for entry in world.entries])
    for secret in (NORDHOLZ, "Nordholz", "Petra", BERGMANN):
        assert secret not in told
