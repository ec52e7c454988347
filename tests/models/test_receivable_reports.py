"""Reports on receivables against figures counted by hand, and against a plain recount of random books."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import median_low
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.expected_cash import Basis, Share, expected_cash, iso_week, shares, usual_days
from models.policy import DEFAULT, Policy
from models.receivable_accounts import Account, Frozen, Invoiced, Movement, Promised, days_between, nearest
from models.receivable_reports import (
    BUCKETS,
    EVERYBODY,
    Lateness,
    Sold,
    Turnover,
    ageing,
    bucket_of,
    countback,
    first_day,
    histories,
    lateness,
    median_days,
    turnover,
)

START = date(2026, 1, 1)


def day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def at(number: int, hour: int = 8) -> str:
    return f"{day(number)}T{hour:02d}:00:00Z"


def invoiced(total: int = 1_000, issued: int = 0, due: int = 30, customer: str = "c-1", **more: Any) -> Invoiced:
    number = more.get("number", "2026-000001")
    return Invoiced(number, "D-1", customer, "delivery", more.get("currency", "EUR"), at(issued), at(due), total)


def paid(amount: int, on: int, kind: str = "payment", hour: int = 9) -> Movement:
    return Movement(at(on, hour), kind, amount)


# ------------------------------------------------------------------------------------------------- figures by hand


def test_an_invoice_is_open_from_its_day_until_it_is_settled():
    account = Account(
        invoiced(), [paid(400, 10), paid(100, 12, "credit_note"), paid(500, 20), paid(200, 25, "reversal")]
    )
    opened = [account.open_on(day(n)) for n in (-1, 0, 9, 10, 12, 19, 20, 24, 25)]
    assert opened == [0, 1_000, 1_000, 600, 500, 500, 0, 0, 200]


def test_the_disputed_part_is_never_more_than_what_is_open():
    disputes = [Frozen(at(5), at(9), 300), Frozen(at(7), "", 600)]
    account = Account(invoiced(), [paid(800, 8)], disputes)
    assert [account.disputed_on(day(n)) for n in (4, 5, 7, 8, 9)] == [0, 300, 900, 200, 200]


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(-9, "not_due"), (0, "not_due"), (1, "days_1_30"), (30, "days_1_30"), (31, "days_31_60"), (60, "days_31_60"),
     (61, "days_61_90"), (90, "days_61_90"), (91, "days_91_180"), (180, "days_91_180"), (181, "over_180")],
)  # fmt: skip
def test_buckets_by_days_overdue(days: int, bucket: str):
    assert BUCKETS[bucket_of(days)] == bucket
    (total, _) = ageing([Account(invoiced(due=30))], day(30 + days))
    assert dict(zip(BUCKETS, total.buckets, strict=True))[bucket] == total.open_minor == 1_000


def test_ageing_names_who_owes_most_and_what_is_disputed():
    accounts = [
        Account(invoiced(100, customer="small"), disputes=[Frozen(at(1), "", 40)]),
        Account(invoiced(700, due=60, customer="big")),
        Account(invoiced(300, customer="big"), [paid(100, 31)]),
        Account(invoiced(5, customer="paid"), [paid(5, 1)]),
        Account(invoiced(9, currency="USD", customer="small")),
    ]
    rows = ageing(accounts, day(40))
    assert [(r.currency, r.customer, r.invoices, r.open_minor, r.overdue_minor, r.disputed_minor) for r in rows] == [
        ("EUR", EVERYBODY, 3, 1_000, 300, 40),
        ("EUR", "big", 2, 900, 200, 0),
        ("EUR", "small", 1, 100, 100, 40),
        ("USD", EVERYBODY, 1, 9, 9, 0),
        ("USD", "small", 1, 9, 9, 0),
    ]


def test_days_sales_outstanding_of_the_textbook():
    """Receivables 6,340 of which 3,590 are current, sales 10,890 in 90 days (an often printed example)."""
    found = Turnover("EUR", 90, 6_200, 10_890, 6_340, 3_590)
    assert (found.dso_tenths, found.best_possible_tenths, found.delinquent_tenths) == (524, 297, 227)
    assert (found.collected_minor, found.collectable_minor, found.effectiveness_bps) == (10_750, 13_500, 7_963)


def test_without_sales_there_are_no_days_and_without_anything_to_collect_no_index():
    nothing = Turnover("EUR", 90, 0, 0, 500, 500)
    assert (nothing.dso_tenths, nothing.best_possible_tenths, nothing.delinquent_tenths) == (None, None, None)
    assert Turnover("EUR", 90, 100, 400, 500, 500).effectiveness_bps is None
    assert Turnover("EUR", 90, 500, 0, 0, 0).effectiveness_bps == 10_000


def test_counting_back_month_by_month():
    """700 owed on 10 March: ten days and 28 days of 300 each, then a third of January's 31 days."""
    sold = {"2026-03": 300, "2026-02": 300, "2026-01": 300}
    assert countback(700, sold, "2026-03-10") == (10 + 28) * 10 + 103
    assert countback(0, sold, "2026-03-10") == 0
    assert countback(600, sold, "2026-03-10") == 380
    assert countback(901, sold, "2026-03-10") is None
    assert countback(1, {}, "2026-03-10") is None


