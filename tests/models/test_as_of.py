"""Two times: what was, as it was known; late and back-dated money, returns, accounts taken over, and exposure."""

from random import Random
from typing import Any

import pytest

from models.as_of import AsKnown, Position, Times, as_known, effective_at, moment, positions
from models.deal import fold
from models.errors import MoveRefused
from models.exposure import Exposure, exposure_of
from models.instants import DAY, plus
from models.policy import DEFAULT
from models.stages.accruing import fee_of, interest_of, uncharged
from models.timeline import Entry
from tests.models.collecting import TOTAL, about, owed, pay
from tests.models.interest_recount import cents, recounted
from tests.models.random_acts import CROWD, payload, somebody, something
from tests.models.story import AM, MONEY, days, until
from tests.models.world import START, World, delivered, entered, offered, signed

LATER = "2026-12-31T23:59:59Z"
MONEY_ACTS = (
    *("record_payment", "record_payment", "record_payment", "reverse_payment", "dispute", "settle_dispute", "credit"),
    *("grant_credit", "set_off_credit", "promise_to_pay", "request_write_off", "approve_write_off"),
)


def seen(world: World, at: str, known_at: str = LATER) -> AsKnown:
    return as_known(world.entries, Times(moment(at), moment(known_at)), DEFAULT)


def invoice(world: World, at: str, known_at: str = LATER, place: int = 0) -> Position:
    return positions(seen(world, at, known_at))[place]


def shipped() -> World:
    """Delivered on 5 January, due on 6 March."""
    return delivered(World())


# --------------------------------------------------------------------------------------------------- words of instants


def test_a_day_counts_to_its_end_and_an_instant_is_an_instant():
    assert moment("2026-03-31") == "2026-03-31T23:59:59Z"
    assert moment("2026-03-31T10:00:00+02:00") == "2026-03-31T08:00:00Z"


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "20260201", "2026-W01-1", "0001-01-01", "9999-12-31", "1989-12-31", "2026-1-1"]
)
def test_what_is_no_instant_is_refused(text: str):
    with pytest.raises(ValueError, match=r".+"):
        moment(text)


def test_nobody_knows_the_future():
    with pytest.raises(ValueError, match="nobody knew"):
        Times("2026-02-01T00:00:00Z", "2026-01-31T23:59:59Z")


# ------------------------------------------------------------------------------------------------------- late payments


def test_a_payment_that_is_booked_late_counts_from_its_value_day_as_soon_as_it_is_known():
    world = shipped()
    until(world, "2026-03-20T08:00:00Z")
    pay(world, 100_000, "2026-03-10")
    assert invoice(world, "2026-03-15", "2026-03-19").open_minor == TOTAL
    assert invoice(world, "2026-03-15", "2026-03-20").open_minor == TOTAL - 100_000
    assert invoice(world, "2026-03-10", "2026-03-20").open_minor == TOTAL - 100_000, "the value day is part of it"
    assert invoice(world, "2026-03-09", "2026-03-20").open_minor == TOTAL
    assert [each.effective_at for each in seen(world, "2026-03-15").learnt] == ["2026-03-10T00:00:00Z"]
    assert seen(world, "2026-03-20").learnt == (), "on the day of booking nothing is learnt later"


def test_within_the_day_of_booking_a_payment_counts_from_its_own_instant():
    world = shipped()
    until(world, "2026-03-20T12:00:00Z")
    pay(world, TOTAL, "2026-03-20")
    assert invoice(world, "2026-03-20T11:59:59Z").open_minor == TOTAL
    assert invoice(world, "2026-03-20T12:00:00Z").open_minor == 0


def test_the_state_never_back_dates():
    world = shipped()
    until(world, "2026-03-20T08:00:00Z")
    pay(world, TOTAL, "2026-03-02")
    then = seen(world, "2026-03-19")
    assert then.deal is not None
    assert then.deal.receivables[0].open_minor == TOTAL, "the books said so"
    assert then.deal.receivables[0].state == "dunned" or then.deal.receivables[0].state == "reminded"
    known = positions(then)[0]
    assert (known.open_minor, known.state, known.overdue_minor) == (0, "paid", 0)
    assert (known.interest_minor, known.lump_sum_minor) == (0, 0), "the money was here in time"


