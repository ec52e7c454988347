"""Opening a deal: who may, for which customer, under which policy; repeated with the same key it opens one deal."""

from dataclasses import dataclass, replace
from typing import Any

from infra.desk import payloads
from infra.desk.acts import check_key
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.engine import Engine, WorkflowGone
from infra.desk.errors import Conflict, DeskError, EngineDown, Invalid, WrongRole, key_reused
from infra.desk.ids import derived
from infra.desk.recording import RefusalBook
from infra.privacy.contacts import known_by
from infra.stores.pages import Row
from models import codec
from models.lifecycle.roles import SALES, SALES_AND_MACHINES, Role
from models.messages.deals import ActResult, StartInput
from models.money import Money
from models.personal import mentions
from models.policy import Policy
from models.stages.opening import OpenDeal

OPENERS = SALES_AND_MACHINES | {Role.HEAD_OF_SALES}
_OTHERS_OPENERS = (Role.HEAD_OF_SALES, Role.AUTOMATION)
_LIMITS = {"title": 300, "customer": 80, "owner": 80, "branch": 40, "linked_deal": 80, "source_ref": 200}


@dataclass(frozen=True, slots=True)
class NewDeal:
    """What a caller says about a new deal. Empty: the caller owns it, in the customer's currency, from any branch."""

    title: str
    customer: str
    owner: str = ""
    branch: str = ""
    currency: str = ""
    linked_deal: str = ""
    source_ref: str = ""
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class _Countries:
    """Where the deal's people work, and where the customer is; empty when nobody said so."""

    of_deal: str
    of_customer: str

    def holidays_of(self, policy: Policy) -> dict[str, str]:
        """Those holidays that count for the deal: the engine keeps what starts a deal for ever, so no others travel."""
        return {at: days for at, days in policy.holidays.items() if at in (self.of_deal, self.of_customer)}


class Opening:
    """Opens deals."""

    def __init__(self, books: Books, engine: Engine, refusals: RefusalBook, clock: Clock) -> None:
        self._books, self._engine, self._refusals, self._clock = books, engine, refusals, clock

    async def open(self, caller: Caller, asked: NewDeal, key: str) -> ActResult:
        """Open a deal, or answer as before when the key did already. Raises a DeskError."""
        try:
            return await self._open(caller, asked, key)
        except DeskError as problem:
            if not isinstance(problem, EngineDown):
                await self._refusals.note_error(caller, "", "open", problem, key)
            raise

    async def _open(self, caller: Caller, asked: NewDeal, key: str) -> ActResult:
        check_key(key)
        if wrong := _wrong_fields(asked):
            raise Invalid(wrong)
        print_ = payloads.fingerprint("open", codec.encode(asked), caller.user, caller.on_behalf_of)
        deal_id = derived("D-", "source", asked.source_ref) if asked.source_ref else derived("D-", caller.user, key)
        known = await self._answered(deal_id, key, print_)
        if known is not None:
            return known
        opened, countries = await self._completed(caller, asked)
        await self._check_source(asked)
        start = await self._start(deal_id, opened, countries, caller, key, print_)
        try:
            answer = await self._engine.open(start, asked.is_test)
        except WorkflowGone:
            answer = None
        # somebody else may have opened a deal under this id in the same moment: what stands decides
        standing = await self._answered(deal_id, key, print_)
        if standing is None:
            raise Conflict("source_taken", "a deal was opened from this source already")
        return replace(standing, replayed=answer is None)

    async def _answered(self, deal_id: str, key: str, print_: str) -> ActResult | None:
        known = await self._books.commands.find(deal_id, key)
        if known is None:
            return None
        if known.fingerprint != print_:
            raise key_reused(key)
        return replace(codec.decode(ActResult, known.body), replayed=True)

    async def _start(
        self, deal_id: str, opened: OpenDeal, countries: _Countries, caller: Caller, key: str, print_: str
    ) -> StartInput:
        policy = await self._books.policies.active(self._clock())
        plain = codec.encode(replace(policy, holidays=countries.holidays_of(policy)))
        opening = codec.encode(opened)
        return StartInput(
            deal_id,
            plain,
            caller.actor,
            key,
            print_,
            opening,
            country=countries.of_deal,
            customer_country=countries.of_customer,
            asked_at=self._clock(),
        )

    async def _completed(self, caller: Caller, asked: NewDeal) -> tuple[OpenDeal, _Countries]:
        """The deal with all that follows from customer, owner and branch. Raises WrongRole, Invalid or Conflict."""
        if not caller.has(*OPENERS):
            raise WrongRole("opening a deal", tuple(sorted(map(str, OPENERS))))
        if asked.is_test and not self._books.settings.test_clock:
            raise Conflict("clock_off", "the test clock is off on this installation, so there are no test deals")
        customer = await self._books.customers.get(asked.customer, caller.scope)
        wrong: dict[str, str] = {} if customer else {"customer": "no such customer"}
        if customer and mentions(asked.title, known_by(customer["contacts"])):
            wrong["title"] = "names a contact of the customer: say what the deal is about"
        department = await self._department(caller, asked, wrong)
        if asked.linked_deal and not await self._books.deals.get(asked.linked_deal, caller.scope):
            wrong["linked_deal"] = "no such deal"
        houses = await self._books.stock.warehouses() if asked.branch else []
        branches = {house["id"]: str(house["country"]) for house in houses}
        if asked.branch and asked.branch not in branches:
            wrong["branch"] = "no such warehouse"
        if wrong or customer is None:
            raise Invalid(wrong)
        theirs = str(customer["country"])
        countries = _Countries(branches.get(asked.branch, "") or theirs, theirs)
        return _deal(asked, customer, asked.owner or caller.principal, department), countries

    async def _department(self, caller: Caller, asked: NewDeal, wrong: dict[str, str]) -> str:
        owner = await self._books.people.get(asked.owner or caller.principal)
        if owner is None or not owner.active or not owner.held_roles & SALES:
            wrong["owner"] = "not an active user who may own deals: name an account manager"
            return ""
        if owner.id != caller.principal and not caller.has(*_OTHERS_OPENERS):
            raise WrongRole("opening a deal for somebody else", tuple(sorted(map(str, _OTHERS_OPENERS))))
        return owner.department

    async def _check_source(self, asked: NewDeal) -> None:
        if asked.source_ref and await self._books.deals.by_source(asked.source_ref):
            raise Conflict("source_taken", "a deal was opened from this source already")


def _deal(asked: NewDeal, customer: Row, owner: str, department: str) -> OpenDeal:
    return OpenDeal(
        title=asked.title.strip(),
        customer=customer["id"],
        group=customer["group_id"],
        owner=owner,
        department=department,
        branch=asked.branch,
        currency=asked.currency or customer["currency"],
        is_test=asked.is_test,
        linked_deal=asked.linked_deal,
        source_ref=asked.source_ref,
    )


def _wrong_fields(asked: NewDeal) -> dict[str, str]:
    plain: dict[str, Any] = codec.encode(asked)
    wrong = payloads.unstorable(plain)
    wrong |= {name: f"more than {most} characters" for name, most in _LIMITS.items() if len(plain[name]) > most}
    if not asked.title.strip():
        wrong["title"] = "must not be empty"
    if asked.currency:
        try:
            Money(0, asked.currency)
        except ValueError as problem:
            wrong["currency"] = str(problem)
    return wrong
