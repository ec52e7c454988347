"""What random people ask about money: payments in parts, back again, disputes by line, plans, waivers, legal."""

from collections.abc import Callable
from random import Random
from typing import Any

from models.deal_state import Deal
from models.instants import DAY, plus
from models.parts.receivable import Receivable
from models.policy import DEFAULT
from models.stages.accruing import INTEREST, uncharged
from tests.models.random_goods import pick

Payload = dict[str, Any]
Making = Callable[[Random, Deal, str], Payload]


def _invoice(rng: Random, deal: Deal, *wanted: Receivable) -> Receivable | None:
    found = wanted or deal.receivables
    return rng.choice(found) if found else None


def payment(rng: Random, deal: Deal, now: str) -> Payload:
    """A part, all, all less some charges, or too much; today or some days ago."""
    owed = _invoice(rng, deal, *(r for r in deal.receivables if r.open_minor))
    if owed is None:
        return {"invoice": "R-0", "amount_minor": 1, "received_on": "", "charges_minor": 0}
    charges = rng.choice((0, 0, 0, 1, min(500, owed.open_minor // 60), 2_000))
    amounts = (owed.open_minor - charges, max(1, owed.open_minor // 3), owed.open_minor + 700, 1)
    received = rng.choice(("", "", now[:10], plus(now, -3 * DAY)[:10], plus(now, DAY)[:10]))
    return {
        "invoice": owed.number,
        "amount_minor": pick(rng, max(1, rng.choice(amounts)), 0, -5),
        "received_on": received,
        "charges_minor": charges,
    }


def money_back(rng: Random, deal: Deal, now: str) -> Payload:
    """A payment of which a part, all, or more than ever came in goes back."""
    owed = _invoice(rng, deal, *(r for r in deal.receivables if r.reversible_minor))
    came = owed.reversible_minor if owed else 0
    return {"invoice": owed.number if owed else "R-0", "amount_minor": max(1, rng.choice((came, came // 2, came + 1)))}


def set_off(rng: Random, deal: Deal, now: str) -> Payload:
    """Credit of one invoice for another, a little too much now and then."""
    source = _invoice(rng, deal, *(r for r in deal.receivables if r.unapplied_minor))
    owed = _invoice(rng, deal, *(r for r in deal.receivables if r.collectable_minor > 0))
    most = min(source.unapplied_minor if source else 0, owed.collectable_minor if owed else 0)
    numbers = {"source": source.number if source else "R-0", "invoice": owed.number if owed else "R-1"}
    return {**numbers, "amount_minor": max(1, rng.choice((most, most, most // 2, most + 1)))}


def credit(rng: Random, deal: Deal, now: str) -> Payload:
    """A credit note on anything that can be credited, or a little more."""
    owed = _invoice(rng, deal)
    most = owed.creditable_minor if owed else 0
    return {"invoice": owed.number if owed else "R-0", "amount_minor": max(1, rng.choice((most, most // 2, most + 1)))}


def dispute(rng: Random, deal: Deal, now: str) -> Payload:
    """About an amount, or about lines of the invoice."""
    owed = _invoice(rng, deal, *(r for r in deal.receivables if r.collectable_minor > 0))
    if owed is None or not owed.lines or rng.random() < 0.4:
        part = owed.collectable_minor if owed else 1
        amount = max(1, rng.choice((part, part // 2)))
        return {"invoice": owed.number if owed else "R-0", "amount_minor": amount, "lines": [], "evidence": ""}
    line = rng.choice(owed.lines)
    amount = max(1, min(line.gross_minor, owed.collectable_minor) // rng.choice((1, 2)))
    named = [{"line": line.line, "amount_minor": amount}]
    return {"invoice": owed.number, "amount_minor": amount, "lines": named, "evidence": "photo 7"}


def plan(rng: Random, deal: Deal, now: str) -> Payload:
    """Two or three instalments of what is to be collected, or of something else."""
    owed = _invoice(rng, deal, *(r for r in deal.receivables if r.collectable_minor > 3))
    total = owed.collectable_minor if owed else 9
    parts = rng.choice((2, 3))
    first = total // parts
    amounts = [first] * (parts - 1) + [total - first * (parts - 1)]
    dates = [plus(now, (number + pick(rng, 1, -1)) * 20 * DAY) for number in range(parts)]
    instalments = [{"due_at": at, "amount_minor": m} for at, m in zip(dates, amounts, strict=True)]
    return {"invoice": owed.number if owed else "R-0", "instalments": instalments}


def waiver(rng: Random, deal: Deal, now: str) -> Payload:
    """Some of the interest that is owed, or a little more."""
    owing = [(r, r.open_minor if r.kind == INTEREST else uncharged(r, DEFAULT, now[:10])) for r in deal.receivables]
    owed, left = rng.choice([pair for pair in owing if pair[1]] or owing or [(None, 0)])
    return {"invoice": owed.number if owed else "R-0", "amount_minor": max(1, rng.choice((left, left // 2, left + 1)))}


def brought(rng: Random, deal: Deal, now: str) -> Payload:
    """An invoice of an earlier system, new or known, late or not, now and then with a wrong date."""
    known = [r.number for r in deal.receivables] or ["SAP-1"]
    number = pick(rng, f"SAP-{rng.randrange(10_000)}", rng.choice(known), "2026-000001", "")
    issued = plus(now, rng.choice((0, -10, -40, -400, 3)) * DAY)
    due = plus(issued, rng.choice((0, 14, 30, -1)) * DAY)
    return {"number": number, "amount_minor": rng.choice((5_000, 1)), "issued_on": issued[:10], "due_on": due[:10]}


def milestone(rng: Random, deal: Deal, now: str) -> Payload:
    """One of those that were agreed, reached or not, now and then another."""
    agreed = [each.name for each in deal.offer.milestones] if deal.offer else []
    return {"name": pick(rng, rng.choice(agreed or ["party"]), "party")}


def handing_over(rng: Random, deal: Deal, now: str) -> Payload:
    """An invoice that had its formal notice, if there is one."""
    owed = _invoice(rng, deal, *(r for r in deal.receivables if r.state == "formally_noticed"))
    return {"invoice": owed.number if owed else "R-0"}


MAKING: dict[str, Making] = {
    "record_payment": payment,
    "bring_invoice": brought,
    "reverse_payment": money_back,
    "grant_credit": credit,
    "set_off_credit": set_off,
    "reach_milestone": milestone,
    "dispute": dispute,
    "agree_plan": plan,
    "request_waiver": waiver,
    "request_legal": handing_over,
}

FIELDS = {
    "record_payment": ("invoice", "amount_minor", "currency", "received_on", "charges_minor"),
    "reverse_payment": ("invoice", "amount_minor", "currency", "reason"),
    "grant_credit": ("invoice", "amount_minor", "reason"),
    "set_off_credit": ("source", "invoice", "amount_minor"),
    "dispute": ("invoice", "amount_minor", "reason", "lines", "evidence"),
    "agree_plan": ("invoice", "instalments"),
    "bring_invoice": ("number", "amount_minor", "issued_on", "due_on"),
    "request_waiver": ("invoice", "amount_minor", "reason"),
    "request_legal": ("invoice",),
    "reach_milestone": ("name",),
    **dict.fromkeys(("approve_waiver", "decline_waiver", "approve_legal", "decline_legal"), ("reason",)),
}

_ASKED = {
    "approve_waiver": "waiver",
    "decline_waiver": "waiver",
    "approve_legal": "legal",
    "decline_legal": "legal",
}


def weight(deal: Deal, action: str) -> float | None:
    """How often an action about money is chosen; None for others."""
    if action in _ASKED:
        return 2.0 if deal.pending_approval(_ASKED[action]) else 0.05
    if action in ("take_over_account", "bring_invoice"):
        return 1.5 if deal.is_account else 0.0
    if action == "reverse_payment":
        return 0.5 if any(r.reversible_minor for r in deal.receivables) else 0.05
    if action in ("agree_plan", "request_waiver", "grant_credit"):
        return 0.6 if deal.receivables else 0.05
    if action == "reach_milestone":
        return 0.5 if deal.offer and deal.offer.milestones else 0.05
    if action == "set_off_credit":
        return 2.0 if any(r.unapplied_minor for r in deal.receivables) else 0.02
    return 0.1 if action == "request_legal" else None
