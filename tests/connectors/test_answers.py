"""A foreign answer is believed when it fits the question; else our books never see it."""

import pytest

from infra.gateways.connector_errors import ConnectorMalformed
from infra.gateways.once import EffectKeyReused
from infra.gateways.stock_book import SqlStockBook
from models.messages.logistics import CarriageInput, ReleaseInput, ReturnInput, ShipInput, StockLine
from tests.gateways.worlds import AT, lines, reservation

ONE = {"line": 1, "article": "bolt"}
RESERVED = {**ONE, "reserved": 6, "short": 0, "expected_on": "", "analogue": ""}


def changed(**fields):
    return {"lines": [RESERVED | fields]}


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (changed(reserved=7), "lines[0].reserved"),
        (changed(reserved=-1, short=7), "lines[0].reserved"),
        (changed(reserved=5), "lines[0]"),
        (changed(short=1), "lines[0]"),
        (changed(short=-1), "lines[0].short"),
        (changed(reserved=6.0), "lines[0].reserved"),
        (changed(reserved=True), "lines[0].reserved"),
        (changed(reserved="6"), "lines[0].reserved"),
        (changed(reserved=10**400), "lines[0].reserved"),
        (changed(line=2), "lines[0]"),
        (changed(article="nut"), "lines[0]"),
        (changed(expected_on="soon"), "lines[0].expected_on"),
        (changed(expected_on="20260301"), "lines[0].expected_on"),
        (changed(analogue="n" * 81), "lines[0].analogue"),
        (changed(analogue="\x00"), "lines[0].analogue"),
        (changed(price=1), "lines[0].price"),
        ({"lines": []}, "lines"),
        ({"lines": [RESERVED, RESERVED]}, "lines"),
        ({"lines": {}}, "lines"),
        ([], ""),
        (None, ""),
    ],
)
async def test_a_reservation_that_does_not_fit(abroad, stock, answer, where):
    abroad.tamper = lambda _: answer
    with pytest.raises(ConnectorMalformed) as caught:
        await stock.reserve(reservation("k", *lines(6)))
    assert caught.value.where == (where or "")
    assert str(caught.value).startswith("stock book /v1/reservations: the answer is not as documented: ")


@pytest.mark.parametrize(
    "sent",
    [
        [ONE | {"quantity": 7}],
        [ONE | {"quantity": -1}],
        [],
        [ONE | {"quantity": 1}] * 2,
        [ONE | {"line": 2, "quantity": 1}],
    ],
)
async def test_a_shipment_that_does_not_fit(abroad, stock, sent):
    abroad.tamper = lambda _: {"lines": sent}
    with pytest.raises(ConnectorMalformed):
        await stock.ship(ShipInput("k", "D1", lines(6), AT))


@pytest.mark.parametrize(
    "freed",
    [
        [ONE | {"quantity": 7}],
        [ONE | {"quantity": 0}],
        [ONE | {"quantity": 1}, ONE | {"quantity": 1}],
        [{"line": 1, "article": "nut", "quantity": 1}],
    ],
)
async def test_a_release_that_does_not_fit(abroad, stock, freed):
    abroad.tamper = lambda _: {"lines": freed}
    with pytest.raises(ConnectorMalformed):
        await stock.release(ReleaseInput("k", "D1", AT, lines(6)))


async def test_a_release_of_everything_may_name_any_line_but_each_once(abroad, stock):
    freed = [ONE | {"quantity": 3}, ONE | {"line": 2, "quantity": 1}]
    abroad.tamper = lambda _: {"lines": freed}
    assert (await stock.release(ReleaseInput("k", "D1", AT))).lines == (
        StockLine(1, "bolt", 3),
        StockLine(2, "bolt", 1),
    )
    freed.append(freed[0])
    with pytest.raises(ConnectorMalformed, match="answered twice"):
        await stock.release(ReleaseInput("k", "D1", AT))


async def test_goods_taken_back_are_answered_with_an_empty_object(abroad, stock):
    await stock.take_back(ReturnInput("k", "D1", "north", lines(2), AT))
    assert abroad.stock.on_hand["bolt", "north"] == 12
    abroad.tamper = lambda _: {"lines": []}
    with pytest.raises(ConnectorMalformed):
        await stock.take_back(ReturnInput("k", "D1", "north", lines(2), AT))


@pytest.mark.parametrize(
    ("carrier_name", "reference"),
    [("", "R"), ("swift", ""), ("s" * 41, "R"), ("swift", "R\n"), ("swift", "R" * 81), ("own", "R")],
)
async def test_a_booking_that_names_nobody_or_nothing(abroad, carrier, carrier_name, reference):
    abroad.tamper = lambda _: {"carrier": carrier_name, "reference": reference}
    with pytest.raises(ConnectorMalformed):
        await carrier.book(CarriageInput("k", "D1", "D1-S1", "north", "Hamburg", lines(1), AT))


async def test_a_field_name_of_a_million_characters_is_cut(abroad, stock):
    abroad.tamper = lambda _: {"x" * 900_000: 1}
    with pytest.raises(ConnectorMalformed) as caught:
        await stock.reserve(reservation("k", *lines(6)))
    assert len(str(caught.value)) < 1_000


async def test_a_question_that_comes_again_is_the_first_one(abroad, stock):
    """A worker that was killed before the answer was recorded asks anew, later and maybe about less."""
    first = await stock.reserve(reservation("k", *lines(6)))
    assert await stock.reserve(reservation("k", *lines(2, 1), at="2026-03-03T08:00:00Z")) == first
    assert len({question.body for question in abroad.questions}) == 1


async def test_an_effect_of_our_own_book_is_not_done_again_abroad(abroad, stock, database):
    await SqlStockBook(database).release(ReleaseInput("k", "D1", AT))
    with pytest.raises(EffectKeyReused):
        await stock.release(ReleaseInput("k", "D1", AT))
    assert abroad.questions == []


async def test_a_key_that_no_header_can_carry_goes_in_escaped(abroad, stock):
    await stock.reserve(reservation("Göppingen 100%", *lines(1)))
    assert abroad.questions[0].headers["idempotency-key"] == "G%C3%B6ppingen%20100%25"
    assert abroad.keys() == ["Göppingen 100%"]


@pytest.mark.parametrize("quantity", [0, -1, 10**9 + 1])
async def test_what_our_own_book_refuses_is_not_asked(abroad, stock, carrier, quantity):
    with pytest.raises(ValueError, match="quantity"):
        await stock.reserve(reservation("k", *lines(quantity)))
    with pytest.raises(ValueError, match="quantity"):
        await carrier.book(CarriageInput("k", "D1", "D1-S1", "north", "Hamburg", lines(quantity), AT))
    assert abroad.questions == []
