"""Deals as their timelines tell them, step by step, for checks that look at what stood before and after an act."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models import codec
from models.deal import apply
from models.deal_state import Deal, Effect
from models.event import from_plain
from models.stages.opening import DealOpened
from models.timeline import Entry


@dataclass
class Step:
    """One entry with the deal before and after it, and the effects that it added."""

    entry: Entry
    before: Deal | None
    after: Deal
    effects: tuple[Effect, ...]


@dataclass
class Story:
    """A deal as its timeline tells it."""

    deal_id: str
    steps: list[Step]

    @property
    def deal(self) -> Deal:
        """The deal at the end."""
        return self.steps[-1].after

    @property
    def effects(self) -> list[Effect]:
        """All effects that were ever asked for."""
        return [effect for step in self.steps for effect in step.effects]

    def waits_for(self, *kinds: str) -> bool:
        """Whether effects of these kinds are still to be done."""
        return any(effect.kind in kinds for effect in self.deal.pending)


def tell(entries: Sequence[Entry]) -> Story:
    """The story of a whole timeline. Raises like the core does when its events cannot be applied."""
    return Story(entries[0].deal_id, list(_steps(entries)))


def _steps(entries: Sequence[Entry]) -> Iterable[Step]:
    deal: Deal | None = None
    for entry in entries:
        events = [from_plain(plain) for plain in entry.events]
        before, effects = deal, tuple[Effect, ...]()
        if before is None:
            first = events[0]
            assert isinstance(first, DealOpened)
            deal, _ = apply(first.create(entry.at), events[1:], entry.at)
            deal = codec.decode(Deal, {**codec.encode(deal), "last_hash": entry.hash})
        else:
            deal, effects = apply(before, events, entry.at)
            deal = codec.decode(Deal, {**codec.encode(deal), "last_hash": entry.hash})
        yield Step(entry, before, deal, effects)
