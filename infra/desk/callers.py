"""Who stands at the desk: the user, what the roles let it see, and the operator of the machine itself."""

from dataclasses import dataclass

from infra.desk.errors import WrongRole
from infra.stores.people import Person
from models.command import Actor
from models.lifecycle.roles import BLIND_TO_PRICES, HEADS, SALES, Role
from models.visibility import Scope, scope_of

SEES_MARGINS = SALES | HEADS | {Role.AUDITOR}
"""Margins and costs are sales' own (D11); an auditor reads everything."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was identified. `roles` are role names, the one to act in is found by the table. `credential` is the
    visible prefix of the key that identified them. A deputy has the roles and the department of whom they act
    `on_behalf_of`; `stands_in_for` are all whose deputy they are, which is looked up before they act."""

    user: str
    roles: tuple[str, ...]
    department: str = ""
    on_behalf_of: str = ""
    credential: str = ""
    stands_in_for: tuple[str, ...] = ()

    @property
    def held(self) -> frozenset[Role]:
        """The roles as the domain's enum."""
        return frozenset(Role(role) for role in self.roles)

    @property
    def actor(self) -> Actor:
        """The caller as timelines name it."""
        return Actor(self.user, self.roles, self.on_behalf_of, self.credential, self.stands_in_for)

    @property
    def principal(self) -> str:
        """Whose rights these are, and so whose deals and customers: the absent person's when a deputy acts."""
        return self.on_behalf_of or self.user

    @property
    def scope(self) -> Scope:
        """The deals that the caller sees."""
        return scope_of(self.roles, self.principal, self.department)

    @property
    def is_blind(self) -> bool:
        """True for who must never see prices, margins or values."""
        return bool(self.held & BLIND_TO_PRICES) and not self.held - BLIND_TO_PRICES - {Role.ADMIN}

    @property
    def sees_margins(self) -> bool:
        """True for who may see costs and margins."""
        return bool(self.held & SEES_MARGINS)

    def has(self, *roles: Role) -> bool:
        """True when the caller holds one of the roles."""
        return bool(self.held & frozenset(roles))

    def require(self, what: str, roles: frozenset[Role]) -> None:
        """Raise WrongRole unless the caller holds one of the roles."""
        if not self.held & roles:
            raise WrongRole(what, tuple(sorted(map(str, roles))))


def caller_of(person: Person) -> Caller:
    """The caller that a user's key identifies."""
    return Caller(person.id, person.roles, person.department, credential=person.key_prefix)


OPERATOR = Caller("operator", (str(Role.ADMIN), str(Role.AUTOMATION)), credential="machine")
"""Whoever runs commands on the machine that holds the data."""
