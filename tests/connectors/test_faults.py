"""Whatever goes wrong on the way: one effect on the other side, and the right answer or the right error here."""

import asyncio

import pytest
import structlog

from infra.gateways.connector_errors import (
    LONGEST_TEXT,
    ConnectorMalformed,
    ConnectorRefused,
    ConnectorUnavailable,
)
from infra.gateways.http_door import HttpDoor, Patience
from infra.gateways.http_stock_book import HttpStockBook
from models.messages.logistics import CarriageInput, ReservedLine, StockLine
from tests.connectors.conftest import HURRIED
from tests.connectors.server import LASTING, TOKEN, Fault
from tests.gateways.worlds import AT, lines, reservation

SIX_BOLTS = (ReservedLine(1, "bolt", 6, 0),)
PASSING = sorted(set(Fault) - LASTING - {Fault.STRANGER, Fault.BAD_QUESTION, Fault.AWAY})
BOOKING = CarriageInput("c", "D1", "D1-S1", "north", "Hamburg", (StockLine(1, "bolt", 6),), AT)


def reserved(abroad):
    return sum(abroad.stock.reserved.values())


@pytest.mark.parametrize("fault", PASSING)
async def test_after_a_fault_that_passes_there_is_one_effect_and_its_answer(abroad, stock, fault):
    abroad.plan = [fault]
    assert (await stock.reserve(reservation("k", *lines(6)))).lines == SIX_BOLTS
    assert reserved(abroad) == 6
    asked_again = fault is not Fault.TWICE
    assert abroad.keys() == ["k"] * (1 + asked_again)
    assert len({question.body for question in abroad.questions}) == 1


@pytest.mark.parametrize("fault", PASSING)
async def test_the_carrier_is_booked_once_as_well(abroad, carrier, fault):
    abroad.plan = [fault, fault]
    booked = await carrier.book(BOOKING)
    assert (booked.carrier, booked.reference) == ("swift", "SWIFT-000001")
    assert await carrier.book(BOOKING) == booked
    assert list(abroad.carrier.booked) == ["c"]


@pytest.mark.parametrize("fault", sorted(set(PASSING) - {Fault.TWICE}))
async def test_a_fault_that_stays_is_told_after_the_last_try_and_mends_when_asked_later(abroad, stock, fault):
    abroad.plan = [fault] * HURRIED.tries
    with pytest.raises(ConnectorUnavailable, match=r"^stock book /v1/reservations: no answer in 4 tries") as caught:
        await stock.reserve(reservation("k", *lines(6)))
    assert caught.value.tries == HURRIED.tries
    assert (await stock.reserve(reservation("k", *lines(6)))).lines == SIX_BOLTS
    assert reserved(abroad) == 6


@pytest.mark.parametrize("fault", sorted(LASTING))
async def test_an_answer_that_is_not_as_documented_is_refused_at_once(abroad, stock, fault):
    abroad.plan = [fault]
    with pytest.raises(ConnectorMalformed, match=r"^stock book /v1/reservations: the answer is not as documented: "):
        await stock.reserve(reservation("k", *lines(6)))
    assert len(abroad.questions) == 1
    # somebody repairs their system, and the engine asks again
    assert (await stock.reserve(reservation("k", *lines(6)))).lines == SIX_BOLTS
    assert reserved(abroad) == 6


async def test_the_wrong_field_is_named(abroad, stock, carrier):
    abroad.plan = [Fault.WRONG_FIELDS, Fault.MISSING_FIELDS, Fault.LARGE, Fault.GARBAGE]
    found = []
    for ask in (stock.reserve(reservation("k", *lines(6))), carrier.book(BOOKING)):
        with pytest.raises(ConnectorMalformed) as caught:
            await ask
        found.append((caught.value.connector, caught.value.where, caught.value.why))
    assert found[0][:2] == ("stock book", "carrier")
    assert found[1] == ("carrier", "carrier", "required field is missing")
    for why in ("more than 1000000 bytes", "not JSON in UTF-8"):
        with pytest.raises(ConnectorMalformed, match=why):
            await stock.reserve(reservation("k", *lines(6)))


async def test_a_surplus_answer_is_not_taken_for_the_next_one(abroad, stock):
    abroad.plan = [Fault.TWICE]
    await stock.reserve(reservation("a", *lines(6)))
    assert (await stock.reserve(reservation("b", *lines(5)))).lines == (ReservedLine(1, "bolt", 5, 0),)


