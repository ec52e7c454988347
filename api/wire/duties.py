"""Separation of duties on the wire: the rules, conflicts that were found, and who could do what on a day."""

from api.wire.shared import Told


class DutyCard(Told):
    """A part of the business, and the acts that it is made of."""

    name: str
    words: str
    acts: list[str]


class ConflictCard(Told):
    """Two duties that one person must not combine on one object of the scope. `within` is in days, 0 for ever;
    `prevented_by` is empty for what is only detected."""

    name: str
    first: str
    second: str
    scope: str
    severity: str
    prevented_by: str
    within: int
    why: str


class Duties(Told):
    """All duties, and the pairs of them that must be separate."""

    duties: list[DutyCard]
    conflicts: list[ConflictCard]


class Act(Told):
    """An act that is part of a finding; `where` says where it stands on record."""

    where: str
    at: str
    activity: str
    who: str
    on_behalf_of: str


class Found(Told):
    """A rule that was broken. `prevented` says that such acts are refused today."""

    rule: str
    severity: str
    prevented: bool
    case: str
    about: str
    people: list[str]
    link: str
    acts: list[Act]
    why: str


class Conflicts(Told):
    """What was looked at, and what was found, in the order of the acts that completed it."""

    cases: int
    acts: int
    findings: list[Found]


class Instead(Told):
    """What somebody could do on behalf of an absent person."""

    absent: str
    roles: list[str]
    acts: list[str]


class Toxic(Told):
    """Two duties that somebody could do alone, and what would refuse the second at the act."""

    rule: str
    first: str
    second: str
    scope: str
    prevented_by: str


class Powers(Told):
    """What somebody could do from one instant to just before another. `origin` says where that stands."""

    user: str
    from_at: str
    until_at: str
    roles: list[str]
    department: str
    active: bool
    keyed: bool
    since: str
    origin: str
    acts: list[str]
    instead: list[Instead]
    toxic: list[Toxic]


class Rights(Told):
    """Everybody's powers on a day (UTC)."""

    on: str
    items: list[Powers]
