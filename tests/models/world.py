"""A deal driven through the pure core alone: a small world in memory answers every effect at once."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from models import codec
from models.command import SYSTEM, Actor, Answer, Command, Facts, Question
from models.deal import Decision, agenda, automatic, consider, decide, due_command, next_due, open_deal, question
from models.deal_state import Deal
from models.effects import Request, report, request
from models.errors import MoveRefused, Refusal
from models.instants import DAY, plus
from models.messages.control import PolicyInput, PolicyResult
from models.messages.finance import (
    BrokenPromiseInput,
    Financials,
    GroupHoldInput,
    GroupHolds,
    GroupHoldsInput,
    HeadroomInput,
    HeadroomReleaseInput,
    HeadroomResult,
    ReliabilityFacts,
    ReliabilityInput,
)
from models.messages.legal import DocumentInput, DocumentResult
from models.messages.logistics import (
    CarriageInput,
    CarriageResult,
    ReleaseInput,
    ReservedLine,
    ReserveInput,
    ReserveResult,
    ReturnInput,
    ShipInput,
    ShipResult,
    StockLine,
)
from models.messages.receivables import (
    InvoiceInput,
    InvoiceResult,
    LedgerEntryInput,
    LegacyNumberInput,
    LegacyNumberResult,
    LetterInput,
    LetterResult,
)
from models.messages.sales import GrantedDiscountInput, QuotedLine, QuoteLine, QuoteResult
from models.policy import DEFAULT, Policy
from models.stages.adopting import pinned
from models.stages.opening import OpenDeal
from models.timeline import Entry, digest

GOOD = Financials(400_000, 300_000, 200_000, 700_000, 1_000_000, 300_000)
START = "2026-01-05T08:00:00Z"

SHARPER = PolicyResult(
    "2026.4",
    "2026-01-01T00:00:00Z",
    codec.encode(
        replace(
            DEFAULT,
            version="2026.4",
            discount_authority=DEFAULT.discount_authority | {"account_manager": 300},
            ladder=tuple(replace(rung, after=rung.after * 2 // 3) for rung in DEFAULT.ladder),
            offer_validity=20 * DAY,
        )
    ),
)
"""Another version of the policy, which deals may be moved to."""

PEOPLE = {
    role: Actor(f"u-{role}", (role,))
    for role in (
        "account_manager",
        "key_account_manager",
        "sales_support",
        "head_of_sales",
        "commercial_director",
        "risk_officer",
        "legal",
        "logistics_manager",
        "production",
        "accounts_receivable",
        "auditor",
        "admin",
        "automation",
    )
}


@dataclass
class World:
    """One deal, its clock, and departments that answer from dictionaries.

    `group_holds` are those of other deals of its group, `own_holds` what it told the credit book itself. `misplaced`
    are units that the stock book believes in and nobody finds when they are to leave; then they are `lost`.
    """

    policy: Policy = DEFAULT
    now: str = START
    reliability: ReliabilityFacts = field(
        default_factory=lambda: ReliabilityFacts(True, "g-1", True, True, financials=GOOD, founded_on="1999-01-01")
    )
    stock: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: 1000))
    expected: dict[str, str] = field(default_factory=dict)
    analogues: dict[str, str] = field(default_factory=dict)
    prices: dict[str, tuple[int, int]] = field(default_factory=lambda: defaultdict(lambda: (10_000, 6_000)))
    limit: int = 50_000_000
    entries: list[Entry] = field(default_factory=list)
    held: dict[int, tuple[str, int]] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    letters: list[str] = field(default_factory=list)
    booked: list[tuple[str, int]] = field(default_factory=list)
    invoices: int = 0
    given_discount: int = 0
    given_list: int = 0
    broken_promises: int = 0
    granted: GrantedDiscountInput | None = None
    headroom: int = 0
    country: str = ""
    customer_country: str = ""
    misplaced: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    billed: list[InvoiceInput] = field(default_factory=list)
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    no_carrier: str = ""
    taken: dict[str, str] = field(default_factory=dict)
    group_holds: GroupHolds = field(default_factory=GroupHolds)
    own_holds: list[GroupHoldInput] = field(default_factory=list)
    policies: dict[str, PolicyResult] = field(default_factory=lambda: {SHARPER.version: SHARPER})
    deal: Deal = field(init=False)

    def __post_init__(self) -> None:
        opened = OpenDeal("A deal", "c-1", "g-1", "u-account_manager", "north", "berlin", "EUR", is_test=True)
        where = (self.country, self.customer_country)
        self._keep(open_deal("D-1", opened, PEOPLE["account_manager"], "open", self.policy, self.now, *where))

    def do(self, role: str, action: str, **payload: Any) -> Deal:
        """Act as the person with a role; everything automatic follows at once."""
        return self.act(SYSTEM if role == "system" else PEOPLE[role], action, **payload)

    def act(self, actor: Actor, action: str, **payload: Any) -> Deal:
        """Act as anybody."""
        self.command(Command(action, actor, f"k-{self.deal.version}-{action}", payload))
        return self.deal

    def command(self, command: Command) -> None:
        """Carry out one command and all that follows from it. Raises MoveRefused."""
        self._carry_out(command)
        self.settle()

    def _carry_out(self, command: Command) -> None:
        facts = Facts()
        while asked := question(consider(self.deal, command, self.policy, self.now, facts), command.action):
            facts = facts.told(self._told(asked))
        self._keep(decide(self.deal, command, self.policy, self.now, facts))

    def settle(self) -> None:
        """Automatic moves and effects, until nothing is left to do."""
        while True:
            move = automatic(self.deal, self.policy, self.now)
            if move is not None:
                self._keep(decide(self.deal, move, self.policy, self.now))
            elif self.deal.pending:
                effect = self.deal.pending[0]
                asked = request(effect, self.deal, self.policy, self.now)
                told = report(effect, asked, self._answer(asked), self.deal, self.policy, self.now)
                self._carry_out(told)
            else:
                return

    def advance(self, seconds: int) -> list[str]:
        """Let time pass; due agenda items fire in order. Returns the actions fired."""
        until, fired = plus(self.now, seconds), []
        refused: set[str] = set()
        while (item := next_due(agenda(self.deal, self.policy), frozenset(refused))) and item.due_at <= until:
            self.now = max(self.now, item.due_at)
            try:
                self.command(due_command(item))
                fired.append(item.action)
                assert len(fired) < 1_000, "the agenda makes no progress"
                refused.clear()
            except MoveRefused:
                refused.add(item.key)
        self.now = until
        return fired

    def refusal(self, role: str | Actor, action: str, **payload: Any) -> Refusal:
        """The refusal of an act that must be refused, without any change."""
        before, entries = self.deal, len(self.entries)
        try:
            self.act(role if isinstance(role, Actor) else PEOPLE[role], action, **payload)
        except MoveRefused as refused:
            assert self.deal is before
            assert len(self.entries) == entries
            return refused.refusal
        raise AssertionError(f"{action} by {role} was not refused")

    def pay(self, amount_minor: int | None = None, invoice: str = "") -> Deal:
        """Accounts receivable books money on an invoice: the first with an open amount, all of it, unless told."""
        owed = self.deal.receivable(invoice) or next(r for r in self.deal.receivables if r.open_minor)
        amount = owed.open_minor if amount_minor is None else amount_minor
        return self.do(
            "accounts_receivable", "record_payment", invoice=owed.number, amount_minor=amount, currency="EUR"
        )

    def _keep(self, decision: Decision) -> None:
        self.deal, self.policy = decision.deal, pinned([decision.entry], self.policy)
        self.entries.append(decision.entry)

    def _told(self, asked: Question) -> Answer:
        if isinstance(asked, GroupHoldsInput):
            return self.group_holds
        if isinstance(asked, PolicyInput):
            return self.policies.get(asked.version, PolicyResult(asked.version))
        if isinstance(asked, LegacyNumberInput):
            return LegacyNumberResult(self.taken.get(asked.number, asked.deal_id))
        if isinstance(asked, HeadroomInput):
            granted = asked.amount_minor <= self.limit
            self.headroom = asked.amount_minor if granted else self.headroom
            return HeadroomResult(granted, self.limit, 0)
        return QuoteResult(tuple(map(self._quoted, asked.lines)), self.given_discount, self.given_list)

    def _quoted(self, asked: QuoteLine) -> QuotedLine:
        if asked.article.startswith("unknown"):
            return QuotedLine(asked.article, False)
        price, cost = self.prices[asked.article]
        return QuotedLine(asked.article, True, f"article {asked.article}", price, cost, 1900)

    def _answer(self, asked: Request) -> object:
        match asked:
            case ReliabilityInput():
                return self.reliability
            case DocumentInput():
                return DocumentResult(f"{asked.kind}-{asked.version}.txt", digest([asked.effect_key]))
            case LetterInput():
                self.letters.append(asked.kind)
                self.told.append((asked.kind, asked.facts))
                return LetterResult(f"{asked.kind}.txt", digest([asked.effect_key]))
            case InvoiceInput():
                self.invoices += 1
                self.billed.append(asked)
                return InvoiceResult(asked.number or f"2026-{self.invoices:06d}")
            case CarriageInput():
                return CarriageResult("own", f"V-{asked.shipment}", self.no_carrier)
            case ReserveInput() | ReleaseInput() | ShipInput() | ReturnInput():
                return self._move_stock(asked)
            case _:
                self._note(asked)
                return None

    def _note(self, asked: Request) -> None:
        match asked:
            case HeadroomReleaseInput():
                self.headroom = min(self.headroom, asked.remaining_minor)
            case LedgerEntryInput():
                self.booked.append((asked.kind, asked.amount_minor))
            case BrokenPromiseInput():
                self.broken_promises += 1
            case GroupHoldInput():
                self.own_holds.append(asked)
            case GrantedDiscountInput():
                self.granted = asked

    def _move_stock(self, asked: ReserveInput | ReleaseInput | ShipInput | ReturnInput) -> object:
        if isinstance(asked, ReserveInput):
            return self._reserve(asked)
        if isinstance(asked, ReturnInput):
            for line in asked.lines:
                self.stock[line.article] += line.quantity
                self.sent[line.article] -= line.quantity
            return None
        if isinstance(asked, ShipInput):
            return ShipResult(tuple(self._taken_out(line) for line in asked.lines))
        for line in asked.lines:
            article, quantity = self.held.get(line.line, (line.article, 0))
            freed = min(quantity, line.quantity)
            self.held[line.line] = (article, quantity - freed)
            self.stock[article] += freed
        return None

    def _taken_out(self, line: StockLine) -> StockLine:
        article, quantity = self.held[line.line]
        missing = min(line.quantity, self.misplaced.get(article, 0))
        if missing:
            self.misplaced[article] -= missing
            self.lost[article] += missing
        self.held[line.line] = (article, quantity - line.quantity)
        self.sent[article] += line.quantity - missing
        return StockLine(line.line, article, line.quantity - missing)

    def _reserve(self, asked: ReserveInput) -> ReserveResult:
        answers = []
        for line in asked.lines:
            got = min(line.quantity, self.stock[line.article])
            self.stock[line.article] -= got
            _, before = self.held.get(line.line, ("", 0))
            self.held[line.line] = (line.article, before + got)
            answers.append(
                ReservedLine(
                    line.line,
                    line.article,
                    got,
                    line.quantity - got,
                    self.expected.get(line.article, ""),
                    self.analogues.get(line.article, ""),
                )
            )
        return ReserveResult(tuple(answers))


LINES = [{"article": "A-1", "quantity": 10}, {"article": "A-2", "quantity": 5}, {"article": "A-3", "quantity": 1}]


def contacted(world: World) -> World:
    """A deal whose prospect's needs are known."""
    world.do("account_manager", "log_contact", channel="call", outcome="interested")
    world.do("account_manager", "record_needs", what="pumps", quantity=16, budget_minor=200_000)
    return world