def test_interest_of_a_past_day_is_what_the_days_cost_as_far_as_is_known():
    world = shipped()
    until(world, "2026-04-20T08:00:00Z")
    pay(world, 100_000, "2026-03-16")
    ignorant, wiser = (invoice(world, "2026-04-10", known).interest_minor for known in ("2026-04-19", "2026-04-20"))
    assert ignorant == round(TOTAL * 0.1015 * 35 / 365)
    assert wiser == round((TOTAL * 10 + (TOTAL - 100_000) * 25) * 0.1015 / 365)
    counted = recounted(world.entries, DEFAULT.interest)[owed(world).number]
    assert wiser == cents(counted.units(DEFAULT.interest, "2026-04-10"))


def test_cash_discount_and_charges_count_with_the_payment_that_they_belong_to():
    world = shipped()
    until(world, "2026-03-20T08:00:00Z")
    pay(world, TOTAL - 300, "2026-03-05", charges_minor=300)
    known = invoice(world, "2026-03-06")
    assert (known.open_minor, known.paid_minor, known.written_off_minor) == (0, TOTAL - 300, 300)
    assert invoice(world, "2026-03-06", "2026-03-19").written_off_minor == 0


# ------------------------------------------------------------------------------------------------------------- returns


def returned(world: World, amount_minor: int, on: str = "") -> None:
    payload: dict[str, Any] = about(world, amount_minor=amount_minor, currency="EUR", reason="AC04", returned_on=on)
    world.do(MONEY, "reverse_payment", **payload)


MOST = TOTAL - 100
"""Of what is not paid in full the deal stays open, so that money may go back."""


def test_a_return_counts_from_the_day_on_which_the_bank_took_the_money():
    world = shipped()
    until(world, "2026-03-02T08:00:00Z")
    pay(world, MOST)
    until(world, "2026-03-12T08:00:00Z")
    returned(world, MOST, "2026-03-09")
    assert invoice(world, "2026-03-08").open_minor == 100
    assert invoice(world, "2026-03-09", "2026-03-11").open_minor == 100, "nobody knew"
    assert invoice(world, "2026-03-09").open_minor == TOTAL
    assert invoice(world, "2026-03-12").open_minor == TOTAL


def test_a_return_without_a_day_or_with_one_that_is_still_to_come_counts_when_it_is_booked():
    for day in ("", "2026-03-14"):
        world = shipped()
        until(world, "2026-03-02T08:00:00Z")
        pay(world, MOST)
        until(world, "2026-03-12T08:00:00Z")
        returned(world, MOST, day)
        assert effective_at(world.entries[-1]) <= world.now
        assert (invoice(world, "2026-03-11").open_minor, invoice(world, "2026-03-12").open_minor) == (100, TOTAL)


def test_what_came_twice_at_a_time_is_credit_and_nothing_is_owed_below_zero():
    world = shipped()
    until(world, "2026-03-02T08:00:00Z")
    pay(world, MOST)
    until(world, "2026-03-12T08:00:00Z")
    returned(world, MOST, "2026-03-10")
    until(world, "2026-03-13T08:00:00Z")
    pay(world, MOST, "2026-03-05")
    known = invoice(world, "2026-03-06")
    assert (known.open_minor, known.paid_minor, known.credit_minor, known.state) == (0, TOTAL, MOST - 100, "paid")
    known = invoice(world, "2026-03-10")
    assert (known.open_minor, known.paid_minor, known.credit_minor) == (100, MOST, 0)


def test_a_value_day_before_the_invoice_counts_from_its_issue():
    world = shipped()
    world.advance(days(1))
    pay(world, 50_000, "2026-01-01")
    assert positions(seen(world, "2026-01-04")) == []
    assert invoice(world, "2026-01-05").open_minor == TOTAL - 50_000


# ------------------------------------------------------------------------------------------------- accounts taken over


