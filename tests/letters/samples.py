"""Facts for every kind of letter, as complete as the ladder gives them, and a page of a kind in a language."""

from infra.gateways.letter_page import Page, letter_page
from infra.gateways.letter_pdf import Letterhead
from infra.gateways.wording import letter_kinds, letter_wording

LANGUAGES = ("de", "en", "id", "it", "ro", "ru")
AT = "2026-03-23T08:00:00Z"
DAY = AT[:10]
HEAD = {"date": DAY, "to": "Müller & Söhne S.p.A.", "reference": "D-1"}
LETTERHEAD = Letterhead(
    "Nordwind Großhandel GmbH", ("Hafenstraße 12", "20457 Hamburg"), ("HRB 12345", "IBAN DE02 1203 0000 0000 2020 51")
)

OWED = {
    "invoice": "2026-000123",
    "currency": "EUR",
    "total_minor": "223456",
    "paid_minor": "100000",
    "disputed_minor": "5000",
    "open_minor": "123456",
    "issued_on": "2026-01-30",
    "due_on": "2026-03-01",
    "days_late": "22",
    "pay_by_on": "2026-04-01",
}
CHARGED = OWED | {"rate_bps": "1137", "interest_minor": "1234", "fee_minor": "4000", "claim_minor": "128690"}

FACTS: dict[str, dict[str, str]] = {
    "pre_due_notice": {name: OWED[name] for name in ("invoice", "currency", "open_minor", "due_on")}
    | {"days_left": "3"},
    "interest_note": CHARGED | {"charged_for": "2026-000122"},
    "legal_notice": CHARGED,
    "hold_notice": {"currency": "EUR", "overdue_minor": "123456", "due_on": "2026-03-01"},
    "statement": {
        "as_of_on": "2026-03-31",
        "invoices_count": "3",
        "balance_minor": "320368",
        "answer_by_on": "2026-04-16",
        "further_count": "2",
        "currency": "EUR",
        "columns": "invoice|issued_on|due_on|total_minor|open_minor",
        "row_1": "2026-000001|2026-01-01|2026-02-01|123456|123456",
        "row_2": "2026-000002|2026-01-02|2026-02-02|246912|0",
        "row_10": "2026-000003|2026-01-03|2026-02-03|370368|246912",
        "row_11": "further_invoices|||100000|100000",
        "row_12": "your_credit||||-150000",
    },
    "promise_confirmation": {
        "invoice": "2026-000123",
        "currency": "EUR",
        "promised_minor": "123456",
        "promised_on": "2026-04-01",
    },
    "plan_agreement": {
        "invoice": "2026-000123",
        "currency": "EUR",
        "total_minor": "90000",
        "instalments_count": "2",
        "columns": "part_count|due_on|amount_minor",
        "row_1": "1|2026-04-01|45000",
        "row_2": "2|2026-05-01|45000",
    },
    "plan_default": {
        "invoice": "2026-000123",
        "currency": "EUR",
        "instalment_on": "2026-04-01",
        "instalment_minor": "45000",
        "open_minor": "90000",
        "pay_by_on": "2026-04-15",
    },
    "dispute_answer": {
        "invoice": "2026-000123",
        "currency": "EUR",
        "disputed_minor": "5000",
        "outcome": "compromise",
        "credited_minor": "2500",
        "open_minor": "120956",
        "pay_by_on": "2026-04-15",
    },
    "availability_date": {"article": "bolt", "available_on": "2026-04-15"},
    "analogue_proposal": {"article": "bolt", "analogue": "bolt-2"},
    "order_confirmation": {"order": "4711"},
    "delivery_note": {"article": "bolt", "quantity": "12"},
    "credit_note": {"invoice": "2026-000123", "amount": "25.00 EUR"},
    "case_decision": {"case": "1", "decision": "credit"},
    "apology": {"case": "1"},
    "follow_up": {},
}
"""Of the kinds that aren't named here the dunning facts are the whole."""


def facts_of(kind: str) -> dict[str, str]:
    return FACTS.get(kind, OWED)


def page_of(kind: str, language: str, facts: dict[str, str] | None = None, to: str = HEAD["to"]) -> Page:
    given = facts_of(kind) if facts is None else facts
    return letter_page(letter_wording(kind, language), kind, {**HEAD, "to": to}, given)


KINDS = letter_kinds()
