"""Credit headroom of a deal: reserved from acceptance to payment, given back on every exit (D10)."""

from dataclasses import dataclass

from models.change import replace
from models.deal_state import Deal, Effect
from models.event import Event, event


@event
@dataclass(frozen=True, slots=True)
class HeadroomReserved(Event):
    """A part of the group's credit limit is held for this deal, in minor units."""

    tag = "headroom_reserved"
    amount_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, headroom_minor=self.amount_minor)


@event
@dataclass(frozen=True, slots=True)
class HeadroomLowered(Event):
    """A part of the held limit is given back; `remaining_minor` stays held."""

    tag = "headroom_lowered"
    remaining_minor: int
    cause: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, headroom_minor=self.remaining_minor)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        held = {"key": deal.headroom_key, "remaining_minor": self.remaining_minor}
        return (Effect("release_headroom", held),)


def lower_headroom(deal: Deal, remaining_minor: int, cause: str) -> list[Event]:
    """The event that gives headroom back, or nothing when there is nothing to give back."""
    if deal.headroom_minor <= remaining_minor:
        return []
    return [HeadroomLowered(remaining_minor, cause)]
