"""The registry of fates: the name that a row of examples/opportunities.csv gives, and how its story goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cli.demo.story import Story
from models.lifecycle.states import DealState

Telling = Callable[[Story], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a deal: in words, how it is told, and the state in which it must end."""

    name: str
    words: str
    tell: Telling
    ends: DealState


FATES: dict[str, Fate] = {}


def fate(words: str, ends: DealState) -> Callable[[Telling], Telling]:
    """Register a story under its function's name. Raises ValueError when the name is taken."""

    def register(tell: Telling) -> Telling:
        name = str(getattr(tell, "__name__", ""))
        if name in FATES:
            raise ValueError(f"fate {name} is told twice")
        FATES[name] = Fate(name, words, tell, ends)
        return tell

    return register
