"""What a policy must be before any deal may live by it: numbers within bounds, ladders that can be climbed, roles and
letters that this release knows. A deal that met numbers without sense would stand still for ever."""

from collections.abc import Iterator
from datetime import date

from models.lifecycle.machines import DEALS, RECEIVABLES
from models.lifecycle.roles import PERSONS, Role
from models.money import BPS, MAX_MINOR
from models.policy import DEFAULT, GOODS, SPINE, Policy

RULES_KNOWN = DEFAULT.rules
"""The latest generation of the rules that this release knows."""

LONGEST = 10 * 366 * 86_400
"""No duration of a policy is longer than ten years, in seconds."""

LETTERS = frozenset(rung.letter for each in (SPINE, GOODS, DEFAULT) for rung in each.ladder) | {""}
GRADES = ("A", "B", "C", "D", "E")
ANSWERING = PERSONS - {Role.AUDITOR, Role.ADMIN, Role.AUTOMATION}
"""Roles that can be asked about missing goods."""

Flaw = tuple[str, str]
_DURATIONS = (
    "offer_validity",
    "offer_validity_max",
    "approval_deadline",
    "reservation_validity",
    "headroom_validity",
    "shortage_answer",
    "shortage_escalation",
    "follow_up_after",
    "support_window",
    "complaint_deadline",
    "discrepancy_deadline",
    "amendment_deadline",
)


def flaws(policy: Policy) -> dict[str, str]:
    """What is wrong with a policy, by the path of the number; nothing when deals can live by it."""
    found: dict[str, str] = {}
    for judge in (_rules, _deadlines, _durations, _authority, _reliability, _ladder, _shortage, _money, _interest):
        for where, why in judge(policy):
            found.setdefault(where, why)
    return found


def _bounded(where: str, value: int, least: int, most: int) -> Iterator[Flaw]:
    if not least <= value <= most:
        yield where, f"must be from {least} to {most}"


def _rules(policy: Policy) -> Iterator[Flaw]:
    if not 1 <= policy.rules <= RULES_KNOWN:
        yield "rules", f"this release knows the rules of the generations 1 to {RULES_KNOWN}"


def _deadlines(policy: Policy) -> Iterator[Flaw]:
    open_states = {str(state) for state in DEALS.table.states if state not in DEALS.table.terminal}
    for state in sorted(open_states - set(policy.deadlines)):
        yield f"deadlines.{state}", "every open state of a deal has a deadline"
    for state, limit in policy.deadlines.items():
        if state not in open_states:
            yield f"deadlines.{state}", "no open state of a deal has this name"
        elif not 0 < limit.remind <= limit.escalate <= LONGEST:
            yield f"deadlines.{state}", f"needs 0 < remind <= escalate <= {LONGEST} seconds"


def _durations(policy: Policy) -> Iterator[Flaw]:
    for name in _DURATIONS:
        yield from _bounded(name, getattr(policy, name), 1, LONGEST)
    if policy.offer_validity > policy.offer_validity_max:
        yield "offer_validity", "is longer than offer_validity_max"
    yield from _bounded("lines_max", policy.lines_max, 1, 500)
    yield from _bounded("discrepancy_tolerance_bps", policy.discrepancy_tolerance_bps, 0, BPS)


def _authority(policy: Policy) -> Iterator[Flaw]:
    yield from _bounded("margin_floor", policy.margin_floor, 0, BPS)
    matrices = (
        ("discount_authority", policy.discount_authority, BPS),
        ("signing_authority", policy.signing_authority, MAX_MINOR),
        ("write_off_authority", policy.write_off_authority, MAX_MINOR),
        ("money.waiver", policy.money.waiver, MAX_MINOR),
        ("money.legal", policy.money.legal, MAX_MINOR),
    )
    for where, limits, most in matrices:
        for role, limit in limits.items():
            if role not in PERSONS:
                yield f"{where}.{role}", "there is no such role"
            yield from _bounded(f"{where}.{role}", limit, 0, most)
    for where, limits, _ in matrices[:3]:
        if not limits:
            yield where, "somebody must have the authority"


def _reliability(policy: Policy) -> Iterator[Flaw]:
    rules = policy.reliability
    weights = ("weight_identity", "weight_financials", "weight_history", "weight_age", "weight_exposure")
    for name in weights:
        yield from _bounded(f"reliability.{name}", getattr(rules, name), 0, BPS)
    if sum(getattr(rules, name) for name in weights) != BPS:
        yield "reliability.weight_identity", f"the weights must add up to {BPS}"
    if rules.z_safe <= rules.z_distress:
        yield "reliability.z_safe", "must be above z_distress"
    if not 1000 >= rules.class_a > rules.class_b > rules.class_c > rules.class_d >= 0:
        yield "reliability.class_a", "class limits fall from A to D, within 1000 and 0"
    yield from _bounded("reliability.valid_for", rules.valid_for, 1, LONGEST)
    for name, most in (("limit_by_class", MAX_MINOR), ("terms_days_by_class", 365)):
        limits: dict[str, int] = getattr(rules, name)
        if sorted(limits) != list(GRADES):
            yield f"reliability.{name}", f"needs the classes {', '.join(GRADES)} and no others"
        for grade, limit in limits.items():
            yield from _bounded(f"reliability.{name}.{grade}", limit, 0, most)


