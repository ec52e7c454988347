"""Collection on the real engine: every journey ends as it says, and books, deals and letters agree."""

from typing import Any

from sqlalchemy import text

from infra.gateways.ledger_reading import LedgerReader
from tests import invariants, money_journeys
from tests.engine import Engine
from tests.journeys import deal_of


async def _sound(engine: Engine, state: str) -> None:
    assert await invariants.findings(engine.database, allowed_extra_keys=lambda key: key.startswith("opening-")) == []
    assert await LedgerReader(engine.database).verify() == []
    assert all(balance.is_balanced for balance in await LedgerReader(engine.database).balances())
    assert [row[0] for row in await _rows(engine, "select state from deals order by id")] == [state]


async def _rows(engine: Engine, query: str) -> list[Any]:
    async with engine.database.read() as connection:
        return list((await connection.execute(text(query))).all())


async def _letters(engine: Engine) -> list[str]:
    about_care = "('follow_up', 'case_decision')"
    rows = await _rows(engine, f"select kind from letters where kind not in {about_care} order by at")
    return [row[0] for row in rows]


async def test_a_broken_promise_costs_a_level_and_a_waiver_a_second_person(engine: Engine) -> None:
    await money_journeys.promise_broken_and_interest_waived(engine, "M-promise")
    await _sound(engine, "completed")
    assert await _letters(engine) == [
        "pre_due_notice", "reminder", "first_dunning", "promise_confirmation", "second_dunning", "interest_note",
    ]  # fmt: skip
    principal, note = (await deal_of(engine, "M-promise")).receivables
    assert principal.charged_minor == note.total_minor
    assert principal.waived_minor == 1_000
    assert await _rows(engine, "select outcome from deal_promises") == [("broken",)]
    assert note.number.startswith("I-")


async def test_a_disputed_line_freezes_alone_and_its_late_answer_is_escalated(engine: Engine) -> None:
    await money_journeys.disputed_by_line(engine, "M-dispute")
    await _sound(engine, "completed")
    deal = await deal_of(engine, "M-dispute")
    assert [late.key for late in deal.escalations] == [f"dispute:{deal.receivables[0].number}:1"]
    assert await _rows(engine, "select outcome, credited_minor from deal_disputes") == [("compromise", 17_850)]
    assert await _letters(engine) == ["dispute_answer"], "nothing was due yet"


async def test_a_plan_that_is_not_kept_makes_everything_due(engine: Engine) -> None:
    await money_journeys.plan_defaulted(engine, "M-plan")
    await _sound(engine, "completed")
    assert await _letters(engine) == [
        "pre_due_notice", "reminder", "plan_agreement", "plan_default", "first_dunning", "interest_note",
    ]  # fmt: skip
    parts = await _rows(engine, "select part, outcome from deal_promises where kind = 'instalment' order by part")
    assert parts == [(1, "defaulted"), (2, "defaulted")]


async def test_a_returned_debit_opens_the_invoice_where_the_ladder_stood(engine: Engine) -> None:
    await money_journeys.debit_returned(engine, "M-debit")
    await _sound(engine, "completed")
    letters = await _letters(engine)
    assert letters[:2] == ["pre_due_notice", "reminder"]
    assert len(letters) == len(set(letters)), "no letter twice"
    (balance,) = await LedgerReader(engine.database).balances()
    assert balance.paid_minor == balance.invoiced_minor


async def test_the_last_rung_takes_a_decision_and_giving_up_takes_another(engine: Engine) -> None:
    await money_journeys.handed_to_legal(engine, "M-legal")
    await _sound(engine, "defaulted")
    deal = await deal_of(engine, "M-legal")
    assert [(asked.kind, asked.state) for asked in deal.approvals] == [("legal", "approved"), ("write_off", "approved")]
    (owed,) = deal.receivables
    assert owed.waived_minor > 4_000, "the interest went with it, by the same approval"
    assert (await _letters(engine))[-1] == "legal_notice"
