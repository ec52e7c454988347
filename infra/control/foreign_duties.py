"""What the events of another system's log are to us: acts that are part of a duty, and concessions with limits."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import get_args

from infra.control.event_logs import LogEvent
from models.concessions import PERIODS, Concession
from models.conflicts import DutyEvent
from models.duties import DUTIES, DUTY_OF, Scope

_KINDS = tuple(kind for kind in get_args(Scope) if kind != "deal")
_MACHINES = frozenset({"system", "automation", "engine", "robot", "batch"})
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


class UnknownDuty(ValueError):
    """A mapping names something that is none of our acts and duties."""


def mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Activity to duty, from pairs such as `Create Purchase Order=order_entry`. Raises UnknownDuty."""
    found: dict[str, str] = {}
    for pair in pairs:
        activity, separator, meant = pair.rpartition("=")
        duty = DUTY_OF.get(meant.strip(), meant.strip())
        if not separator or not activity.strip() or duty not in DUTIES:
            raise UnknownDuty(f"{pair[:80]!r} is not like ACTIVITY=DUTY; duties: {', '.join(DUTIES)}")
        found[_plain(activity)] = duty
    return found


def duty_event_of(event: LogEvent, duties: Mapping[str, str]) -> DutyEvent | None:
    """The event as an act that belongs to a duty; None when nobody said which, and its name is none of our acts'."""
    name = _plain(event.activity)
    duty = duties.get(name) or DUTY_OF.get(name) or (name if name in DUTIES else "")
    if not duty:
        return None
    return DutyEvent(
        case=event.case,
        activity=event.activity,
        resource=event.resource,
        at=event.at,
        on_behalf_of=event.on_behalf_of,
        where=f"line {event.line}",
        objects=tuple(f"{kind}:{_told(event, kind) or event.case}" for kind in _KINDS),
        is_machine=event.resource.casefold() in _MACHINES or _told(event, "org:role").casefold() in _MACHINES,
        executed=_told(event, "executed_hash"),
        relied_on=tuple(_told(event, "approved_hash").split()),
        duty=duty,
    )


def concession_of(event: LogEvent) -> Concession | None:
    """What the event gave on somebody's own authority: it says `amount` and `limit`, and `list` when the limit is a
    share in percent. None when it does not, or nobody is named."""
    amount, limit = _hundredths(event, "amount"), _hundredths(event, "limit")
    if not event.resource or amount <= 0 or limit <= 0:
        return None
    base = _hundredths(event, "list")
    kind = _told(event, "kind")
    return Concession(
        kind=kind if kind in PERIODS else ("discount" if base else "write_off"),
        case=event.case,
        customer=_told(event, "customer") or event.case,
        currency=_told(event, "currency"),
        at=event.at,
        who=event.resource,
        amount_minor=amount,
        limit=limit,
        base_minor=base,
        on_behalf_of=event.on_behalf_of,
        activity=event.activity,
        where=f"line {event.line}",
    )


def _hundredths(event: LogEvent, name: str) -> int:
    told = _told(event, name)
    if not told:
        return 0
    try:
        value = Decimal(told)
        return int(value.scaleb(2)) if value.is_finite() else 0
    except (InvalidOperation, OverflowError):
        return 0


def _told(event: LogEvent, name: str) -> str:
    return event.attributes.get(name) or event.attributes.get(f"case:{name}") or ""


@lru_cache(maxsize=4096)
def _plain(activity: str) -> str:
    return _NOT_A_WORD.sub("_", activity.casefold()).strip("_")
