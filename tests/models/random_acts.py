"""What random people ask of a deal: mostly sensible requests for its state, some nonsense."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

from models.command import Actor
from models.deal_state import Deal
from models.instants import DAY, HOUR, plus
from models.lifecycle.machines import DEALS
from models.lifecycle.roles import Role
from models.stages.prospecting import LossReason
from models.stages.support import Cause, Remedy
from tests.models import random_goods, random_money
from tests.models.world import PEOPLE

Payload = dict[str, Any]
Making = Callable[[Random, Deal, str], Payload]

CROWD = (
    *PEOPLE.values(),
    Actor("u-both", ("account_manager", "head_of_sales", "legal")),
    Actor("u-account_manager", ("account_manager", "head_of_sales", "commercial_director")),
    Actor("u-deputy", ("head_of_sales",), on_behalf_of="u-account_manager"),
    Actor("u-deputy", ("account_manager",), on_behalf_of="u-head_of_sales"),
    Actor("u-second", ("head_of_sales", "commercial_director", "legal", "risk_officer")),
)
ARTICLES = ("A-1", "A-2", "B-1", "unknown-1")
JUMPS = (0, HOUR, DAY, 3 * DAY, 8 * DAY, 40 * DAY, 200 * DAY)
AMOUNTS = (-1, 0, 1, 50, 5_000, 59_500, 10**14, 10**14 + 1, 10**30)
DAYS = ("", "2026-01-06", "2026-02-01", "2027-01-01", "20260201", "2026-W01-1", "9999-12-31", "soon")
INSTANTS = ("2020-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-01 10:00", "0001-01-01T00:00:00+14:00", "")
JUNK: tuple[Any, ...] = (None, True, 1.5, math.nan, -1, 10**30, "", "\x00", "ü" * 300, [], [1], {}, {"a": 1}, [[]])
RARE = frozenset(
    {
        *("lose", "cancel", "reject", "close_short", "recheck_reliability", "counter", "cancel_line"),
        *("hold", "note", "adopt_policy", "reassign", "record_feedback", "object", "raise_disagreement"),
    }
)
"""Actions that end a deal, lead it back or change little: chosen less often, so that deals get far."""


def somebody(rng: Random, deal: Deal, action: str, crowd: tuple[Actor, ...] = CROWD) -> Actor:
    """Usually a person whose role the table allows, now and then anybody."""
    row = DEALS.table.row(deal.state, action)
    able = [actor for actor in crowd if row and set(actor.roles) & row.roles]
    return rng.choice(able) if able and rng.random() < 0.9 else rng.choice(crowd)


def something(rng: Random, deal: Deal) -> str:
    """Usually an action that people may take in the deal's state, now and then any."""
    exits = [a for a in DEALS.table.exits[deal.state] if DEALS.table.index[(deal.state, a)].roles - {Role.SYSTEM}]
    if not exits or rng.random() < 0.05:
        return rng.choice(DEALS.table.actions)
    return rng.choices(exits, [_weight(deal, action) for action in exits])[0]


def _weight(deal: Deal, action: str) -> float:
    about_goods = random_goods.weight(deal, action)
    if about_goods is not None:
        return about_goods
    about_money = random_money.weight(deal, action)
    if about_money is not None:
        return about_money
    if action == "resume":
        return 5.0 if deal.holds else 0.1
    if action.endswith("_case") and action != "open_case":
        return 2.0 if deal.cases else 0.1
    if action.endswith("_write_off"):
        return 1.0 if deal.pending_approval("write_off") else 0.3
    return 0.1 if action in RARE else 1.0


def payload(rng: Random, deal: Deal, action: str, now: str) -> Payload:
    """Usually the payload that belongs to the action, now and then with a field spoilt, missing or added."""
    special = _SPECIAL.get(action)
    known = {**_usual(rng, deal, now), **(special(rng, deal, now) if special else {})}
    made = {name: known[name] for name in FIELDS.get(action, ())}
    spoil = rng.random()
    if made and spoil < 0.04:
        made[rng.choice(sorted(made))] = rng.choice(JUNK)
    elif made and spoil < 0.06:
        del made[rng.choice(sorted(made))]
    elif spoil < 0.08:
        made[rng.choice(("", "surprise", "__class__"))] = rng.choice(JUNK)
    return made


def _mostly(rng: Random, good: Any, *bad: Any) -> Any:
    """The good value four times out of five, else one of the others."""
    return good if not bad or rng.random() < 0.8 else rng.choice(bad)


