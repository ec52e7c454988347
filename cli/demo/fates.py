"""The registry of fates: the name that a row of examples/opportunities.csv gives, and how its story goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cli.demo.story import Story
from models.lifecycle.states import DealState

Telling = Callable[[Story], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Solved:
    """How a shortage must end: somebody answered on this rung of the ladder, and the missing units had this outcome."""

    rung: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a deal: in words, how it is told, the state in which it must end, and its shortage if any."""

    name: str
    words: str
    tell: Telling
    ends: DealState
    solved: Solved | None = None


FATES: dict[str, Fate] = {}


def fate(words: str, ends: DealState, solved: Solved | None = None) -> Callable[[Telling], Telling]:
    """Register a story under its function's name. Raises ValueError when the name is taken."""

    def register(tell: Telling) -> Telling:
        name = str(getattr(tell, "__name__", ""))
        if name in FATES:
            raise ValueError(f"fate {name} is told twice")
        FATES[name] = Fate(name, words, tell, ends, solved)
        return tell

    return register