def test_an_invoice_of_an_earlier_system_was_owed_before_anybody_told_us():
    world = World(now="2026-05-04T08:00:00Z")
    world.do(MONEY, "take_over_account")
    world.do(MONEY, "bring_invoice", number="SAP-7", amount_minor=80_000, issued_on="2026-02-01", due_on="2026-03-03")
    assert positions(seen(world, "2026-04-01", "2026-05-03")) == []
    told = seen(world, "2026-04-01", "2026-05-04")
    assert told.deal is None, "the account was not opened then"
    (known,) = positions(told)
    assert (known.number, known.open_minor, known.overdue_minor) == ("SAP-7", 80_000, 80_000)
    assert positions(seen(world, "2026-01-31")) == []
    assert [each.lowers_minor for each in told.learnt] == [-80_000]


# ---------------------------------------------------------------------------------------------------------- exposure


def exposed(world: World, at: str = LATER) -> Exposure:
    then = seen(world, at)
    return exposure_of(then.deal, then.receivables, then.day)


def test_exposure_stands_in_one_kind_at_a_time():
    assert exposed(offered(World())) == Exposure()
    accepted = offered(World())
    accepted.do(AM, "accept_offer")
    assert exposed(accepted) == Exposure(accepted_minor=TOTAL)
    assert exposed(signed(World())) == exposed(entered(World())) == Exposure(confirmed_minor=TOTAL)
    world = shipped()
    assert exposed(world, "2026-03-06") == Exposure(not_due_minor=TOTAL)
    assert exposed(world, "2026-03-07") == Exposure(overdue_minor=TOTAL)
    world.do(AM, "dispute", **about(world, amount_minor=40_000, reason="damaged"))
    assert exposed(world, "2026-03-06") == Exposure(not_due_minor=TOTAL - 40_000, disputed_minor=40_000)
    until(world, "2026-03-20T08:00:00Z")
    pay(world, 100_000, "2026-03-07")
    assert exposed(world, "2026-03-07") == Exposure(overdue_minor=TOTAL - 140_000, disputed_minor=40_000)
    assert exposed(World(), "2025-12-31") == Exposure()


# ---------------------------------------------------------------------------------------------------------- properties


def live(entries: list[Entry], day: str) -> list[Position]:
    """What the deal itself says now."""
    return [
        Position(
            r.number, r.kind, r.currency, str(r.state), r.issued_at, r.due_at, r.total_minor, r.paid_minor,
            r.credited_minor, r.written_off_minor, r.open_minor, r.disputed_minor,
            r.open_minor if r.due_at[:10] < day else 0, r.unapplied_minor, interest_of(r, DEFAULT, day),
            fee_of(r, DEFAULT), uncharged(r, DEFAULT, day),
        )
        for r in fold(entries).receivables
    ]  # fmt: skip


def told_by_hand(entries: list[Entry], at: str, known_at: str) -> dict[str, int]:
    """What was open of each invoice, added up from events alone; nobody owes less than nothing."""
    total: dict[str, int] = {}
    paid: dict[str, int] = {}
    other: dict[str, int] = {}
    for entry in entries:
        if entry.at > known_at:
            continue
        value = entry.payload.get("received_on" if entry.action == "record_payment" else "returned_on") or entry.at
        counts = value <= at[:10] if value < entry.at[:10] else entry.at <= at
        for happened in entry.events:
            tag, number = happened["tag"], happened.get("invoice", "")
            if tag == "invoice_issued" and happened["receivable"]["issued_at"] <= at:
                total[happened["receivable"]["number"]] = happened["receivable"]["total_minor"]
            elif not counts:
                continue
            elif tag in ("payment_recorded", "payment_reversed"):
                sign = 1 if tag == "payment_recorded" else -1
                paid[number] = paid.get(number, 0) + sign * happened["applied_minor"]
            elif tag in ("invoice_credited", "difference_forgiven", "credit_set_off", "invoice_written_off"):
                other[number] = other.get(number, 0) + happened["amount_minor"]
            elif tag == "credit_granted":
                other[number] = other.get(number, 0) + happened["applied_minor"]
    return {n: max(0, amount - max(0, paid.get(n, 0)) - other.get(n, 0)) for n, amount in total.items()}


