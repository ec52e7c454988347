"""Carriers: the fake and our own vans book a shipment once per effect key and refuse the same."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from infra.gateways.once import EffectKeyReused
from infra.gateways.own_carrier import OWN, OwnCarrier
from models import ports
from models.messages.logistics import CarriageInput, ReleaseInput
from tests.fakes.carrier import FakeCarrier
from tests.gateways.worlds import AT, RealStock, lines

ASKED = CarriageInput("k", "D1", "D1-S1", "north", "Hamburg", lines(2), AT)


@pytest.fixture(params=["fake", "own"])
def carrier(request: pytest.FixtureRequest) -> ports.Carrier:
    make: dict[str, Callable[[], ports.Carrier]] = {
        "fake": FakeCarrier,
        "own": lambda: OwnCarrier(request.getfixturevalue("database")),
    }
    return make[request.param]()


async def test_a_shipment_is_booked_once_and_answered_alike(carrier):
    answers = await asyncio.gather(*(carrier.book(ASKED) for _ in range(4)))
    assert len(set(answers)) == 1
    assert answers[0].carrier
    assert answers[0].reference


async def test_another_shipment_has_another_reference(carrier):
    other = replace(ASKED, effect_key="k2", shipment="D1-S2")
    assert (await carrier.book(ASKED)).reference != (await carrier.book(other)).reference


@pytest.mark.parametrize(
    ("field", "value"),
    [("lines", lines(0)), ("shipment", ""), ("shipment", "S" * 101), ("at", "yesterday"), ("effect_key", "")],
)
async def test_refused(carrier, field, value):
    with pytest.raises(ValueError, match=r"."):
        await carrier.book(replace(ASKED, **{field: value}))


async def test_our_vans_go_by_the_number_of_the_shipment(database):
    booked = await OwnCarrier(database).book(ASKED)
    assert (booked.carrier, booked.reference) == (OWN, "VAN-D1-S1")


async def test_the_key_of_another_effect_is_refused(database):
    await RealStock(database).book.release(ReleaseInput("k", "D1", AT))
    with pytest.raises(EffectKeyReused):
        await OwnCarrier(database).book(ASKED)
