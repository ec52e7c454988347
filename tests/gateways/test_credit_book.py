"""The contract of a credit book, asked of the fake and of the real one."""

import pytest

from models.messages.finance import HeadroomReleaseInput, HeadroomReleaseResult, HeadroomResult
from tests.gateways.worlds import AT, LATER, CreditWorld, headroom

AFTER = "2026-04-01T08:00:01Z"


def release(effect: str, key: str, remaining: int = 0, at: str = AT) -> HeadroomReleaseInput:
    return HeadroomReleaseInput(effect, key, f"deal of {key}", remaining, at)


async def test_reserves_up_to_the_limit_of_the_group(credit: CreditWorld):
    assert await credit.book.reserve(headroom("a", 600)) == HeadroomResult(True, 1_000, 0)
    assert await credit.book.reserve(headroom("b", 401)) == HeadroomResult(False, 1_000, 600)
    assert await credit.book.reserve(headroom("b", 400)) == HeadroomResult(True, 1_000, 600)
    assert await credit.reserved() == 1_000


async def test_asking_twice_reserves_once_and_another_amount_moves_it(credit: CreditWorld):
    for _ in range(2):
        assert await credit.book.reserve(headroom("a", 600)) == HeadroomResult(True, 1_000, 0)
    assert await credit.reserved() == 600
    assert (await credit.book.reserve(headroom("a", 900))).granted
    assert await credit.reserved() == 900
    assert not (await credit.book.reserve(headroom("a", 1_001))).granted
    assert await credit.reserved() == 900, "a refused move keeps the old reservation"
    assert (await credit.book.reserve(headroom("a", 100))).granted
    assert await credit.reserved() == 100


async def test_the_suggested_limit_follows_until_the_risk_officer_fixes_it(credit: CreditWorld):
    await credit.book.reserve(headroom("a", 10, limit=100))
    assert (await credit.book.reserve(headroom("b", 10, limit=200))).limit_minor == 200
    await credit.fix_limit(50)
    assert await credit.book.reserve(headroom("c", 40, limit=9_999)) == HeadroomResult(False, 50, 20)
    assert await credit.book.reserve(headroom("c", 30, limit=9_999)) == HeadroomResult(True, 50, 20)


async def test_a_sunken_limit_refuses_more_but_not_less(credit: CreditWorld):
    await credit.book.reserve(headroom("a", 800))
    assert await credit.book.reserve(headroom("a", 800, limit=500)) == HeadroomResult(True, 500, 0)
    assert (await credit.book.reserve(headroom("a", 700, limit=500))).granted
    assert not (await credit.book.reserve(headroom("a", 701, limit=500))).granted


async def test_a_reservation_that_ran_out_does_not_count(credit: CreditWorld):
    await credit.book.reserve(headroom("a", 1_000))
    assert not (await credit.book.reserve(headroom("b", 1, at=LATER))).granted, "it holds until the very second"
    renewed = headroom("b", 1_000, at=AFTER, expires_at="2026-05-01T08:00:00Z")
    assert await credit.book.reserve(renewed) == HeadroomResult(True, 1_000, 0)
    assert await credit.reserved() == 1_000
    assert await credit.book.release(release("e1", "a", at=AFTER)) == HeadroomReleaseResult(0)


async def test_an_own_reservation_that_ran_out_is_made_anew(credit: CreditWorld):
    await credit.book.reserve(headroom("a", 1_000))
    again = headroom("a", 900, at=AFTER, expires_at="2026-05-01T08:00:00Z")
    assert await credit.book.reserve(again) == HeadroomResult(True, 1_000, 0)
    assert await credit.reserved() == 900


async def test_release_lowers_and_never_raises(credit: CreditWorld):
    await credit.book.reserve(headroom("a", 600))
    assert await credit.book.release(release("e1", "a", 700)) == HeadroomReleaseResult(0)
    assert await credit.book.release(release("e2", "a", 250)) == HeadroomReleaseResult(350)
    assert await credit.reserved() == 250
    assert await credit.book.release(release("e3", "a")) == HeadroomReleaseResult(250)
    assert await credit.book.release(release("e4", "a")) == HeadroomReleaseResult(0)
    assert await credit.book.release(release("e5", "nobody")) == HeadroomReleaseResult(0)
    assert await credit.reserved() == 0


async def test_a_release_is_done_once_for_ever(credit: CreditWorld):
    await credit.book.reserve(headroom("a", 600))
    assert await credit.book.release(release("e1", "a")) == HeadroomReleaseResult(600)
    await credit.book.reserve(headroom("a", 300))
    assert await credit.book.release(release("e1", "a")) == HeadroomReleaseResult(600), "the old answer"
    assert await credit.reserved() == 300


async def test_a_late_echo_does_not_bring_a_released_reservation_back(credit: CreditWorld):
    await credit.book.reserve(headroom("a", 600))
    await credit.book.release(release("e1", "a", at="2026-03-05T08:00:00Z"))
    assert not (await credit.book.reserve(headroom("a", 600))).granted
    assert await credit.reserved() == 0
    assert (await credit.book.reserve(headroom("a", 600, at="2026-03-06T08:00:00Z"))).granted


@pytest.mark.parametrize("amount", [-1, 10**14 + 1, 10**40, 1.5, float("nan")])
async def test_refuses_impossible_amounts(credit: CreditWorld, amount):
    with pytest.raises(ValueError, match="minor units"):
        await credit.book.reserve(headroom("a", amount))
    with pytest.raises(ValueError, match="minor units"):
        await credit.book.reserve(headroom("a", 1, limit=amount))
    with pytest.raises(ValueError, match="minor units"):
        await credit.book.release(release("e1", "a", amount))
    assert await credit.reserved() == 0