async def test_a_refusal_has_its_status_and_text_and_is_not_repeated(abroad, stock):
    abroad.plan = [Fault.BAD_QUESTION]
    with pytest.raises(ConnectorRefused) as caught:
        await stock.reserve(reservation("k", *lines(6)))
    assert (caught.value.status, len(abroad.questions)) == (422, 1)
    assert caught.value.problem.startswith("No: no such article no such article")
    assert len(caught.value.problem) <= LONGEST_TEXT


async def test_the_token_is_sent_and_is_in_no_error_and_no_log(abroad, stock, caplog):
    caplog.set_level("DEBUG")
    abroad.plan = [Fault.BROKEN, Fault.LOST, Fault.STRANGER]
    with structlog.testing.capture_logs() as logged, pytest.raises(ConnectorRefused) as caught:
        await stock.reserve(reservation("k", *lines(6)))
    assert abroad.questions[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert caught.value.problem == "No: unknown: Bearer [token] [31m"
    assert len(logged) == 2
    for shown in (repr(caught.value), repr(caught.value.__dict__), repr(logged), caplog.text):
        assert TOKEN not in shown
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_a_wrong_token_is_refused(abroad, database):
    book = HttpStockBook(HttpDoor("stock book", f"{abroad.url}/stock", "guess", HURRIED), database)
    with pytest.raises(ConnectorRefused) as caught:
        await book.reserve(reservation("k", *lines(6)))
    assert (caught.value.status, "guess" in str(caught.value), reserved(abroad)) == (401, False, 0)
    await book.close()


async def test_nobody_listens(database, unused_tcp_port):
    book = HttpStockBook(HttpDoor("stock book", f"http://127.0.0.1:{unused_tcp_port}", TOKEN, HURRIED), database)
    with pytest.raises(ConnectorUnavailable) as caught:
        await book.reserve(reservation("k", *lines(6)))
    assert (caught.value.tries, caught.value.reason) == (4, "ConnectError")
    await book.close()


@pytest.mark.parametrize(
    ("asks", "least"), [("1", 1.0), ("0", 0.0), ("Wed, 21 Oct 2020 07:28:00 GMT", 0.0), ("soon", 0.0)]
)
async def test_retry_after_is_respected(abroad, stock, asks, least):
    abroad.plan, abroad.retry_after = [Fault.BUSY], asks
    clock = asyncio.get_running_loop().time
    began = clock()
    assert (await stock.reserve(reservation("k", *lines(6)))).lines == SIX_BOLTS
    assert least <= clock() - began < least + 1.0


async def test_who_is_told_to_stay_away_longer_than_a_call_lasts_does_so(abroad, stock):
    abroad.plan = [Fault.AWAY]
    for tries, reason in ((1, "it answered 503: No: maintenance"), (0, "it asked us to stay away for 60 more seconds")):
        with pytest.raises(ConnectorUnavailable) as caught:
            await stock.reserve(reservation("k", *lines(6)))
        assert (caught.value.tries, caught.value.reason) == (tries, reason)
    assert len(abroad.questions) == 1


async def test_a_call_ends_within_its_budget(abroad, database):
    """No try is begun that could not have its full time: the engine gives up a local activity after 20 seconds."""
    patience = Patience(timeout=0.2, tries=50, first_pause=0.01, budget=1.0)
    book = HttpStockBook(HttpDoor("stock book", f"{abroad.url}/stock", TOKEN, patience), database)
    abroad.plan = [Fault.SLOW] * 50
    clock = asyncio.get_running_loop().time
    began = clock()
    with pytest.raises(ConnectorUnavailable, match=r"no complete answer within 0\.2 seconds"):
        await book.reserve(reservation("k", *lines(6)))
    assert clock() - began < 1.5
    assert 3 <= len(abroad.questions) <= 5
    await book.close()


def test_the_usual_patience_fits_into_a_local_activity():
    from workflows.calls import QUICK

    usual = Patience()
    assert list(usual.pauses()) == [0.0, 0.2, 0.4, 0.8, 1.6]
    assert usual.budget <= 0.7 * QUICK.total_seconds()
    assert Patience(timeout=10).timeout <= usual.budget


async def test_many_at_once_are_all_answered_after_slow_ones(abroad, stock):
    """Tries that were cut off leave no connection behind."""
    abroad.plan = [Fault.SLOW] * 15 * HURRIED.tries
    asked = [reservation(f"k{n}", *lines(1), deal=f"D{n}") for n in range(15)]
    answers = await asyncio.gather(*(stock.reserve(one) for one in asked), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectorUnavailable] * 15
    good = await asyncio.gather(*(stock.reserve(one) for one in asked))
    assert [answer.lines[0].reserved for answer in good] == [1] * 15
    assert reserved(abroad) == 15
