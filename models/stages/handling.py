"""How a stage offers its actions: payload, handler, facts to gather; and the registry that `models.deal` reads."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from models.command import Context, Question
from models.event import Event

Handler = Callable[[Context], list[Event]]
Ask = Callable[[Context], Question | None]
Asks = dict[str, Ask]
"""Questions by the fact that they give, in the order in which they are asked: what reserves something comes last."""


@dataclass(frozen=True, slots=True)
class Empty:
    """An action that needs no payload."""


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action: the shape of its payload, what it does, and the questions to the world that go before."""

    action: str
    payload: type[Any]
    handle: Handler
    asks: Asks = field(default_factory=dict)


ACTIONS: dict[str, ActionSpec] = {}


def handles(action: str, payload: type[Any] = Empty, *, asks: Asks | None = None) -> Callable[[Handler], Handler]:
    """Register the handler of an action. Raises ValueError when the action has one already."""

    def register(handle: Handler) -> Handler:
        if action in ACTIONS:
            raise ValueError(f"{action} has two handlers")
        ACTIONS[action] = ActionSpec(action, payload, handle, asks or {})
        return handle

    return register