def _usual(rng: Random, deal: Deal, now: str) -> Payload:
    invoice = rng.choice([r.number for r in deal.receivables] or ["R-0"])
    owed = deal.receivable(invoice)
    opened = max(1, owed.collectable_minor if owed else 1)
    part = rng.choice((opened, opened, max(1, opened // 3)))
    lines = [line.line for line in deal.order.lines if line.open] if deal.order else []
    disputes = [d.number for d in owed.disputes if not d.settled] if owed else []
    cases = [case.number for case in deal.cases if case.state != "closed"]
    return {
        "reason": _mostly(rng, "because", ""),
        "hold": _mostly(rng, rng.choice(deal.holds or ("legal",)), "no name", "credit"),
        "owner": _mostly(rng, "u-account_manager", "u-head_of_sales", "u-second", ""),
        "text": rng.choice(("", "fine", "Grüße", "注意")),
        "invoice": _mostly(rng, invoice, "R-0"),
        "line": _mostly(rng, rng.choice(lines or [1]), 99, -1),
        "amount_minor": _mostly(rng, part, *AMOUNTS),
        "case": _mostly(rng, rng.choice(cases or [1]), 7),
        "dispute": _mostly(rng, rng.choice(disputes or [1]), 7),
        "credit_minor": rng.choice((0, 1, 500, part, part, *AMOUNTS)),
        "until": _mostly(rng, plus(now, rng.choice((5, 90)) * DAY), *INSTANTS),
        "currency": _mostly(rng, "EUR", "EUR", "CHF"),
        "channel": _mostly(rng, "email", ""),
        "special_clauses": rng.choice(([], [], ["delivery on Sundays"])),
        "quantity": _mostly(rng, 5, 0, 10**10),
        "version": _mostly(rng, "2026.4", "2026.3", "none"),
    }


def _offer(rng: Random, deal: Deal, now: str) -> Payload:
    prices = (-1, -1, 10_000, 9_700, 9_600, 8_800, 7_600, 12_000)
    lines = [
        {
            "article": rng.choice(ARTICLES[:3]),
            "quantity": rng.choice((1, 5, 12, 40)),
            "unit_price_minor": _mostly(rng, rng.choice(prices), 7_000, 0),
        }
        for _ in range(_mostly(rng, rng.randint(1, 3), 0))
    ]
    if lines:
        lines[-1]["article"] = _mostly(rng, lines[-1]["article"], ARTICLES[3])
    valid_until = _mostly(rng, rng.choice(("", plus(now, 20 * DAY))), *INSTANTS)
    return {"lines": lines, "valid_until": valid_until, "payment_days": _mostly(rng, -1, 0, 14, 365, 366)}


def _case(rng: Random, deal: Deal, now: str) -> Payload:
    remedy = rng.choice(list(Remedy))
    none = {"credit_minor": 0, "invoice": ""}
    return {"decision": str(remedy), "measure": "x", **({} if remedy is Remedy.CREDIT else none)}


def _complaint(rng: Random, deal: Deal, now: str) -> Payload:
    arrived = [line.line for line in deal.order.lines if line.delivered] if deal.order else []
    return {"lines": _mostly(rng, arrived[:2], [], [7]), "cause": str(rng.choice(list(Cause)))}


def _signature(rng: Random, deal: Deal, now: str) -> Payload:
    side = rng.choice(("ours", "theirs"))
    return {"side": _mostly(rng, side, "nobody's"), "digest": _mostly(rng, deal.contract and deal.contract.digest, "0")}


def _clause(rng: Random, deal: Deal, now: str) -> Payload:
    opened = [d.clause for d in deal.contract.disagreements if not d.resolution] if deal.contract else []
    both = {"our_position": "a", "their_position": "b", "resolution": "c"}
    return {"clause": _mostly(rng, rng.choice(opened or ["7"]), "9", ""), **both}


_SPECIAL: dict[str, Making] = {
    "log_contact": lambda rng, deal, now: {"channel": "call", "outcome": "fine"},
    "record_needs": lambda rng, deal, now: {
        "what": "pumps", "wanted_by": rng.choice(DAYS[:4]), "budget_minor": _mostly(rng, 5_000, *AMOUNTS)
    },
    "lose": lambda rng, deal, now: {
        "reason": str(rng.choice(list(LossReason))), "competitor": rng.choice(("", "Acme"))
    },
    "approve_reliability": lambda rng, deal, now: {
        "credit_limit_minor": _mostly(rng, 5_000_000, *AMOUNTS), "payment_days": _mostly(rng, 14, 0, 400)
    },
    "draft_offer": _offer,
    "object": lambda rng, deal, now: {"cause": "price", "answer": "quality"},
    "counter": lambda rng, deal, now: {"wanted_total_minor": rng.choice(AMOUNTS)},
    "raise_disagreement": _clause,
    "settle_disagreement": _clause,
    "sign": _signature,
    "record_feedback": lambda rng, deal, now: {"satisfaction": rng.randint(0, 6)},
    "open_case": _complaint,
    "decide_case": _case,
    **random_goods.MAKING,
    **random_money.MAKING,
}  # fmt: skip

FIELDS: dict[str, tuple[str, ...]] = {
    "hold": ("hold", "reason"),
    "resume": ("hold", "reason"),
    "reassign": ("owner",),
    "note": ("text",),
    "adopt_policy": ("version", "reason"),
    "log_contact": ("channel", "outcome"),
    "record_needs": ("what", "quantity", "wanted_by", "budget_minor"),
    "lose": ("reason", "competitor"),
    "approve_reliability": ("credit_limit_minor", "payment_days", "reason"),
    "draft_offer": ("lines", "valid_until", "payment_days"),
    "object": ("cause", "answer"),
    "counter": ("wanted_total_minor", "text"),
    "redraft_contract": ("special_clauses",),
    "raise_disagreement": ("clause", "our_position", "their_position"),
    "settle_disagreement": ("clause", "resolution"),
    "sign": ("side", "digest"),
    "settle_dispute": ("invoice", "dispute", "credit_minor", "reason"),
    "promise_to_pay": ("invoice", "amount_minor", "until"),
    "request_write_off": ("invoice", "reason"),
    "credit": ("invoice", "amount_minor", "reason"),
    "record_feedback": ("satisfaction", "text"),
    "open_case": ("lines", "cause"),
    "decide_case": ("case", "decision", "measure", "invoice", "credit_minor"),
    "close_case": ("case",),
    **random_goods.FIELDS,
    **random_money.FIELDS,
    **dict.fromkeys(
        (
            "confirm_reliability", "recheck_reliability", "reject", "request_approval", "approve_offer",
            "decline_offer", "approve_contract", "return_contract", "close_short", "cancel",
            "approve_write_off", "decline_write_off",
        ),
        ("reason",),
    ),
}  # fmt: skip
