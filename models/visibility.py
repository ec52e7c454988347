"""Who sees which deals (domain, D2): own, their department's, all, or none."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from models.lifecycle.roles import SEES_ALL, SEES_DEPARTMENT, Role


@dataclass(frozen=True, slots=True)
class Scope:
    """The deals that a person sees; what is outside of it looks as if it did not exist."""

    kind: Literal["none", "own", "department", "all"]
    user: str
    department: str

    def covers(self, owner: str, department: str) -> bool:
        """Whether a deal of this owner and department is inside."""
        if self.kind == "department":
            return department == self.department or owner == self.user
        return self.kind == "all" or (self.kind == "own" and owner == self.user)


EVERYTHING = Scope("all", "", "")
"""What the engine itself and the operator at the command line see."""


def scope_of(roles: Iterable[Role | str], user: str, department: str) -> Scope:
    """The widest scope that one of the roles gives. An admin acts on no deals and sees none."""
    held = {Role(role) for role in roles}
    if held & SEES_ALL or Role.SYSTEM in held:
        return Scope("all", user, department)
    if held & SEES_DEPARTMENT and department:
        return Scope("department", user, department)
    return Scope("own" if held - {Role.ADMIN} else "none", user, department)
