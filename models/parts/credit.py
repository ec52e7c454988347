"""Reliability: a score with every component's input, weight and contribution, and what follows from its class."""

from dataclasses import dataclass

from models.instants import DAY, between, plus
from models.messages.finance import Financials, ReliabilityFacts
from models.policy import Policy, ReliabilityPolicy


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the score: points of 1000, weighted in basis points. `input` is what was found, in words."""

    name: str
    input: str
    points: int
    weight_bps: int
    contribution: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """The result of a reliability check (D9); limit in minor units of the deal's currency."""

    score: int
    grade: str
    components: tuple[Component, ...]
    group: str
    limit_minor: int
    payment_days: int
    prepaid: bool
    made_at: str
    valid_until: str


def altman_z2(figures: Financials) -> int | None:
    """Altman's Z'' in thousandths: 6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4 (Altman, Hartzell, Peck 1995).

    X1 working capital, X2 retained earnings, X3 EBIT, each over total assets; X4 equity over total liabilities.
    None when assets or liabilities are not positive, as the ratio has no meaning then.
    """
    assets, liabilities = figures.total_assets_minor, figures.total_liabilities_minor
    if assets <= 0 or liabilities <= 0:
        return None
    over_assets = (
        6560 * figures.working_capital_minor + 3260 * figures.retained_earnings_minor + 6720 * figures.ebit_minor
    )
    return (over_assets * liabilities + 1050 * figures.equity_minor * assets) // (assets * liabilities)


def assess(facts: ReliabilityFacts, policy: Policy, at: str) -> Assessment:
    """Score a customer. Unknown inputs count as neutral (500 of 1000 points), never as good."""
    rules = policy.reliability
    parts = (
        _identity(facts, rules),
        _financials(facts, rules),
        _history(facts, rules),
        _age(facts, rules, at),
        _exposure(facts, rules),
    )
    score = sum(part.contribution for part in parts)
    grade = "E" if facts.blocked or not facts.customer_known else _grade(score, rules)
    return Assessment(
        score=score,
        grade=grade,
        components=parts,
        group=facts.group,
        limit_minor=rules.limit_by_class[grade],
        payment_days=rules.terms_days_by_class[grade],
        prepaid=rules.terms_days_by_class[grade] == 0,
        made_at=at,
        valid_until=plus(at, rules.valid_for),
    )


def _grade(score: int, rules: ReliabilityPolicy) -> str:
    limits = (("A", rules.class_a), ("B", rules.class_b), ("C", rules.class_c), ("D", rules.class_d))
    return next((grade for grade, least in limits if score >= least), "E")


def _component(name: str, found: str, points: int, weight: int) -> Component:
    bounded = max(0, min(1000, points))
    return Component(name, found, bounded, weight, bounded * weight // 10_000)


def _identity(facts: ReliabilityFacts, rules: ReliabilityPolicy) -> Component:
    checks = {"registration": facts.registration_ok, "vat": facts.vat_ok, "iban": facts.iban_ok, "lei": facts.lei_ok}
    known = {name: ok for name, ok in checks.items() if ok is not None}
    found = ", ".join(f"{name} {'valid' if ok else 'INVALID'}" for name, ok in known.items()) or "no numbers given"
    points = 500 if not known else 1000 * sum(known.values()) // len(known)
    return _component("identity", found, points, rules.weight_identity)


def _financials(facts: ReliabilityFacts, rules: ReliabilityPolicy) -> Component:
    z = altman_z2(facts.financials) if facts.financials else None
    if z is None:
        return _component("financials", "no statements", 500, rules.weight_financials)
    span = rules.z_safe - rules.z_distress
    points = 1000 if z > rules.z_safe else 0 if z < rules.z_distress else (z - rules.z_distress) * 1000 // span
    return _component("financials", f"Z'' {z / 1000:.3f}", points, rules.weight_financials)


def _history(facts: ReliabilityFacts, rules: ReliabilityPolicy) -> Component:
    if not facts.paid_invoices and not facts.broken_promises:
        return _component("history", "no history with us", 500, rules.weight_history)
    points = 1000 - 25 * max(0, facts.average_days_late) - facts.disputed_bps // 10 - 150 * facts.broken_promises
    found = (
        f"{facts.paid_invoices} paid, {facts.average_days_late} days late on average, "
        f"{facts.disputed_bps / 100:.1f} % disputed, {facts.broken_promises} promises broken"
    )
    return _component("history", found, points, rules.weight_history)


def _age(facts: ReliabilityFacts, rules: ReliabilityPolicy, at: str) -> Component:
    if not facts.founded_on:
        return _component("age", "founding date unknown", 500, rules.weight_age)
    years = max(0, between(f"{facts.founded_on}T00:00:00Z", at)) // (365 * DAY)
    return _component("age", f"{years} years", 100 * years, rules.weight_age)


def _exposure(facts: ReliabilityFacts, rules: ReliabilityPolicy) -> Component:
    most = rules.limit_by_class["A"]
    points = 1000 - 1000 * facts.exposure_minor // most if most else 500
    return _component("exposure", f"{facts.exposure_minor} minor units", points, rules.weight_exposure)
