"""The versioned business numbers: limits, deadlines and ladders. A deal pins the version it started with.

Shares are basis points, durations are seconds, money is minor units of the deal's currency. Defaults are those
of the domain's duties D4..D35.
"""

from dataclasses import dataclass, field, replace

from models.instants import DAY, HOUR
from models.interest import STATUTORY, InterestPolicy


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
class ShortageRung:
    """One rung of the shortage ladder: `role` has to answer within `answer` seconds of working time; when nobody
    does, the `next` rung begins (empty: the line is cancelled)."""

    name: str
    role: str
    answer: int
    next: str = ""


@dataclass(frozen=True, slots=True)
class ShortagePolicy:
    """The shortage desk's numbers (D21): its ladder, and what the options for a line are reckoned with.

    `delay_bps` is what a working day of delay costs, as a share of the open value; `cancel_bps` what a cancelled line
    costs beyond its margin, as the customer goes to a competitor. `buy_in_bps` and `production_bps` come on top of
    the article's cost when units are bought in or made, `buy_in_days` and `handling_days` are working days.
    `chosen_by_policy` are the options that are taken, the best first, when nobody chooses in time.
    """

    ladder: tuple[ShortageRung, ...] = ()
    delay_bps: int = 20
    cancel_bps: int = 1_000
    partial_cost_minor: int = 1_500
    buy_in_bps: int = 1_500
    production_bps: int = 500
    buy_in_days: int = 10
    handling_days: int = 1
    chosen_by_policy: tuple[str, ...] = ("wait", "partial", "buy_in")
    recheck: int = 7 * DAY
    grace: int = DAY

    def __post_init__(self) -> None:
        names = [rung.name for rung in self.ladder]
        if len(set(names)) != len(names):
            raise ValueError("a rung of the shortage ladder is named twice")
        needed = {"propose_analogue", "choose", "wait", "buy_in"} if self.ladder else set()
        missing = (needed | {rung.next for rung in self.ladder if rung.next}) - set(names)
        if missing:
            raise ValueError(f"the shortage ladder lacks the rungs {', '.join(sorted(missing))}")

    def rung(self, name: str) -> ShortageRung | None:
        """The rung of a name, or None."""
        return next((rung for rung in self.ladder if rung.name == name), None)


def _default_shortage_ladder() -> tuple[ShortageRung, ...]:
    return (
        ShortageRung("tell_customer", "account_manager", 4 * HOUR, "propose_analogue"),
        ShortageRung("propose_analogue", "account_manager", DAY, "ask_logistics"),
        ShortageRung("ask_logistics", "logistics_manager", 2 * DAY, "ask_production"),
        ShortageRung("ask_production", "production", 3 * DAY, "offer_partial"),
        ShortageRung("offer_partial", "account_manager", 2 * DAY, "choose"),
        ShortageRung("choose", "account_manager", 2 * DAY, "wait"),
        ShortageRung("wait", "logistics_manager", 20 * DAY, "buy_in"),
        ShortageRung("buy_in", "logistics_manager", 10 * DAY, "cancel"),
        ShortageRung("cancel", "head_of_sales", 5 * DAY),
    )


@dataclass(frozen=True, slots=True)
class MoneyPolicy:
    """What receivables are collected with beside the ladder (D28..D32); empty: those of the first generations.

    `waiver` and `legal` are the largest amounts in minor units that a role may waive, or hand over to legal. When it
    declines, it is asked again after `legal_again`. A dispute is to be answered within `dispute_answer` of working
    time. A promise lasts `promise_longest` at most, an instalment may be late by `instalment_grace`. Two letters of
    the ladder are at least `letter_gap` apart, unless the ladder lists them closer together.

    `charges_minor` per currency, and never more than `charges_bps` of an invoice, is what may be missing as bank
    charges; who pays within `discount_days` of the invoice may keep `discount_bps` of it (cash discount).
    """

    waiver: dict[str, int] = field(default_factory=dict)
    legal: dict[str, int] = field(default_factory=dict)
    legal_again: int = 30 * DAY
    dispute_answer: int = 10 * DAY
    promise_longest: int = 60 * DAY
    instalment_grace: int = 3 * DAY
    letter_gap: int = 2 * DAY
    charges_minor: dict[str, int] = field(default_factory=dict)
    charges_bps: int = 200
    discount_bps: int = 0
    discount_days: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """All business numbers of one version.

    `rules` is the generation of the business rules that go with them: 1 is the spine, 2 adds the shortage desk,
    shipments, discrepancy acts and amendments, 3 interest, payment plans, reversals and holds on customer groups. A
    deal keeps the rules that it started with. `holidays` are public holidays per country (ISO 3166 alpha-2): ISO
    dates separated by spaces.
    """

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
    rules: int = 1
    shortage: ShortagePolicy = field(default_factory=ShortagePolicy)
    discrepancy_tolerance_bps: int = 0
    discrepancy_deadline: int = 3 * DAY
    amendment_deadline: int = 5 * DAY
    holidays: dict[str, str] = field(default_factory=dict)
    interest: InterestPolicy = field(default_factory=InterestPolicy)
    money: MoneyPolicy = field(default_factory=MoneyPolicy)

    def holidays_in(self, country: str) -> str:
        """The public holidays of a country; none when the policy does not know it."""
        return self.holidays.get(country, "")


def able(limits: dict[str, int], amount: int) -> tuple[str, ...]:
    """The roles whose limit reaches an amount, the smallest first: whatever order a reader of JSON gave the matrix."""
    return tuple(role for role, limit in sorted(limits.items(), key=lambda item: (item[1], item[0])) if limit >= amount)


SPINE = Policy()
"""The first policy, which deals that started under it keep."""

GOODS = Policy(
    version="2026.2",
    rules=2,
    shortage=ShortagePolicy(ladder=_default_shortage_ladder()),
    discrepancy_tolerance_bps=50,
)
"""The policy that brought the shortage desk."""

DEFAULT = replace(
    GOODS,
    version="2026.3",
    rules=3,
    ladder=(*_default_ladder()[:-1], Rung("hand_to_legal", 60 * DAY, "legal_notice")),
    interest=InterestPolicy(rates=STATUTORY),
    money=MoneyPolicy(
        waiver={"head_of_sales": 50_000, "commercial_director": 10**14},
        legal={"head_of_sales": 1_000_000, "commercial_director": 10**14},
        charges_minor={"EUR": 1_500, "USD": 1_500, "GBP": 1_500},
    ),
)
"""The policy a fresh system starts with."""
