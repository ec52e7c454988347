"""The stock book of another system, behind HTTP. Its answers are held against what was asked before we believe them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from infra.db import Database
from infra.gateways import checked
from infra.gateways.first_question import first_asked
from infra.gateways.http_door import HttpDoor
from models.codec import Malformed
from models.messages.logistics import (
    ReleaseInput,
    ReleaseResult,
    ReservedLine,
    ReserveInput,
    ReserveResult,
    ReturnInput,
    ShipInput,
    ShipResult,
    StockLine,
)

Answered = TypeVar("Answered", StockLine, ReservedLine)


@dataclass(frozen=True, slots=True)
class _Received:
    """The answer to goods that were taken back: an empty object, as there is nothing to say but that it is done."""


class HttpStockBook:
    """The port StockBook on a foreign system. Refuses what our own book refuses; raises ConnectorErrors besides."""

    def __init__(self, door: HttpDoor, database: Database) -> None:
        self._door = door
        self._database = database

    async def close(self) -> None:
        """Close the connections."""
        await self._door.close()

    async def reserve(self, asked: ReserveInput) -> ReserveResult:
        """Reserve what is free; every line is answered, in order, and its two numbers make up what was asked."""
        checked.stock_lines(asked.lines)
        checked.instant(asked.at)
        checked.instant(asked.expires_at)
        first = await first_asked(self._database, asked.effect_key, "stock.reserve.abroad", asked)
        check = partial(_reserved_as_asked, first.lines)
        return await self._door.ask("/v1/reservations", first.effect_key, first, ReserveResult, check)

    async def release(self, asked: ReleaseInput) -> ReleaseResult:
        """Give back what the lines hold, or everything; never more than was asked."""
        checked.stock_lines(asked.lines)
        checked.instant(asked.at)
        first = await first_asked(self._database, asked.effect_key, "stock.release.abroad", asked)
        check = partial(_released_as_asked, first.lines)
        return await self._door.ask("/v1/releases", first.effect_key, first, ReleaseResult, check)

    async def ship(self, asked: ShipInput) -> ShipResult:
        """Take reserved units out; a line answers 0 when it held nothing."""
        checked.stock_lines(asked.lines)
        checked.instant(asked.at)
        first = await first_asked(self._database, asked.effect_key, "stock.ship.abroad", asked)
        check = partial(_shipped_as_asked, first.lines)
        return await self._door.ask("/v1/shipments", first.effect_key, first, ShipResult, check)

    async def take_back(self, asked: ReturnInput) -> None:
        """Put units back on the shelf."""
        checked.stock_lines(asked.lines)
        checked.instant(asked.at)
        first = await first_asked(self._database, asked.effect_key, "stock.take_back.abroad", asked)
        await self._door.ask("/v1/returns", first.effect_key, first, _Received, lambda _: None)


def _reserved_as_asked(asked: Sequence[StockLine], answer: ReserveResult) -> None:
    for where, wanted, got in _paired(asked, answer.lines):
        _within(f"{where}.reserved", got.reserved, 0, wanted.quantity)
        _within(f"{where}.short", got.short, 0, wanted.quantity)
        if got.reserved + got.short != wanted.quantity:
            raise Malformed(where, f"{got.reserved} reserved and {got.short} short are not the {wanted.quantity} asked")
        _day_or_nothing(f"{where}.expected_on", got.expected_on)
        if len(got.analogue) > checked.ID_LENGTH:
            raise Malformed(f"{where}.analogue", f"an article has at most {checked.ID_LENGTH} characters")


def _shipped_as_asked(asked: Sequence[StockLine], answer: ShipResult) -> None:
    for where, wanted, got in _paired(asked, answer.lines):
        _within(f"{where}.quantity", got.quantity, 0, wanted.quantity)


def _released_as_asked(asked: Sequence[StockLine], answer: ReleaseResult) -> None:
    """A release answers per line and article what went back, and leaves out what held nothing."""
    wanted: dict[tuple[int, str], int] = {}
    for line in asked:
        place = line.line, line.article
        wanted[place] = wanted.get(place, 0) + line.quantity
    seen: set[tuple[int, str]] = set()
    for number, got in enumerate(answer.lines):
        where, place = f"lines[{number}]", (got.line, got.article)
        if place in seen:
            raise Malformed(where, f"line {got.line} with {got.article!r} is answered twice")
        if asked and place not in wanted:
            raise Malformed(where, f"line {got.line} with {got.article!r} was not asked for")
        seen.add(place)
        _within(f"{where}.quantity", got.quantity, 1, wanted.get(place, checked.MAX_UNITS))


def _paired(asked: Sequence[StockLine], answered: Sequence[Answered]) -> Iterator[tuple[str, StockLine, Answered]]:
    """Each asked line with its answer and the path of that. Raises Malformed unless they go together one by one."""
    if len(asked) != len(answered):
        raise Malformed("lines", f"{len(asked)} were asked, {len(answered)} are answered")
    for number, (wanted, got) in enumerate(zip(asked, answered, strict=True)):
        where = f"lines[{number}]"
        if (wanted.line, wanted.article) != (got.line, got.article):
            raise Malformed(where, f"line {wanted.line} with {wanted.article!r} belongs here")
        yield where, wanted, got


def _within(where: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise Malformed(where, f"from {least} to {most} was possible, not {number}")


def _day_or_nothing(where: str, on: str) -> None:
    try:
        if on:
            checked.day(on)
    except ValueError:
        raise Malformed(where, "a day is spelt like 2026-11-21, and an unknown one is left empty") from None
