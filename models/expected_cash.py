"""What money is expected in which ISO week, reckoned from promises, payment plans and how late each customer pays."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby

from models.instants import DAY
from models.policy import Policy
from models.receivable_accounts import Account, Promised


class Basis(StrEnum):
    """Why money is expected on a day, or on none."""

    PROMISE = "promise"
    INSTALMENT = "instalment"
    HABIT = "habit"
    DISPUTED = "disputed"
    LEGAL = "legal"


PROMISED = (Basis.PROMISE, Basis.INSTALMENT)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what an invoice owes: expected `on` a day (ISO date), or on none (empty)."""

    basis: Basis
    on: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Week:
    """What is expected in an ISO week (`2026-W47`, from its Monday), and the part of it that somebody promised."""

    name: str
    monday: str
    expected_minor: int = 0
    promised_minor: int = 0


@dataclass(frozen=True, slots=True)
class ExpectedCash:
    """The forecast in one currency: open = all weeks + later + uncertain + legal.

    `later_minor` comes after the last week, `uncertain_minor` is disputed, `legal_minor` is with legal.
    """

    currency: str
    open_minor: int
    weeks: tuple[Week, ...]
    later_minor: int
    uncertain_minor: int
    legal_minor: int


def usual_days(policy: Policy) -> int:
    """Days after the due day on which a customer is expected to pay of whom nobody knows anything yet: when the policy
    sends the first reminder that follows the due day; 0 when it sends none."""
    after = [rung.after for rung in policy.ladder if rung.letter and rung.after > 0]
    return min(after) // DAY if after else 0


def shares(account: Account, day: str, days_late: int) -> Iterator[Share]:
    """What an invoice owed at the end of a day, cut by when it is expected; the parts add up to what was open.

    Disputed money is expected on no day. Of the rest, what is left of promises and instalments comes on their days;
    the others go to legal when the invoice is there, or come `days_late` after the due day. Nothing comes before `day`.
    """
    disputed = account.disputed_on(day)
    left = account.open_on(day) - disputed
    if disputed:
        yield Share(Basis.DISPUTED, "", disputed)
    for promise, unpaid in _unpaid(account, day):
        part = min(left, unpaid)
        if part:
            left -= part
            yield Share(Basis(promise.kind), max(day, promise.until[:10]), part)
    if not left:
        return
    if account.is_with_legal(day):
        yield Share(Basis.LEGAL, "", left)
    else:
        usual = date.fromisoformat(account.invoice.due_on) + timedelta(days=days_late)
        yield Share(Basis.HABIT, max(day, usual.isoformat()), left)


def _unpaid(account: Account, day: str) -> Iterator[tuple[Promised, int]]:
    """The running promises and instalments, the earliest first, and what is unpaid of each: what came in since they
    were agreed fills the first one first."""
    running = sorted(account.promises_on(day), key=lambda each: (each.kind, each.number, each.part))
    found: list[tuple[Promised, int]] = []
    for _, parts in groupby(running, key=lambda each: (each.kind, each.number)):
        together = list(parts)
        kept = account.kept_of(together[0], day)
        for each in together:
            filled = min(kept, each.amount_minor)
            kept -= filled
            found.append((each, each.amount_minor - filled))
    return iter(sorted(found, key=lambda one: (one[0].until, one[0].kind, one[0].number, one[0].part)))


def iso_week(day: str) -> str:
    """The ISO 8601 week of a day, such as ``2026-W47``."""
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02d}"


def expected_cash(
    accounts: Iterable[Account], day: str, weeks: int, habits: Mapping[str, int], usual: int
) -> list[ExpectedCash]:
    """The forecast at the end of a day for so many ISO weeks, that of the day first; per currency.

    `habits` are the median days late per customer (`models.receivable_reports`), `usual` those of a customer without
    any.
    """
    amounts: dict[str, Counter[tuple[str, str]]] = {}
    for account in accounts:
        invoice = account.invoice
        late = habits.get(invoice.customer, usual)
        for share in shares(account, day, late):
            place = "promised" if share.basis in PROMISED else str(share.basis)
            amounts.setdefault(invoice.currency, Counter())[place, share.on] += share.amount_minor
    return [_forecast(currency, found, day, weeks) for currency, found in sorted(amounts.items())]


def _forecast(currency: str, amounts: Counter[tuple[str, str]], day: str, weeks: int) -> ExpectedCash:
    today = date.fromisoformat(day)
    monday = today - timedelta(days=today.weekday())
    mondays = [(monday + timedelta(weeks=n)).isoformat() for n in range(weeks + 1)]
    in_week, promised, apart, later = Counter[str](), Counter[str](), Counter[str](), 0
    for (place, on), amount in amounts.items():
        if not on:
            apart[place] += amount
        elif on >= mondays[-1]:
            later += amount
        else:
            at = date.fromisoformat(on)
            start = (at - timedelta(days=at.weekday())).isoformat()
            in_week[start] += amount
            promised[start] += amount if place == "promised" else 0
    return ExpectedCash(
        currency,
        amounts.total(),
        tuple(Week(iso_week(start), start, in_week[start], promised[start]) for start in mondays[:-1]),
        later,
        apart[Basis.DISPUTED],
        apart[Basis.LEGAL],
    )
