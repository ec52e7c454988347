"""The versioned business numbers: limits, deadlines and ladders. A deal pins the version it started with.

Shares are basis points, durations are seconds, money is minor units of the deal's currency. Defaults are those
of the domain's duties D4..D35.
"""

from dataclasses import dataclass, field

from models.instants import DAY, HOUR


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long a state may last: a reminder to the owner after `remind`, an escalation after `escalate`."""

    remind: int
    escalate: int


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the collection ladder: `after` seconds from the due date (negative: before it)."""

    action: str
    after: int
    letter: str = ""


@dataclass(frozen=True, slots=True)
class ReliabilityPolicy:
    """Weights of the reliability score (basis points that add up to 10,000) and the class limits in points of 1000.

    Altman's Z'' zones are those of Altman, Hartzell and Peck (1995): below 1.1 distress, above 2.6 safe; they
    are given in thousandths.
    """

    weight_identity: int = 2_000
    weight_financials: int = 3_000
    weight_history: int = 3_000
    weight_age: int = 1_000
    weight_exposure: int = 1_000
    z_distress: int = 1_100
    z_safe: int = 2_600
    class_a: int = 800
    class_b: int = 600
    class_c: int = 400
    class_d: int = 200
    valid_for: int = 180 * DAY
    limit_by_class: dict[str, int] = field(
        default_factory=lambda: {"A": 50_000_000, "B": 20_000_000, "C": 5_000_000, "D": 0, "E": 0}
    )
    terms_days_by_class: dict[str, int] = field(default_factory=lambda: {"A": 60, "B": 30, "C": 14, "D": 0, "E": 0})


def _default_deadlines() -> dict[str, Deadline]:
    return {
        "identified": Deadline(7 * DAY, 14 * DAY),
        "contacted": Deadline(14 * DAY, 30 * DAY),
        "qualified": Deadline(3 * DAY, 7 * DAY),
        "reliability_check": Deadline(4 * HOUR, DAY),
        "reliability_review": Deadline(DAY, 2 * DAY),
        "preparing_offer": Deadline(3 * DAY, 7 * DAY),
        "offer_approval": Deadline(4 * HOUR, DAY),
        "offer_open": Deadline(7 * DAY, 30 * DAY),
        "drafting_contract": Deadline(2 * DAY, 5 * DAY),
        "resolving_disagreements": Deadline(5 * DAY, 10 * DAY),
        "contract_approval": Deadline(DAY, 3 * DAY),
        "awaiting_signatures": Deadline(7 * DAY, 14 * DAY),
        "ordering": Deadline(DAY, 3 * DAY),
        "fulfilling": Deadline(7 * DAY, 21 * DAY),
        "supporting": Deadline(30 * DAY, 75 * DAY),
    }


def _default_ladder() -> tuple[Rung, ...]:
    return (
        Rung("announce_due", -3 * DAY, "pre_due_notice"),
        Rung("fall_due", 0),
        Rung("remind_payment", 3 * DAY, "reminder"),
        Rung("dun_first", 7 * DAY, "first_dunning"),
        Rung("dun_second", 14 * DAY, "second_dunning"),
        Rung("involve_head", 30 * DAY),
        Rung("notice_formally", 45 * DAY, "formal_notice"),
        Rung("hand_to_legal", 60 * DAY),
    )


def _default_authority() -> dict[str, int]:
    return {
        "account_manager": 500,
        "key_account_manager": 1_000,
        "head_of_sales": 1_500,
        "commercial_director": 2_500,
    }


def _default_signing() -> dict[str, int]:
    return {
        "account_manager": 2_000_000,
        "key_account_manager": 5_000_000,
        "head_of_sales": 20_000_000,
        "commercial_director": 10**14,
    }


@dataclass(frozen=True, slots=True)
class Policy:
    """All business numbers of one version."""

    version: str = "2026.1"
    deadlines: dict[str, Deadline] = field(default_factory=_default_deadlines)
    reliability: ReliabilityPolicy = field(default_factory=ReliabilityPolicy)
    discount_authority: dict[str, int] = field(default_factory=_default_authority)
    margin_floor: int = 800
    offer_validity: int = 30 * DAY
    offer_validity_max: int = 365 * DAY
    approval_deadline: int = DAY
    signing_authority: dict[str, int] = field(default_factory=_default_signing)
    reservation_validity: int = 30 * DAY
    headroom_validity: int = 365 * DAY
    shortage_answer: int = 2 * DAY
    shortage_escalation: int = DAY
    ladder: tuple[Rung, ...] = field(default_factory=_default_ladder)
    credit_hold_from: str = "dun_second"
    write_off_authority: dict[str, int] = field(
        default_factory=lambda: {"head_of_sales": 100_000, "commercial_director": 10**14}
    )
    follow_up_after: int = 7 * DAY
    support_window: int = 14 * DAY
    complaint_deadline: int = 5 * DAY
    lines_max: int = 500


DEFAULT = Policy()
"""The policy a fresh system starts with."""