def qualified(world: World) -> World:
    """A deal whose prospect is qualified."""
    contacted(world).do("account_manager", "qualify")
    return world


def offered(world: World, lines: list[dict[str, Any]] = LINES) -> World:
    """A deal whose offer is open."""
    qualified(world).do("account_manager", "request_check")
    world.do("account_manager", "draft_offer", lines=lines)
    world.do("account_manager", "send_offer")
    return world


def signed(world: World, lines: list[dict[str, Any]] = LINES) -> World:
    """A deal with a contract signed by both sides."""
    offered(world, lines).do("account_manager", "accept_offer")
    world.do("account_manager", "send_contract")
    assert world.deal.contract
    for side in ("ours", "theirs"):
        world.do("account_manager", "sign", side=side, digest=world.deal.contract.digest, signatory="buyer")
    return world


def entered(world: World, lines: list[dict[str, Any]] = LINES) -> World:
    """A deal whose order is entered and reserved as far as stock reaches."""
    signed(world, lines).do("account_manager", "accept_order")
    assert world.deal.order
    typed = [
        {"article": o.article, "quantity": o.ordered, "unit_price_minor": o.unit_price_minor}
        for o in world.deal.order.lines
    ]
    world.do("sales_support", "enter_order", lines=typed)
    return world


def delivered(world: World, lines: list[dict[str, Any]] = LINES) -> World:
    """A deal in support, its one invoice unpaid."""
    entered(world, lines).do("logistics_manager", "ship")
    world.do("logistics_manager", "deliver")
    return world


def paid(world: World) -> World:
    """A delivered and paid deal."""
    delivered(world).pay()
    return world
