"""Deputies (D1): who stands in for whom and when, through chains of bounded length, and which rights pass at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.instants import DAY, between
from models.lifecycle.roles import Role

LONGEST_WINDOW = 60 * DAY
LONGEST_CHAIN = 2
"""A deputy may fall ill as well: the deputy's deputy acts for the first absent person, and there it ends."""

PERSONAL = frozenset({Role.AUDITOR, Role.ADMIN, Role.AUTOMATION, Role.SYSTEM})
"""Roles that nobody passes on, and whose holders stand in for nobody: an auditor changes nothing, an admin acts on no
deals, a machine does what its key says."""


@dataclass(frozen=True, slots=True)
class Deputyship:
    """`deputy` stands in for `absent` from an instant until another, or until it was ended before its time."""

    absent: str
    deputy: str
    from_at: str
    until_at: str
    ended_at: str = ""

    @property
    def ends_at(self) -> str:
        """The first instant at which it gives no rights any more."""
        return min(self.until_at, self.ended_at) if self.ended_at else self.until_at

    def active_at(self, at: str) -> bool:
        """Whether it gives rights at an instant."""
        return self.from_at <= at < self.ends_at

    def overlaps(self, other: "Deputyship") -> bool:
        """Whether both give rights at some instant."""
        return max(self.from_at, other.from_at) < min(self.ends_at, other.ends_at)


def stands_in_for(user: str, known: Iterable[Deputyship], at: str) -> tuple[str, ...]:
    """The absent people whose rights a user may use at an instant: those next to them first, then theirs."""
    links = [ship for ship in known if ship.active_at(at)]
    found: list[str] = []
    deputies = {user}
    for _ in range(LONGEST_CHAIN):
        deputies = {ship.absent for ship in links if ship.deputy in deputies} - {user, *found}
        found += sorted(deputies)
    return tuple(found)


def passing(roles: Iterable[str]) -> tuple[str, ...]:
    """Those of somebody's roles that a deputy gets, in their order."""
    return tuple(role for role in roles if Role(role) not in PERSONAL)


def why_not(asked: Deputyship, known: Sequence[Deputyship], now: str) -> dict[str, str]:
    """What stands against an appointment, by field; nothing when it may be made."""
    if asked.absent == asked.deputy:
        return {"deputy": "nobody stands in for themselves"}
    if asked.until_at <= asked.from_at:
        return {"until": "must be after the beginning"}
    if between(asked.from_at, asked.until_at) > LONGEST_WINDOW:
        return {"until": f"at most {LONGEST_WINDOW // DAY} days after the beginning"}
    if asked.from_at < now:
        return {"from": f"rights are not given for the past: it is {now}"}
    beside = [ship for ship in known if ship.overlaps(asked)]
    if any(ship.absent == asked.absent for ship in beside):
        return {"from": f"{asked.absent} has a deputy in this window already"}
    above, below = _longest(asked.absent, beside, up=True), _longest(asked.deputy, beside, up=False)
    if asked.deputy in _reached(asked.absent, beside):
        return {"deputy": f"{asked.absent} would stand in for themselves through a chain of deputies"}
    if len(above) + len(below) - 1 > LONGEST_CHAIN:
        return {"deputy": f"a chain of more than {LONGEST_CHAIN} deputies: {' <- '.join([*reversed(above), *below])}"}
    return {}


def _reached(user: str, links: Sequence[Deputyship]) -> set[str]:
    """Everybody for whom a user stands in, however long the chain."""
    found, waiting = set[str](), {user}
    while waiting:
        waiting = {ship.absent for ship in links if ship.deputy in waiting} - found
        found |= waiting
    return found


def _longest(user: str, links: Sequence[Deputyship], *, up: bool) -> list[str]:
    """The longest chain from a user on, which it begins with: `up` to those who are absent, else to deputies."""
    steps = [(ship.deputy, ship.absent) if up else (ship.absent, ship.deputy) for ship in links]
    longest, waiting = [user], [[user]]
    while waiting:
        chain = waiting.pop()
        longest = max(longest, chain, key=len)
        waiting += [[*chain, after] for before, after in steps if before == chain[-1] and after not in chain]
    return longest
