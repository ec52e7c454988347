"""The registry of guards: named conditions with a sentence each, and the roles or acts that can lift them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.errors import Verdict

Check = Callable[[Any], tuple[bool, Any]]


@dataclass(frozen=True, slots=True)
class Guard:
    """A named condition. `check(context)` gives (holds, value found) or (holds, value found, lifted_by).

    `needs` says what must be known to judge it: "" the deal alone, "payload", or the name of a fact. `since` is the
    generation of the rules (`Policy.rules`) that brought it: deals under earlier ones are not judged by it, unless it
    `refuses_older`: then it stops what they do not know, and is not on record when it holds. `counts` is the kind of
    approval that it may rely on.
    """

    name: str
    needed: str
    lifted_by: tuple[str, ...]
    needs: str
    check: Callable[[Any], tuple[Any, ...]]
    since: int = 1
    refuses_older: bool = False
    counts: str = ""

    def judge(self, context: Any) -> Verdict | None:
        """The verdict, or None when what it needs is not known (yet)."""
        if self.needs == "payload" and context.payload is None:
            return None
        if self.needs not in ("", "payload") and getattr(context.facts, self.needs) is None:
            return None
        ok, found, *lifted_by = self.check(context)
        return Verdict(self.name, ok, str(found), self.needed, lifted_by[0] if lifted_by else self.lifted_by)


GUARDS: dict[str, Guard] = {}


def guard(
    needed: str, *lifted_by: str, needs: str = "", since: int = 1, refuses_older: bool = False, counts: str = ""
) -> Callable[[Callable[[Any], tuple[Any, ...]]], Callable[[Any], tuple[Any, ...]]]:
    """Register a check under its function's name. Raises ValueError when the name is taken."""

    def register(check: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], tuple[Any, ...]]:
        name = check.__name__
        if name in GUARDS:
            raise ValueError(f"guard {name} is registered twice")
        GUARDS[name] = Guard(name, needed, lifted_by, needs, check, since, refuses_older, counts)
        return check

    return register
