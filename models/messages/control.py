"""What a deal asks about the versions of the business numbers, and what is answered."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """Ask for a version of the policy; of its public holidays only those of the `countries` travel."""

    version: str
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """A version with its numbers in plain form. `active_from` is the instant from which new deals pin it; it is empty,
    and so is the body, for a version that is not known."""

    version: str
    active_from: str = ""
    body: dict[str, Any] = field(default_factory=dict)
