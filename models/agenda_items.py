"""What an agenda consists of: items with who is waited for until when, and groups of roles that several name."""

from dataclasses import dataclass, field
from typing import Any

from models.lifecycle.roles import SALES, Role


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """Something that is due at an instant. `action` is what the engine then does; empty when only people can act.

    `roles` (and `person`, when one is known) are who is waited for.
    """

    key: str
    due_at: str
    kind: str
    roles: tuple[str, ...]
    person: str = ""
    action: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    note: str = ""


OWNER_ROLES = tuple(sorted(SALES))
HEAD = (str(Role.HEAD_OF_SALES),)
LOGISTICS = (str(Role.LOGISTICS_MANAGER),)
RECEIVABLE_ROLES = (str(Role.ACCOUNTS_RECEIVABLE),)


def due_item(
    key: str, due_at: str, kind: str, roles: tuple[str, ...], action: str, person: str = "", note: str = ""
) -> AgendaItem:
    """An item on which the engine acts with the item's key as payload."""
    return AgendaItem(key, due_at, kind, roles, person, action, {"item": key}, note)
