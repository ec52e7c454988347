"""Events: what changed, as a closed list of tagged values that apply themselves to a deal."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from models import codec
from models.deal_state import Deal, Effect

REGISTRY: dict[str, type["Event"]] = {}
E_ = TypeVar("E_", bound="type[Event]")


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events. `apply` gives the deal after it, `effects` what the world must now be asked to do."""

    tag: ClassVar[str] = ""

    def apply(self, deal: Deal, at: str) -> Deal:
        """The deal after this event."""
        raise TypeError(f"{type(self).__name__} does not say what it changes")

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        """Effects of this event, given the deal after it."""
        return ()


def event(kind: E_) -> E_:
    """Register an event class under its tag. Raises ValueError when the tag is taken."""
    if not kind.tag or kind.tag in REGISTRY:
        raise ValueError(f"event tag {kind.tag!r} of {kind.__name__} is missing or taken")
    REGISTRY[kind.tag] = kind
    return kind


def to_plain(happened: Event) -> dict[str, Any]:
    """An event as it stands in a timeline entry."""
    return {"tag": happened.tag, **codec.encode(happened)}


def from_plain(plain: dict[str, Any]) -> Event:
    """Read an event from a timeline entry. Raises codec.Malformed for unknown tags and shapes."""
    kind = REGISTRY.get(plain.get("tag", ""))
    if kind is None:
        raise codec.Malformed("tag", f"unknown event {plain.get('tag')!r}")
    return codec.revive(kind, plain, beside="tag")
