"""The report of who could do what on a day: own rights, those used as a deputy, and combinations that are too much."""

from dataclasses import dataclass

from infra.control.rights import Held, RightsHistory, UserRights, acting_roles
from models.duties import acts_of, toxic


@dataclass(frozen=True, slots=True)
class Instead:
    """The acts that somebody could do on behalf of an absent person."""

    absent: str
    roles: tuple[str, ...]
    acts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Toxic:
    """Two duties that one person could do alone, and what would refuse the second at the act; empty: nothing."""

    rule: str
    first: str
    second: str
    scope: str
    prevented_by: str


@dataclass(frozen=True, slots=True)
class Powers:
    """What somebody could do from one instant to just before another; nothing while not `active`."""

    user: str
    from_at: str
    until_at: str
    roles: tuple[str, ...]
    department: str
    active: bool
    keyed: bool
    since: str
    origin: str
    acts: tuple[str, ...]
    instead: tuple[Instead, ...]
    toxic: tuple[Toxic, ...]


def powers_on(history: RightsHistory, day: str, user: str = "", act: str = "") -> list[Powers]:
    """Everybody's powers on a day, of one user or with one act alone when they are named. Raises ValueError."""
    found = []
    for held in history.on(day):
        if user in ("", held.rights.user):
            powers = _powers(held, history.at(held.from_at))
            if not act or act in powers.acts or any(act in each.acts for each in powers.instead):
                found.append(powers)
    return found


def _powers(held: Held, everybody: dict[str, UserRights]) -> Powers:
    rights = held.rights
    own = rights.roles if rights.active else ()
    instead = tuple(
        Instead(absent, roles, tuple(sorted(acts_of(roles))))
        for absent in rights.stands_in_for
        if (roles := acting_roles(everybody, absent))
    )
    together = [*own, *(role for each in instead for role in each.roles)]
    return Powers(
        user=rights.user,
        from_at=held.from_at,
        until_at=held.until_at,
        roles=rights.roles,
        department=rights.department,
        active=rights.active,
        keyed=rights.keyed,
        since=rights.since,
        origin=rights.origin,
        acts=tuple(sorted(acts_of(own))),
        instead=instead,
        toxic=tuple(Toxic(r.name, r.first, r.second, r.scope, r.prevented_by) for r in toxic(together)),
    )
