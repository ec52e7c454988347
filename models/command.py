"""What somebody asks of a deal, what the outside world said about it, and what the rules look at."""

from dataclasses import dataclass, field, replace
from typing import Any

from models.codec import later
from models.deal_state import Deal
from models.lifecycle.roles import Role
from models.messages.control import PolicyInput, PolicyResult
from models.messages.finance import GroupHolds, GroupHoldsInput, HeadroomInput, HeadroomResult
from models.messages.receivables import LegacyNumberInput, LegacyNumberResult
from models.messages.sales import QuoteInput, QuoteResult
from models.policy import Policy

SYSTEM_USER = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user id, the roles it holds, and for whom when it acts as a deputy. `credential` is the visible
    prefix of the key or token that it showed, `stands_in_for` are all whose deputy it is at that moment."""

    user: str
    roles: tuple[str, ...]
    on_behalf_of: str = ""
    credential: str = later("")
    stands_in_for: tuple[str, ...] = later(())

    @property
    def people(self) -> tuple[str, ...]:
        """Who acts, and for whom: both count when somebody must not decide about their own request."""
        return (self.user, self.on_behalf_of) if self.on_behalf_of else (self.user,)

    @property
    def eyes(self) -> tuple[str, ...]:
        """Everybody with whose eyes this one sees: a deputy is barred by what those did for whom it stands in (D1)."""
        return tuple(dict.fromkeys((*self.people, *self.stands_in_for)))


SYSTEM = Actor(SYSTEM_USER, (Role.SYSTEM,))


@dataclass(frozen=True, slots=True)
class Command:
    """One request: an action of the table with its payload in plain form, under the caller's idempotency key.

    `expected_version` refuses the act when the deal has moved on since the caller looked (0: don't care). `asked_at` is
    when it was asked by the wall clock, in UTC; empty for what the engine does by itself.
    """

    action: str
    actor: Actor
    key: str
    payload: dict[str, Any] = field(default_factory=dict)
    expected_version: int = 0
    asked_at: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the outside world said, gathered before deciding; None where nothing was asked."""

    quote: QuoteResult | None = None
    headroom: HeadroomResult | None = None
    group_holds: GroupHolds | None = later(None)
    invoice_number: LegacyNumberResult | None = later(None)
    policy: PolicyResult | None = later(None)

    def told(self, answer: "Answer") -> "Facts":
        """The facts with one answer more."""
        match answer:
            case QuoteResult():
                return replace(self, quote=answer)
            case HeadroomResult():
                return replace(self, headroom=answer)
            case GroupHolds():
                return replace(self, group_holds=answer)
            case LegacyNumberResult():
                return replace(self, invoice_number=answer)
            case PolicyResult():
                return replace(self, policy=answer)


Question = QuoteInput | HeadroomInput | GroupHoldsInput | LegacyNumberInput | PolicyInput
"""What the shell has to ask the world before the core can decide."""
Answer = QuoteResult | HeadroomResult | GroupHolds | LegacyNumberResult | PolicyResult
"""What the world answers to a question."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that a guard or handler may look at. `payload` is decoded, or None when only the state is judged."""

    deal: Deal
    actor: Actor
    role: str
    payload: Any
    facts: Facts
    policy: Policy
    now: str