def test_a_period_includes_both_its_ends():
    assert first_day("2026-03-31", 90) == "2026-01-01"
    sales = [Sold("EUR", day(0), 5), Sold("EUR", day(10), 7), Sold("EUR", day(20), 11), Sold("EUR", day(21), 13)]
    (found,) = turnover([], sales, day(20), 11)
    assert (found.sales_minor, found.beginning_minor, found.ending_minor) == (18, 0, 0)


def test_lateness_is_about_what_the_customer_paid():
    accounts = [
        Account(invoiced(due=30), [paid(1_000, 28)]),
        Account(invoiced(due=30), [paid(400, 31), paid(600, 43), paid(0, 90)]),
        Account(invoiced(due=30), [paid(700, 34), paid(300, 80, "write_off")]),
        Account(invoiced(due=30), [paid(500, 34), paid(500, 80, "credit_note")]),
        Account(invoiced(due=30), [paid(1_000, 30), paid(1_000, 31, "reversal")]),
        Account(invoiced(due=30, customer="c-2"), [paid(1_000, 60)]),
    ]
    past = histories(accounts, day(100))
    assert past == {"c-1": Counter({-2: 1, 13: 1, 4: 1}), "c-2": Counter({30: 1})}
    assert lateness(past) == [Lateness(EVERYBODY, 4, 11, 8), Lateness("c-2", 1, 30, 30), Lateness("c-1", 3, 5, 4)]
    assert lateness(histories(accounts, day(20))) == []
    with pytest.raises(ValueError, match="nothing"):
        median_days({})


def test_money_is_expected_when_promised_else_as_the_customer_pays():
    promise = Promised("promise", 1, 0, 300, at(35), at(50))
    account = Account(invoiced(), disputes=[Frozen(at(31), "", 200)], promises=[promise])
    assert list(shares(account, day(40), 7)) == [
        Share(Basis.DISPUTED, "", 200),
        Share(Basis.PROMISE, day(50), 300),
        Share(Basis.HABIT, day(40), 500),
    ]
    assert list(shares(account, day(34), 20))[1:] == [Share(Basis.HABIT, day(50), 800)]
    over = Account(invoiced(), [paid(200, 36)], promises=[promise._replace(ended_at=at(40))])
    assert list(shares(over, day(39), 7)) == [Share(Basis.PROMISE, day(50), 100), Share(Basis.HABIT, day(39), 700)]
    assert list(shares(over, day(40), 7)) == [Share(Basis.HABIT, day(40), 800)]
    with_legal = Account(invoiced(), promises=[promise], with_legal_at=at(33))
    assert list(shares(with_legal, day(60), 7)) == [Share(Basis.PROMISE, day(60), 300), Share(Basis.LEGAL, "", 700)]


def test_a_plan_is_paid_from_its_first_instalment_on():
    plan = [Promised("instalment", 1, part, 300, at(35), at(40 + 10 * part)) for part in (1, 2, 3)]
    moved = [paid(100, 20), paid(350, 45), paid(50, 46, "credit_note")]
    account = Account(invoiced(1_000), moved, promises=plan)
    assert [(one.on, one.amount_minor) for one in shares(account, day(47), 0)] == [(day(60), 200), (day(70), 300)]
    returned = Account(invoiced(1_000), [*moved, paid(350, 47, "reversal")], promises=plan)
    assert [(one.on, one.amount_minor) for one in shares(returned, day(47), 9)] == [
        (day(60), 200), (day(70), 300), (day(47), 350)
    ]  # fmt: skip


def test_a_payment_that_went_back_keeps_no_promise():
    promise = Promised("promise", 1, 0, 300, at(35), at(50))
    account = Account(invoiced(), [paid(200, 36), paid(500, 37, "reversal"), paid(50, 38)], promises=[promise])
    assert account.kept_of(promise, day(37)) == 0
    assert account.kept_of(promise, day(38)) == 50


def test_weeks_are_those_of_iso_8601():
    assert [iso_week(on) for on in ("2026-01-01", "2027-01-03", "2027-01-04")] == ["2026-W01", "2026-W53", "2027-W01"]
    accounts = [Account(invoiced(10, due=n)) for n in range(40)]
    (found,) = expected_cash(accounts, "2026-01-10", 2, {}, 0)
    # overdue money on the 10th, a Saturday, and what is due on the 11th; a whole week; the rest of 40 later
    assert [(week.name, week.monday, week.expected_minor) for week in found.weeks] == [
        ("2026-W02", "2026-01-05", 110), ("2026-W03", "2026-01-12", 70)
    ]  # fmt: skip
    assert (found.later_minor, found.open_minor) == (220, 400)