def random_money(seed: int, acts: int = 30) -> World:
    """A delivered deal whose money comes late, goes back and is disputed."""
    rng = Random(seed)
    world = shipped()
    for _ in range(acts):
        world.advance(rng.choice((1, 3_600, DAY, 3 * DAY, 9 * DAY)))
        action = rng.choice((*MONEY_ACTS, something(rng, world.deal)))
        asked = payload(rng, world.deal, action, world.now)
        back = plus(world.now, -rng.randrange(20) * DAY)[:10]
        asked |= {"record_payment": {"received_on": back}, "reverse_payment": {"returned_on": back}}.get(action, {})
        try:
            world.act(somebody(rng, world.deal, action, CROWD), action, **asked)
        except (MoveRefused, KeyError):
            continue
    return world


@pytest.mark.parametrize("seed", range(12))
def test_any_money_at_any_two_times(seed: int):
    world = random_money(seed)
    entries, rng = world.entries, Random(-seed)
    now = world.now
    assert positions(as_known(entries, Times(now, now), DEFAULT)) == live(entries, now[:10])
    whole = as_known(entries, Times(now, now), DEFAULT)
    assert (whole.deal, whole.learnt) == (world.deal, ())
    instants = sorted({START, now, *(rng.choice(entries).at for _ in range(8))})
    late = 0
    for place, at in enumerate(instants):
        for known_at in instants[place:]:
            for last in (at, moment(at[:10])):
                if last > known_at:
                    continue
                then = as_known(entries, Times(last, known_at), DEFAULT)
                assert {p.number: p.open_minor for p in positions(then)} == told_by_hand(entries, last, known_at)
                assert then.deal == fold([entry for entry in entries if entry.at <= last])
                known = [entry for entry in entries if entry.at <= known_at]
                assert as_known(known, Times(last, known_at), DEFAULT) == then, (
                    "a later act changes no earlier knowledge"
                )
                for p in positions(then):
                    assert 0 <= p.disputed_minor <= p.open_minor <= p.total_minor
                    assert p.total_minor == p.paid_minor + p.credited_minor + p.written_off_minor + p.open_minor
                late += len(then.learnt)
    assert late or seed not in (0, 1, 2), "some of these worlds learn of money late"


@pytest.mark.parametrize("seed", range(4))
def test_interest_of_any_past_day_is_recounted_day_by_day(seed: int):
    rng = Random(seed)
    world = shipped()
    until(world, f"2026-03-{rng.randrange(10, 30)}T08:00:00Z")
    for _ in range(6):
        world.advance(rng.randrange(1, 9) * DAY)
        if owed(world).open_minor:
            part = rng.randrange(1, owed(world).open_minor + 1)
            pay(world, part, plus(world.now, -rng.randrange(25) * DAY)[:10])
    first, last = "2026-03-10T08:00:00Z", world.now
    for at in (plus(first, n * DAY) for n in range(0, 60, 3)):
        for known_at in (plus(at, n * DAY) for n in range(0, 40, 7)):
            if known_at > last:
                continue
            known = [entry for entry in world.entries if entry.at <= known_at]
            counted = recounted(known, DEFAULT.interest)[owed(world).number]
            expected = cents(counted.units(DEFAULT.interest, at[:10]))
            assert positions(as_known(known, Times(at, known_at), DEFAULT))[0].interest_minor == expected, (
                at,
                known_at,
            )


def test_an_act_changes_nothing_of_what_was_known_before_it():
    world = shipped()
    until(world, "2026-03-20T08:00:00Z")
    before = seen(world, "2026-03-15", "2026-03-19")
    pay(world, TOTAL, "2026-03-01")
    assert seen(world, "2026-03-15", "2026-03-19") == before
    after = seen(world, "2026-03-15", "2026-03-20")
    assert (after.deal, [r.open_minor for r in after.receivables]) == (before.deal, [0])
