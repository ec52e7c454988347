"""Finds split concessions: each within somebody's authority, and together beyond it (D12).

A share (a discount and what was credited later) is measured against the value at list prices, an amount (a claim that
was given up, a contract that was signed) against the largest that the person may decide alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.conflicts import Done, Finding
from models.instants import DAY, plus
from models.money import ratio_bps

PERIODS = {"discount": 365 * DAY, "write_off": 365 * DAY, "waiver": 365 * DAY, "signature": 30 * DAY}
"""For how many seconds concessions of a kind are added up."""

_WHY = {
    "discount": "discounts and credits that one person may give, each for itself, are together more than that",
    "write_off": "claims were given up in parts, each within the authority of one person, together beyond it",
    "waiver": "interest was waived in parts, each within the authority of one person, together beyond it",
    "signature": "contracts were signed one by one, each within the authority of one person, together beyond it",
}


@dataclass(frozen=True, slots=True)
class Concession:
    """Somebody gave `amount_minor` to a customer on their own authority. For a share `base_minor` is the deal's value
    at list prices and `limit` in basis points; else `base_minor` is 0 and `limit` in minor units."""

    kind: str
    case: str
    customer: str
    currency: str
    at: str
    who: str
    amount_minor: int
    limit: int
    base_minor: int = 0
    on_behalf_of: str = ""
    activity: str = ""
    where: str = ""


def splits(concessions: Iterable[Concession]) -> list[Finding]:
    """Per person and deal, and per person, customer and period: what was within authority only piece by piece."""
    groups: dict[tuple[str, ...], list[Concession]] = defaultdict(list)
    for each in sorted(concessions, key=lambda given: given.at):
        if each.limit > 0 and _share([each]) <= each.limit:
            person = each.on_behalf_of or each.who
            groups[each.kind, person, each.currency, f"deal:{each.case}"].append(each)
            groups[each.kind, person, each.currency, f"customer:{each.customer}"].append(each)
    found: dict[tuple[Concession, ...], Finding] = {}
    for (kind, person, _, about), given in groups.items():
        for together in _windows(given, PERIODS[kind]):
            found.setdefault(tuple(together), _finding(kind, person, about, together))
    return list(found.values())


def _windows(given: Sequence[Concession], period: int) -> Iterable[list[Concession]]:
    """Runs of concessions within a period that are together beyond the limit; none stands in two of them."""
    window: list[Concession] = []
    for each in given:
        window = [*(before for before in window if before.at > plus(each.at, -period)), each]
        if len(window) > 1 and _share(window) > max(one.limit for one in window):
            yield window
            window = []


def _share(given: Sequence[Concession]) -> int:
    """What was given: basis points of the deals' values, or minor units."""
    amount = sum(each.amount_minor for each in given)
    values = {each.case: each.base_minor for each in given}
    return ratio_bps(amount, sum(values.values())) if any(values.values()) else amount


def _finding(kind: str, person: str, about: str, together: Sequence[Concession]) -> Finding:
    limit = max(each.limit for each in together)
    of_list = any(each.base_minor for each in together)
    told = f"{_share(together) / 100:.2f} % of {limit / 100:.2f} %" if of_list else f"{_share(together)} of {limit}"
    acts = tuple(Done(each.where, each.at, each.activity, each.who, each.on_behalf_of) for each in together)
    unit = "" if of_list else f" {together[0].currency} minor units"
    why = f"{_WHY[kind]}: {told}{unit}"
    case = together[-1].case
    return Finding(f"split_{kind}", "medium", False, case, about, (person,), "the same person", acts, why)
