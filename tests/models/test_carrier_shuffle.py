"""Five hundred random carrier lives, told twice and out of order, come to the same end as told once and in order."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from models import codec
from models.instants import HOUR, plus
from tests.models.story import LOGISTICS
from tests.models.world import START, World, entered

pytestmark = pytest.mark.uncounted  # five hundred lives of what the journeys cover one by one

LINES = [{"article": "A-1", "quantity": 10}, {"article": "A-2", "quantity": 6}]
UNDER_WAY = ("booked", "picked_up", "in_transit")


@dataclass(frozen=True)
class Told:
    """One message of a carrier."""

    shipment: str
    message_id: str
    kind: str
    occurred_at: str


def sent(rng: Random) -> tuple[World, list[str]]:
    """An order that left in one to three shipments, and their numbers."""
    world = entered(World(), LINES)
    loads = rng.randint(1, 3)
    for load in range(loads):
        last = load == loads - 1
        wanted = []
        for line in (1, 2):
            assert world.deal.order
            found = world.deal.order.line(line)
            assert found
            quantity = found.reserved if last and rng.random() < 0.8 else rng.randint(0, found.reserved)
            if quantity:
                wanted.append({"line": line, "quantity": quantity})
        if wanted:
            world.do(LOGISTICS, "ship", lines=wanted)
    assert world.deal.order
    return world, [each.number for each in world.deal.order.shipments]


def life(rng: Random, shipment: str) -> list[Told]:
    """What happens to one shipment, in order: often the whole way, sometimes only the beginning of it."""
    happened = list(UNDER_WAY[: rng.randint(0, 3)])
    happened += ["failed"] * rng.choice((0, 0, 1, 3))
    if rng.random() < 0.85:
        happened.append(rng.choice(("delivered", "delivered", "returned")))
    at, told = START, []
    for number, kind in enumerate(happened):
        at = plus(at, rng.choice((0, HOUR, 9 * HOUR)))  # some things happen in the same second
        told.append(Told(shipment, f"{shipment}-{number}", kind, at))
    return told


def doubled(rng: Random, told: list[Told]) -> list[Told]:
    """The messages with some of them twice: the same once more, or under a new number."""
    again = [one for one in told if rng.random() < 0.4]
    return told + [one if rng.random() < 0.5 else replace(one, message_id=f"{one.message_id}-again") for one in again]


def tell(world: World, told: list[Told], rng: Random | None = None) -> None:
    for one in told:
        if rng and rng.random() < 0.2:
            world.advance(HOUR)
        payload = {
            "shipment": one.shipment, "message_id": one.message_id, "kind": one.kind, "occurred_at": one.occurred_at
        }  # fmt: skip
        world.do("automation", "book_carrier_message", **payload)


def outcome(world: World) -> dict[str, Any]:
    """All that the messages came to, without the times at which we heard of it and the numbers in the books."""
    order = world.deal.order
    assert order
    acts = [codec.encode(act) | {"number": 0, "opened_at": "", "due_at": ""} for act in order.discrepancies]
    return {
        "state": world.deal.state,
        "lines": codec.encode(order.lines),
        "shipments": [
            codec.encode(each) | {"delivered_at": bool(each.delivered_at), "invoice": bool(each.invoice)}
            for each in order.shipments
        ],
        "acts": sorted(acts, key=lambda act: str(act["shipment"])),
        "money": sorted(r.open_minor for r in world.deal.receivables),
        "stock": (dict(world.stock), dict(world.sent)),
    }


@pytest.mark.parametrize("part", range(10))
def test_the_order_in_which_carriers_tell_does_not_matter(part: int):
    for seed in range(part * 50, part * 50 + 50):
        rng = Random(seed)
        world, numbers = sent(rng)
        told = [one for number in numbers for one in life(rng, number)]
        opening, entries = world.deal, list(world.entries)
        books = (dict(world.stock), dict(world.sent))
        tell(world, sorted(told, key=lambda one: one.occurred_at))
        expected = outcome(world)

        world.deal, world.entries, world.now, world.invoices = opening, entries, START, 0
        world.stock.clear()
        world.sent.clear()
        world.stock.update(books[0])
        world.sent.update(books[1])
        shuffled = doubled(rng, told)
        rng.shuffle(shuffled)
        tell(world, shuffled, rng)
        assert outcome(world) == expected, (seed, shuffled)


def test_the_lives_are_not_all_alike():
    ends = set()
    for seed in range(100):
        rng = Random(seed)
        world, numbers = sent(rng)
        tell(world, [one for number in numbers for one in life(rng, number)])
        assert world.deal.order
        ends.add((len(numbers), tuple(sorted(each.state for each in world.deal.order.shipments))))
    assert {1, 2, 3} == {count for count, _ in ends}
    assert {"delivered", "returned", "failed", "booked", "in_transit"} <= {s for _, states in ends for s in states}


@pytest.mark.parametrize(("first", "second"), [("delivered", "returned"), ("returned", "delivered")])
def test_ends_that_contradict_each_other_are_refused_whichever_comes_second(first: str, second: str):
    for seed in range(25):
        rng = Random(seed)
        world, numbers = sent(rng)
        shipment = rng.choice(numbers)
        tell(world, [Told(shipment, "M-1", first, plus(START, rng.choice((-HOUR, 0, HOUR))))])
        before = outcome(world)
        contradiction = {"shipment": shipment, "message_id": "M-2", "kind": second, "occurred_at": START}
        refusal = world.refusal("automation", "book_carrier_message", **contradiction)
        assert [v.guard for v in refusal.failing] == ["news_are_consistent"]
        assert outcome(world) == before