def test_nobody_knows_a_new_customer_but_the_policy():
    assert usual_days(DEFAULT) == 3, "when the first reminder goes out"
    assert usual_days(Policy(ladder=())) == 0


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**12))
def test_quotients_are_rounded_half_away_from_zero(part: int, whole: int):
    exact = Decimal(part) / Decimal(whole)
    if abs(exact) < 10**9:
        assert nearest(part, whole) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@given(st.lists(st.integers(-400, 400), min_size=1, max_size=60))
def test_the_middle_of_counted_days(days: list[int]):
    ordered = sorted(days)
    assert median_days(Counter(days)) == (median_low(ordered) + ordered[len(ordered) // 2]) // 2


# ---------------------------------------------------------------------------------------------------- random books


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """An invoice with anything that may become of one, in the order of time."""
    total, issued = draw(st.integers(0, 5_000)), draw(st.integers(0, 60))
    invoice = Invoiced(
        f"2026-{draw(st.integers(1, 999_999)):06d}", "D-1", draw(st.sampled_from(["c-1", "c-2", "c-3"])), "delivery",
        draw(st.sampled_from(["EUR", "EUR", "USD"])), at(issued), at(issued + draw(st.integers(0, 60))), total,
    )  # fmt: skip
    left, in_payments, on, moved = total, 0, issued, []
    for _ in range(draw(st.integers(0, 5))):
        on += draw(st.integers(0, 50))
        kind = draw(st.sampled_from(["payment", "payment", "credit_note", "write_off", "set_off", "reversal"]))
        amount = draw(st.integers(0, in_payments if kind == "reversal" else left))
        left += amount if kind == "reversal" else -amount
        in_payments += {"payment": amount, "reversal": -amount}.get(kind, 0)
        moved.append(Movement(at(on, draw(st.integers(0, 23))), kind, amount))
    spans = st.tuples(st.integers(issued, 220), st.integers(0, 60), st.integers(1, 3_000), st.booleans())
    disputes = [
        Frozen(at(a), at(a + n) if ends else "", amount) for a, n, amount, ends in draw(st.lists(spans, max_size=2))
    ]
    promises = [
        Promised("promise", number, 0, amount, at(a, 7), at(a + n, 7), at(a + n, 7) if ends else "")
        for number, (a, n, amount, ends) in enumerate(draw(st.lists(spans, max_size=2)), start=1)
    ]
    legal = at(draw(st.integers(issued, 300))) if draw(st.booleans()) else ""
    moved.sort(key=lambda one: one.at[:10])
    return Account(invoice, moved, disputes, promises, legal)


def recounted_open(account: Account, on: str) -> int:
    """Day by day, one movement after the other."""
    owed = account.invoice.total_minor if account.invoice.issued_at[:10] <= on else 0
    for moved in account.movements:
        if moved.at[:10] <= on:
            owed = owed + moved.amount_minor if moved.kind == "reversal" else owed - moved.amount_minor
    return owed


def bucket_by_hand(late: int) -> str:
    if late <= 0:
        return "not_due"
    for name, last in (("days_1_30", 30), ("days_31_60", 60), ("days_61_90", 90), ("days_91_180", 180)):
        if late <= last:
            return name
    return "over_180"


@given(st.lists(accounts(), max_size=12), st.integers(-5, 260))
def test_ageing_equals_a_recount(book: list[Account], number: int):
    on = day(number)
    owed: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    disputed: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for account in book:
        amount = recounted_open(account, on)
        bucket = bucket_by_hand((date.fromisoformat(on) - date.fromisoformat(account.invoice.due_at[:10])).days)
        frozen = sum(d.amount_minor for d in account.disputes if d.since[:10] <= on < (d.until[:10] or "9999"))
        for customer in ("", account.invoice.customer) if amount else ():
            owed[account.invoice.currency, customer][bucket] += amount
            disputed[account.invoice.currency, customer][bucket] += min(amount, frozen)
    rows = ageing(book, on)
    assert {(r.currency, r.customer) for r in rows} == set(owed)
    for row in rows:
        key = row.currency, row.customer
        assert dict(zip(BUCKETS, row.buckets, strict=True)) == {name: owed[key][name] for name in BUCKETS}
        assert dict(zip(BUCKETS, row.disputed, strict=True)) == {name: disputed[key][name] for name in BUCKETS}
        assert row.open_minor == row.overdue_minor + row.buckets[0]


@given(st.lists(accounts(), max_size=12), st.integers(-5, 260), st.integers(1, 200))
def test_turnover_equals_a_recount(book: list[Account], number: int, days: int):
    on, before = day(number), day(number - days)
    sales = [Sold(a.invoice.currency, a.invoice.issued_at[:10], a.invoice.total_minor) for a in book]
    for row in turnover(book, sales, on, days):
        of_it = [account for account in book if account.invoice.currency == row.currency]
        beginning = sum(recounted_open(a, before) for a in of_it)
        ending = sum(recounted_open(a, on) for a in of_it)
        current = sum(recounted_open(a, on) for a in of_it if a.invoice.due_at[:10] >= on)
        sold = sum(a.invoice.total_minor for a in of_it if before < a.invoice.issued_at[:10] <= on)
        assert (row.beginning_minor, row.ending_minor, row.current_minor, row.sales_minor) == (
            beginning, ending, current, sold
        )  # fmt: skip
        if sold:
            assert row.dso_tenths is not None
            assert abs(Fraction(ending, sold) * days * 10 - row.dso_tenths) <= Fraction(1, 2)
        assert (row.dso_tenths is None) == (sold == 0)
        if beginning + sold - current > 0:
            exact = Fraction(beginning + sold - ending, beginning + sold - current) * 10_000
            assert row.effectiveness_bps is not None
            assert abs(exact - row.effectiveness_bps) <= Fraction(1, 2)
        if row.countback_tenths is not None:
            whole = row.countback_tenths // 10
            newer = sum(
                s.total_minor for s in sales if s.currency == row.currency and on_or_after(s.day, on, whole + 32)
            )
            assert ending <= newer, "so many days of sales are owed at most, to the month"


def on_or_after(sold: str, on: str, days: int) -> bool:
    return days_between(sold, on) <= days and sold <= on


@given(st.lists(accounts(), max_size=12), st.integers(-5, 260), st.integers(1, 12), st.integers(0, 20))
def test_expected_cash_adds_up_to_what_is_open(book: list[Account], number: int, weeks: int, usual: int):
    on = day(number)
    habits = {customer: median_days(counts) for customer, counts in histories(book, on).items()}
    found = expected_cash(book, on, weeks, habits, usual)
    opened = Counter[str]()
    for account in book:
        opened[account.invoice.currency] += recounted_open(account, on)
    assert {row.currency: row.open_minor for row in found} == +opened
    for row in found:
        disputed = sum(a.disputed_on(on) for a in book if a.invoice.currency == row.currency)
        assert row.uncertain_minor == disputed
        assert len(row.weeks) == weeks
        assert row.weeks[0].name == iso_week(on)
        in_weeks = sum(week.expected_minor for week in row.weeks)
        assert row.open_minor == in_weeks + row.later_minor + row.uncertain_minor + row.legal_minor
        assert all(0 <= week.promised_minor <= week.expected_minor for week in row.weeks)


@given(accounts(), st.integers(-5, 260), st.integers(-10, 40))
def test_nothing_is_expected_before_the_day(account: Account, number: int, late: int):
    on = day(number)
    parts = list(shares(account, on, late))
    assert sum(part.amount_minor for part in parts) == recounted_open(account, on)
    for part in parts:
        assert part.amount_minor > 0
        assert not part.on or part.on >= on
        if part.basis is Basis.LEGAL:
            assert account.with_legal_at[:10] <= on


@given(st.lists(accounts(), max_size=12), st.integers(-5, 260))
def test_lateness_equals_a_recount(book: list[Account], number: int):
    on = day(number)
    days: dict[str, list[int]] = defaultdict(list)
    for account in book:
        happened = [m for m in account.movements if m.at[:10] <= on]
        came = sum(
            m.amount_minor if m.kind == "payment" else -m.amount_minor * (m.kind == "reversal") for m in happened
        )
        if (
            account.invoice.issued_at[:10] > on
            or recounted_open(account, on)
            or 2 * came <= account.invoice.total_minor
        ):
            continue
        last = max(m.at[:10] for m in happened if m.kind == "payment" and m.amount_minor)
        days[account.invoice.customer].append(days_between(account.invoice.due_at[:10], last))
    rows = {row.customer: row for row in lateness(histories(book, on))}
    everybody = [late for of_one in days.values() for late in of_one]
    expected = dict(days) | ({EVERYBODY: everybody} if everybody else {})
    assert rows.keys() == expected.keys()
    for customer, late in expected.items():
        assert rows[customer].invoices == len(late)
        assert abs(Fraction(sum(late), len(late)) - rows[customer].average_days) <= Fraction(1, 2)
        assert rows[customer].median_days == (sorted(late)[(len(late) - 1) // 2] + sorted(late)[len(late) // 2]) // 2
