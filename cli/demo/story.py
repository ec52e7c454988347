"""One deal of the demo told act by act: who does what, on which day, through the same door as everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.exits import CommandFailed, ExitCode
from cli.hands import Hands, patiently
from cli.imports.opportunities import Opportunity
from infra.desk.opening import NewDeal
from infra.stores.people import Person
from infra.test_clock import virtual_now
from models.deal_state import Deal
from models.instants import DAY, between, parse, plus, render
from models.lifecycle.roles import Role
from models.messages.deals import workflow_id
from models.parts.receivable import Receivable
from models.policy import DEFAULT

WEB = "web.shop"
CLOSING_LOOKS = 100
_LONGEST_SILENCE = 20


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of the examples, found by role and department."""

    people: Mapping[str, Person]

    def one(self, role: Role, department: str = "") -> str:
        """Somebody with this role, of this department if there is one. Raises CommandFailed."""
        for person in self.people.values():
            if role in person.held_roles and department in ("", person.department):
                return person.id
        raise CommandFailed(ExitCode.BAD_DATA, f"the users have no {role} in {department or 'any department'}")

    def department(self, user: str) -> str:
        """The department of a user."""
        return self.people[user].department


class Story:
    """One deal and its people. Every act waits until the deal has come to rest."""

    def __init__(self, hands: Hands, row: Opportunity, cast: Cast) -> None:
        self.hands, self.row, self.cast = hands, row, cast
        self.deal_id = ""
        self._acts = 0
        self._deal: Deal | None = None
        department = cast.department(row.owner)
        self.owner = row.owner
        self.head = cast.one(Role.HEAD_OF_SALES, department)
        self.support = cast.one(Role.SALES_SUPPORT, department)
        self.director = cast.one(Role.COMMERCIAL_DIRECTOR)
        self.risk = cast.one(Role.RISK_OFFICER)
        self.legal = cast.one(Role.LEGAL)
        self.logistics = cast.one(Role.LOGISTICS_MANAGER)
        self.production = cast.one(Role.PRODUCTION)
        self.money = cast.one(Role.ACCOUNTS_RECEIVABLE)

    @property
    def deal(self) -> Deal:
        """The deal as it stood after the last act."""
        if self._deal is None:
            raise CommandFailed(ExitCode.BUG, f"{self.row.ref}: the story has not begun")
        return self._deal

    async def begin(self) -> None:
        """Open the deal, as its owner."""
        row, caller = self.row, await self.hands.caller(self.owner)
        asked = NewDeal(row.title, row.customer, "", row.branch, row.currency, source_ref=row.ref, is_test=True)
        key = f"demo:{row.ref}:open"
        answer = await patiently(lambda: self.hands.desk.open_deal(caller, asked, key))
        self.deal_id = answer.deal_id
        await self.look()

    async def look(self) -> Deal:
        """Wait until the deal rests."""
        self._deal = await self.hands.settled(self.deal_id)
        return self._deal

    async def do(self, user: str, action: str, **payload: Any) -> Deal:
        """One act. Raises a DeskError when it is refused: in a story nobody does what he may not."""
        self._acts += 1
        await self.hands.act(user, self.deal_id, action, payload, f"demo:{self.row.ref}:{self._acts}:{action}")
        return await self.look()

    async def until(self, day: int) -> Deal:
        """Let time pass until this many days after the opening."""
        now = await virtual_now(self.hands.client, workflow_id(self.deal_id))
        left = parse(plus(self.deal.opened_at, day * DAY)) - now
        if left.total_seconds() >= 1 and not self.deal.is_closed:
            await self.hands.forward(self.deal_id, int(left.total_seconds()))
        return await self.look()

    async def days(self, days: int) -> Deal:
        """Let some more days pass."""
        return await self.until(await self.today() + days)

    async def today(self) -> int:
        """Days since the opening."""
        now = await virtual_now(self.hands.client, workflow_id(self.deal_id))
        return round(between(self.deal.opened_at, render(now)) / DAY)

    async def now(self) -> str:
        """The deal's own time."""
        return render(await virtual_now(self.hands.client, workflow_id(self.deal_id)))

    # -------------------------------------------------------------------------------- the usual course of business

    async def contacted(self, channel: str = "call") -> Deal:
        """First contact, on the day that the campaign planned it for."""
        if self.row.first_contact_day:
            await self.until(self.row.first_contact_day)
        return await self.do(self.owner, "log_contact", channel=channel, outcome="wants an offer")

    async def qualified(self) -> Deal:
        """Needs are known."""
        await self.contacted()
        what = ", ".join(f"{item.quantity} {item.article}" for item in self.row.items)
        quantity = sum(item.quantity for item in self.row.items)
        await self.do(
            self.owner, "record_needs", what=what, quantity=quantity, decision_process="buyer, then management"
        )
        await self.days(2)
        return await self.do(self.owner, "qualify")

    async def checked(self) -> Deal:
        """The reliability check is asked for; what it says is in the deal's state."""
        await self.qualified()
        return await self.do(self.owner, "request_check")

    async def drafted(self, share: int = 100, valid_days: int = 30) -> Deal:
        """A version of the offer at `share` percent of the row's prices."""
        lines = []
        for item in self.row.items:
            price = item.unit_price_minor if share == 100 else await self._price(item.article, share)
            lines.append({"article": item.article, "quantity": item.quantity, "unit_price_minor": price})
        until = plus(await self.now(), valid_days * DAY)
        language = await self._language()
        return await self.do(self.owner, "draft_offer", lines=lines, valid_until=until, language=language)

    async def offered(self, valid_days: int = 30) -> Deal:
        """A reliable customer has an offer within the owner's authority."""
        await self.checked()
        await self.drafted(valid_days=valid_days)
        return await self.do(self.owner, "send_offer")

    async def contracted(self, wait: int = 5) -> Deal:
        """The customer accepts, both sides sign."""
        await self.days(wait)
        await self.do(self.owner, "accept_offer")
        return await self.signed()

    async def signed(self) -> Deal:
        """The standard contract, signed by whoever may sign the amount."""
        signer = self.signer()
        if signer == self.director:
            await self.do(self.owner, "submit_contract")
            await self.do(self.legal, "approve_contract", reason="standard clauses, amount noted")
        else:
            await self.do(signer, "send_contract")
        return await self.both_sign(signer)

    async def both_sign(self, signer: str) -> Deal:
        """Our side first, the customer's some days later."""
        await self.do(signer, "sign", side="ours", digest=self.digest)
        await self.days(3)
        return await self.do(self.owner, "sign", side="theirs", digest=self.digest, signatory="managing director")

    @property
    def digest(self) -> str:
        """What is signed."""
        return self.deal.contract.digest if self.deal.contract else ""

    def signer(self) -> str:
        """The lowest who may sign the contract's amount."""
        amount = self.deal.contract.amount_minor if self.deal.contract else 0
        own = max(DEFAULT.signing_authority.get(role, 0) for role in self.cast.people[self.owner].roles)
        if amount <= own:
            return self.owner
        return self.head if amount <= DEFAULT.signing_authority["head_of_sales"] else self.director

    async def ordered(self, wait: int = 5) -> Deal:
        """The order is accepted and entered; stock is asked for every line."""
        await self.contracted(wait)
        return await self.entered()

    async def entered(self) -> Deal:
        """Acceptance and entry of the order."""
        await self.do(self.owner, "accept_order")
        lines = self.deal.order.lines if self.deal.order else ()
        typed = [
            {"article": line.article, "quantity": line.ordered, "unit_price_minor": line.unit_price_minor}
            for line in lines
        ]
        return await self.do(self.support, "enter_order", lines=typed)

    async def delivered(self, travel: int = 3) -> Deal:
        """Everything that is reserved leaves, and arrives some days later."""
        await self.days(1)
        await self.do(self.logistics, "ship")
        await self.days(travel)
        return await self.do(WEB, "deliver")

    async def pay(self, amount_minor: int = 0, reference: str = "bank transfer") -> Deal:
        """Money comes in: everything that is open on the first open invoice, or an amount."""
        owed = self.owed()
        paid = amount_minor or owed.open_minor
        return await self.do(
            self.money,
            "record_payment",
            invoice=owed.number,
            amount_minor=paid,
            currency=owed.currency,
            reference=reference,
        )

    async def pay_interest(self) -> Deal:
        """The customer pays the note of interest that a late payment has led to, some days after it came."""
        for _ in range(CLOSING_LOOKS):
            if any(r.kind == "interest" and r.open_minor for r in (await self.look()).receivables):
                break
            await asyncio.sleep(0.1)
        await self.days(5)
        return await self.pay(reference="interest")

    def owed(self) -> Receivable:
        """The first invoice with an open amount. Raises CommandFailed."""
        found = next((receivable for receivable in self.deal.receivables if receivable.open_minor), None)
        if found is None:
            raise CommandFailed(ExitCode.BUG, f"{self.row.ref}: nothing is open on any invoice")
        return found

    async def completed(self) -> Deal:
        """Delivered, paid, supported: the owner closes the deal, or the engine when the support window is over."""
        if self.deal.is_closed:
            return self.deal
        if between(self.deal.state_since, await self.now()) < DEFAULT.support_window - DAY:
            await self.do(self.owner, "record_feedback", satisfaction=4, text="on time, complete")
            return await self.do(self.owner, "complete")
        await self.days(2)
        for _ in range(CLOSING_LOOKS):
            if (await self.look()).is_closed:
                break
            await asyncio.sleep(0.1)
        return self.deal

    async def lost(self, note: str) -> Deal:
        """The deal is given up."""
        competitor = {"competitor": self.row.competitor} if self.row.competitor else {}
        return await self.do(self.owner, "lose", reason=self.row.loss_reason, note=note, **competitor)

    async def until_rung(self, rung: str) -> Deal:
        """Let days pass without an answer until the short line stands on a rung. Raises CommandFailed."""
        for _ in range(_LONGEST_SILENCE):
            short = self.deal.order.short_lines if self.deal.order else ()
            if any(line.shortage and line.shortage.rung == rung for line in short):
                return self.deal
            await self.days(1)
        raise CommandFailed(ExitCode.BUG, f"{self.row.ref}: nobody was asked on rung {rung}")

    async def receive(self, article: str, quantity: int, reference: str) -> Deal:
        """Goods arrive at the central warehouse, and the deals that wait for them are told."""
        key = f"demo:received:{reference}:{article}"
        await self.hands.desk.books.intake.receive(article, "central", quantity, await self.now(), key)
        await self.hands.desk.waking.wake()
        return await self.look()

    async def _price(self, article: str, share: int) -> int:
        card = await self.hands.desk.books.articles.get(article)
        prices = card["prices"] if card else []
        listed = next(price["list_price_minor"] for price in prices if price["currency"] == self.row.currency)
        return int(listed) * share // 100

    async def _language(self) -> str:
        card = await self.hands.desk.books.customers.get(self.row.customer)
        return str(card["language"]) if card else "en"
