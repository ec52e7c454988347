"""Players: each sits on one deal, looks at it in the database, and acts as whoever is asked next, towards a fate."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.db import Database
from infra.stores.deals import DealStore
from models import codec
from models.deal_state import Deal
from models.instants import plus
from models.lifecycle.states import DealState as S
from models.messages.deals import ActResult
from models.policy import Policy
from models.stages.opening import OpenDeal
from tests.crash.callers import USUAL_RUN, Act, Certainly, Opening

Ask = tuple[str, str, dict[str, Any]]
"""Role, action and payload."""

AM, HEAD, AR, LOGISTICS = "account_manager", "head_of_sales", "accounts_receivable", "logistics_manager"

FATES = {
    "won": 34,
    "prepaid": 8,
    "discount": 10,
    "renegotiated": 8,
    "legal": 6,
    "lost": 8,
    "cancelled": 10,
    "disputed": 6,
    "complaint": 6,
    "written_off": 4,
}
"""Fates and how many of a hundred deals are meant to have each; scarcity gives some of them another."""


@dataclass
class Player:
    """One deal and its fate."""

    client: Certainly
    database: Database
    deal_id: str
    fate: str
    rng: random.Random
    policy: Policy
    customer: str = "c-1"
    moves_per_run: int = USUAL_RUN
    meddles: bool = True
    acts: int = 0
    refused: int = 0
    done: list[tuple[Act, ActResult]] = field(default_factory=list)
    once: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    deal: Deal | None = None

    async def play(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Play until the deal is closed; a deal that still waits for somebody when all is over is left open."""
        opened = OpenDeal("A deal", self.customer, f"g-{self.customer[2:]}", f"u-{AM}", "north", "berlin", "EUR")
        self.deal_id = await self.client.open(Opening(self.deal_id, opened, self.policy, self.moves_per_run))
        while not is_over():
            deal = await self.look()
            if deal.is_closed and not deal.pending:
                return
            asked = None if deal.is_closed else self.choose(deal)
            if asked is None or await self.act(*asked) is None:
                await asyncio.sleep(self.rng.uniform(0.3, 0.9))

    async def look(self) -> Deal:
        """The deal as the database shows it."""
        row = await DealStore(self.database).get(self.deal_id)
        assert row is not None, f"{self.deal_id} was opened and is not there"
        self.deal = codec.decode(Deal, row["snapshot"])
        return self.deal

    async def act(self, role: str, action: str, payload: dict[str, Any]) -> ActResult | None:
        """Act; now and then others meddle at the same moment, or an old act is asked for again."""
        asked = Act(self.deal_id, role, action, f"{self.acts}-{action}", payload)
        self.acts += 1
        meddling = [self._note()] if self.meddles and self.rng.random() < 0.1 else []
        again = [self._ask_again()] if self.meddles and self.done and self.rng.random() < 0.08 else []
        answer, *_ = await asyncio.gather(self.client.act(asked), *meddling, *again)
        if answer is None:
            self.refused += 1
        else:
            self.done.append((asked, answer))
        return answer

    async def _note(self) -> None:
        note = Act(self.deal_id, HEAD, "note", f"{self.acts}-meddling", {"text": "how is it going?"})
        await self.client.act(note)

    async def _ask_again(self) -> None:
        """An old key gets the old answer, whatever happened since."""
        asked, answer = self.rng.choice(self.done)
        again = await self.client.act(asked)
        if again is None or _same(again) != _same(answer):
            self.problems.append(f"{self.deal_id}: {asked.key} was answered {answer}, asked again {again}")

    def choose(self, deal: Deal) -> Ask | None:
        """What should happen next, or None to wait."""
        if deal.holds:
            return AR, "resume", {"hold": deal.holds[0], "reason": "we talked"}
        chosen: Ask | None = _BY_STATE[deal.state](self, deal)
        return chosen

    def first_time(self, what: str) -> bool:
        """True once for each thing."""
        fresh = what not in self.once
        self.once.add(what)
        return fresh

    def chance(self, probability: float) -> bool:
        """A weighted coin."""
        return self.rng.random() < probability

    def _identified(self, deal: Deal) -> Ask:
        return AM, "log_contact", {"channel": "call", "outcome": "interested"}

    def _contacted(self, deal: Deal) -> Ask:
        if self.fate == "lost" and deal.needs and self.chance(0.5):
            return AM, "lose", {"reason": "no_response"}
        if deal.needs is None:
            return AM, "record_needs", {"what": "pumps", "quantity": 6, "budget_minor": 60_000}
        return AM, "qualify", {}

    def _qualified(self, deal: Deal) -> Ask:
        return AM, "request_check", {}

    def _wait(self, deal: Deal) -> None:
        return None

    def _review(self, deal: Deal) -> Ask:
        if self.chance(0.4):
            return "risk_officer", "reject", {"reason": "too risky"}
        return "commercial_director", "approve_reliability", {
            "credit_limit_minor": 5_000_000, "payment_days": 0, "reason": "prepaid",
        }  # fmt: skip

    def _preparing(self, deal: Deal) -> Ask:
        offer = deal.offer
        if offer is None or deal.state_entry > self._drafted_at(deal) or offer.valid_until < plus(deal.updated_at, 5):
            if self.fate == "lost" and self.chance(0.5):
                return AM, "lose", {"reason": "price"}
            return AM, "draft_offer", self._draft()
        approved = any(a.state == "approved" and a.subject_hash == offer.hash for a in deal.approvals)
        if offer.discount_bps > 500 and not approved:
            if any(a.state == "declined" and a.subject_hash == offer.hash for a in deal.approvals):
                self.fate = "won"
                return AM, "draft_offer", self._draft()
            return AM, "request_approval", {"reason": "a large order"}
        return AM, "send_offer", {}

    def _drafted_at(self, deal: Deal) -> int:
        """A version of the offer per stay in this state, unless it came back from the approval."""
        if any(a.subject_hash == deal.offer.hash for a in deal.approvals) if deal.offer else False:
            return deal.state_entry
        return self._last_draft if deal.offers == self._last_offer else -1

    _last_draft = -1
    _last_offer = -1

    def _draft(self) -> dict[str, Any]:
        assert self.deal is not None
        self._last_draft, self._last_offer = self.deal.state_entry, self.deal.offers + 1
        articles = self.rng.sample(["A-1", "A-2", "A-3", "A-4", "A-5"], k=self.rng.choice([1, 2, 3]))
        price = 9_000 if self.fate == "discount" else 10_000
        lines = [{"article": a, "quantity": self.rng.randint(1, 5), "unit_price_minor": price} for a in articles]
        return {"lines": lines, "payment_days": 0 if self.fate == "prepaid" else 1}

    def _approval(self, deal: Deal) -> Ask:
        if self.chance(0.2):
            return HEAD, "decline_offer", {"reason": "too much"}
        return HEAD, "approve_offer", {"reason": "worth it"}

    def _offer_open(self, deal: Deal) -> Ask:
        if self.fate == "lost":
            return AM, "lose", {"reason": "price"}
        if self.fate == "renegotiated" and self.first_time("object"):
            return AM, "object", {"cause": "delivery", "answer": "two weeks"}
        if self.fate == "renegotiated" and self.first_time("counter"):
            return AM, "counter", {"wanted_total_minor": 1, "text": "cheaper"}
        return AM, "accept_offer", {}

    def _drafting(self, deal: Deal) -> Ask | None:
        if deal.contract is None or not deal.contract.digest:
            return None
        if self.fate == "renegotiated" and self.first_time("recheck"):
            return AM, "recheck_reliability", {"reason": "the order grew"}
        if self.fate == "legal" and self.first_time("raise"):
            return AM, "raise_disagreement", {"clause": "7", "our_position": "30 days", "their_position": "60 days"}
        if deal.contract.special_clauses:
            return AM, "submit_contract", {}
        return AM, "send_contract", {}

    def _resolving(self, deal: Deal) -> Ask:
        opened = [d.clause for d in deal.contract.disagreements if not d.resolution] if deal.contract else []
        if opened:
            return "legal", "settle_disagreement", {"clause": opened[0], "resolution": "45 days"}
        return AM, "close_protocol", {}

    def _contract_approval(self, deal: Deal) -> Ask:
        return "legal", "approve_contract", {"reason": "fine"}

    def _signing(self, deal: Deal) -> Ask | None:
        contract = deal.contract
        if contract is None:
            return None
        side = "theirs" if contract.signed_by("ours") else "ours"
        return AM, "sign", {"side": side, "digest": contract.digest, "signatory": "buyer"}

    def _ordering(self, deal: Deal) -> Ask | None:
        order = deal.order
        if order is None:
            return None
        if self.fate == "cancelled" and self.chance(0.3):
            return AM, "cancel", {"reason": "the customer closed the site"}
        if not order.accepted_by:
            return AM, "accept_order", {}
        typed = [
            {"article": o.article, "quantity": o.ordered, "unit_price_minor": o.unit_price_minor} for o in order.lines
        ]
        return "sales_support", "enter_order", {"lines": typed}

    def _fulfilling(self, deal: Deal) -> Ask | None:
        if deal.order is None:
            return None
        if self.fate == "cancelled":
            return AM, "cancel", {"reason": "the customer closed the site"}
        if deal.offer and deal.offer.prepaid and deal.open_minor:
            return self._pay(deal)
        if any(line.on_the_way for line in deal.order.lines) and self.chance(0.8):
            return LOGISTICS, "deliver", {}
        reserved = [line for line in deal.order.lines if line.reserved]
        if reserved and self.chance(0.8):
            part = self.rng.choice(reserved)
            some = {"lines": [{"line": part.line, "quantity": self.rng.randint(1, part.reserved)}]}
            return LOGISTICS, "ship", some if self.chance(0.4) else {}
        short = deal.order.short_lines
        return self._shortage(deal, self.rng.choice(short).line) if short else None

    def _shortage(self, deal: Deal, number: int) -> Ask | None:
        line = deal.order.line(number) if deal.order else None
        if line is None:
            return None
        if line.proposed_article:
            consent = {"line": number, "channel": "call", "given_by": "buyer"}
            return AM, "accept_analogue" if self.chance(0.7) else "decline_analogue", consent
        choices: list[Ask | None] = [
            None,
            (AM, "propose_analogue", {"line": number, "article": self.rng.choice(["A-1", "A-2", "A-3", "A-4"])}),
            (AM, "escalate_shortage", {"line": number}),
            (LOGISTICS, "answer_shortage", {"line": number, "available_on": "2026-01-01", "quantity": 1}),
            (LOGISTICS, "retry_reservation", {}),
            (AM, "cancel_line", {"line": number, "reason": "too long"}) if self.acts > 30 else None,
            (AM, "close_short", {"reason": "enough"}) if self.acts > 30 else None,
            (AM, "cancel", {"reason": "too long"}) if self.acts > 45 else None,
        ]
        return self.rng.choice(choices)

    def _supporting(self, deal: Deal) -> Ask | None:
        for case in deal.cases:
            if case.state == "open":
                decision = {"case": case.number, "decision": "replace", "measure": "better packing"}
                owed = next((r for r in deal.receivables if r.collectable_minor > 100), None)
                if owed:
                    decision |= {"decision": "credit", "invoice": owed.number, "credit_minor": 100}
                return AM, "decide_case", decision
            if case.state == "decided":
                return "sales_support", "close_case", {"case": case.number}
        if self.fate == "complaint" and self.first_time("complaint") and deal.order:
            delivered = [line.line for line in deal.order.lines if line.delivered]
            return "sales_support", "open_case", {"lines": delivered[:1], "cause": "damage"}
        if deal.open_minor:
            return self._money(deal)
        return (AM, "complete", {}) if self.chance(0.3) else None

    def _money(self, deal: Deal) -> Ask:
        owed = self.rng.choice([r for r in deal.receivables if r.open_minor])
        disputed = next((d for d in owed.disputes if not d.settled), None)
        if disputed:
            settlement = {"invoice": owed.number, "dispute": disputed.number, "reason": "half of it was late"}
            return (
                AR,
                "settle_dispute",
                {**settlement, "credit_minor": min(disputed.amount_minor, owed.open_minor) // 2},
            )
        if self.fate == "disputed" and self.first_time(f"dispute {owed.number}"):
            return AR, "dispute", {"invoice": owed.number, "amount_minor": owed.open_minor // 2 + 1, "reason": "late"}
        if self.fate == "written_off":
            if deal.pending_approval("write_off"):
                return "commercial_director", "approve_write_off", {"reason": "hopeless"}
            return AR, "request_write_off", {"invoice": owed.number, "reason": "insolvent"}
        return self._pay(deal)

    def _pay(self, deal: Deal) -> Ask:
        owed = self.rng.choice([r for r in deal.receivables if r.open_minor])
        amount = owed.open_minor + self.rng.choice([0, 0, 0, 700])  # sometimes too much
        if owed.open_minor > 2 and self.chance(0.3):
            amount = owed.open_minor // 2
        paid = {"invoice": owed.number, "amount_minor": amount, "currency": owed.currency, "reference": f"r{self.acts}"}
        return AR, "record_payment", paid


_BY_STATE: dict[str, Callable[[Player, Deal], Ask | None]] = {
    S.IDENTIFIED: Player._identified,
    S.CONTACTED: Player._contacted,
    S.QUALIFIED: Player._qualified,
    S.RELIABILITY_CHECK: Player._wait,
    S.RELIABILITY_REVIEW: Player._review,
    S.PREPARING_OFFER: Player._preparing,
    S.OFFER_APPROVAL: Player._approval,
    S.OFFER_OPEN: Player._offer_open,
    S.DRAFTING_CONTRACT: Player._drafting,
    S.RESOLVING_DISAGREEMENTS: Player._resolving,
    S.CONTRACT_APPROVAL: Player._contract_approval,
    S.AWAITING_SIGNATURES: Player._signing,
    S.ORDERING: Player._ordering,
    S.FULFILLING: Player._fulfilling,
    S.SUPPORTING: Player._supporting,
}


def _same(answer: ActResult) -> dict[str, Any]:
    plain: dict[str, Any] = codec.encode(answer)
    return {**plain, "replayed": None}


def fates(rng: random.Random, deals: int) -> list[str]:
    """The fates of some deals, in a random order, in the proportions of FATES."""
    dealt = [fate for fate, share in FATES.items() for _ in range(max(1, share * deals // 100))]
    rng.shuffle(dealt)
    return [dealt[n % len(dealt)] for n in range(deals)]