def _ladder(policy: Policy) -> Iterator[Flaw]:
    state, after = RECEIVABLES.table.initial, -LONGEST
    for place, rung in enumerate(policy.ladder):
        row = RECEIVABLES.table.row(state, rung.action)
        if rung.action not in RECEIVABLES.table.actions or (row and not row.roles <= {Role.SYSTEM}):
            yield f"ladder[{place}].action", f"there is no rung {rung.action!r}"
        elif row is None:
            yield f"ladder[{place}].action", f"{rung.action} can't follow when an invoice is {state}"
        else:
            state = row.target_from(state)
        if not after < rung.after <= LONGEST:
            yield f"ladder[{place}].after", "each rung comes later than the one before"
        if rung.letter not in LETTERS:
            yield f"ladder[{place}].letter", f"there is no letter {rung.letter!r}"
        after = rung.after
    actions = [rung.action for rung in policy.ladder]
    for where, wanted in (("credit_hold_from", policy.credit_hold_from), *_claims(policy)):
        if wanted not in actions:
            yield where, f"the ladder has no rung {wanted!r}"


def _claims(policy: Policy) -> Iterator[Flaw]:
    if policy.interest.rates:
        yield "interest.from_rung", policy.interest.from_rung


def _shortage(policy: Policy) -> Iterator[Flaw]:
    desk = policy.shortage
    if policy.rules >= 2 and not desk.ladder:
        yield "shortage.ladder", "these rules need a shortage ladder"
    for place, rung in enumerate(desk.ladder):
        yield from _bounded(f"shortage.ladder[{place}].answer", rung.answer, 1, LONGEST)
        if rung.role not in ANSWERING:
            yield f"shortage.ladder[{place}].role", f"nobody can be asked as {rung.role!r}"
        if _goes_round(policy, rung.name):
            yield f"shortage.ladder[{place}].next", "the ladder comes back to this rung and never ends"
    for name in ("delay_bps", "cancel_bps", "buy_in_bps", "production_bps"):
        yield from _bounded(f"shortage.{name}", getattr(desk, name), 0, 10 * BPS)
    yield from _bounded("shortage.partial_cost_minor", desk.partial_cost_minor, 0, MAX_MINOR)
    for name in ("buy_in_days", "handling_days"):
        yield from _bounded(f"shortage.{name}", getattr(desk, name), 0, 365)
    for name in ("recheck", "grace"):
        yield from _bounded(f"shortage.{name}", getattr(desk, name), 1, LONGEST)
    unknown = set(desk.chosen_by_policy) - {"wait", "partial", "buy_in", "production", "analogue"}
    if unknown:
        yield "shortage.chosen_by_policy", f"there is no option {', '.join(sorted(unknown))}"


def _goes_round(policy: Policy, name: str) -> bool:
    seen, at = {name}, policy.shortage.rung(name)
    while at is not None and at.next:
        if at.next in seen:
            return at.next == name
        seen.add(at.next)
        at = policy.shortage.rung(at.next)
    return False


def _money(policy: Policy) -> Iterator[Flaw]:
    money = policy.money
    for name in ("legal_again", "dispute_answer", "promise_longest"):
        yield from _bounded(f"money.{name}", getattr(money, name), 1, LONGEST)
    for name in ("instalment_grace", "letter_gap"):
        yield from _bounded(f"money.{name}", getattr(money, name), 0, LONGEST)
    for name in ("charges_bps", "discount_bps"):
        yield from _bounded(f"money.{name}", getattr(money, name), 0, BPS)
    yield from _bounded("money.discount_days", money.discount_days, 0, 365)
    yield from _per_currency("money.charges_minor", money.charges_minor)


def _interest(policy: Policy) -> Iterator[Flaw]:
    interest = policy.interest
    for place, rate in enumerate(interest.rates):
        yield from _bounded(f"interest.rates[{place}].bps", rate.bps, -BPS, 10 * BPS)
        if not _is_day(rate.since):
            yield f"interest.rates[{place}].since", "a day looks like 2026-01-01"
    yield from _bounded("interest.margin_bps", interest.margin_bps, 0, 10 * BPS)
    yield from _bounded("interest.least_minor", interest.least_minor, 0, MAX_MINOR)
    yield from _bounded("interest.payment_days", interest.payment_days, 0, 365)
    yield from _per_currency("interest.fee_minor", interest.fee_minor)
    for country, days in policy.holidays.items():
        if wrong := next((day for day in days.split() if not _is_day(day)), ""):
            yield f"holidays.{country}", f"{wrong[:20]!r} is no day such as 2026-01-01"


def _per_currency(where: str, amounts: dict[str, int]) -> Iterator[Flaw]:
    for currency, amount in amounts.items():
        if len(currency) != 3 or not (currency.isascii() and currency.isalpha() and currency.isupper()):
            yield f"{where}.{currency}", "currencies are named as in ISO 4217"
        yield from _bounded(f"{where}.{currency}", amount, 0, MAX_MINOR)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
