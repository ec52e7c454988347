"""What may happen to a deal now, judged on its stored snapshot: allowed and blocked actions, and dry runs."""

from dataclasses import dataclass
from typing import Any

from infra.desk import payloads
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.errors import NoSuch, Refused
from infra.desk.headroom import would_grant
from infra.desk.previews import preview_of
from infra.gateways.group_holds import holds_on
from infra.gateways.ledger_numbers import number_holder
from infra.gateways.policy_book import SqlPolicyBook
from models import codec
from models.command import Answer, Command, Context, Facts, Question
from models.deal import EMPTY_FACTS, Decision, allowed_actions, consider, decide, judge_guards, question
from models.deal_state import Deal
from models.errors import MoveRefused, Refusal, Verdict
from models.lifecycle.guards import GUARDS
from models.lifecycle.machines import DEALS
from models.lifecycle.table import Row
from models.messages.control import PolicyInput
from models.messages.deals import ActResult
from models.messages.finance import GroupHoldsInput, HeadroomInput
from models.messages.receivables import LegacyNumberInput
from models.policy import Policy
from models.projection import substates
from models.stages.group_hold import group_of

_MONEY_GUARDS = frozenset(
    {"prepayment_is_settled", "nothing_was_paid", "entry_matches_contract", "signing_within_authority"}
    | {"price_is_protected", "credit_fits_the_goods", "billed_goods_can_be_credited", "prepayment_allows_supply"}
    | {"goods_are_billed"}
)
_MONEY_MODULES = (
    "models.guards.negotiation",
    "models.guards.receivables",
    "models.guards.collection",
    "models.guards.reliability",
    "models.guards.amending",
)
HIDDEN = "(not shown to this role)"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A deal as its projection keeps it, with the policy that it pinned, its own time, and what of the world can be
    known without a payload."""

    deal: Deal
    policy: Policy
    now: str
    facts: Facts = EMPTY_FACTS


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A dry run: where the deal would stand, and what the act would lead to, as far as its caller may see it."""

    result: ActResult
    preview: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action of the table for one caller. `code` is empty when it is allowed; `unchecked` are guards that need
    the payload or an answer from outside first."""

    action: str
    summary: str
    allowed: bool
    code: str
    why: str
    target: str
    roles: tuple[str, ...]
    states: tuple[str, ...]
    failing: tuple[Verdict, ...]
    unchecked: tuple[str, ...]
    payload_schema: dict[str, Any]


def all_actions(seen: Snapshot, caller: Caller) -> list[ActionView]:
    """Every action of the table, in its order."""
    return [view_of(seen, caller, action) for action in DEALS.table.actions]


def view_of(seen: Snapshot, caller: Caller, action: str) -> ActionView:
    """One action. Raises NoSuch when the table has none of that name."""
    states = tuple(map(str, DEALS.table.states_with(action)))
    if not states:
        raise NoSuch("action", action)
    row = DEALS.table.row(seen.deal.state, action)
    if row is None:
        elsewhere = next(r for r in DEALS.table.rows if r.action == action)
        why = f"not possible in {seen.deal.state}; it is in: {', '.join(states)}"
        return _view(elsewhere, states, code="wrong_state", why=why)
    role = next((r for r in caller.roles if r in row.roles), "")
    verdicts = judge_guards(row, Context(seen.deal, caller.actor, role, None, seen.facts, seen.policy, seen.now))
    unchecked = tuple(name for name in row.guards if name not in {v.guard for v in verdicts})
    failing = tuple(_shown(v, caller) for v in verdicts if not v.ok)
    if not role:
        why = f"needs one of the roles: {', '.join(sorted(map(str, row.roles)))}"
        return _view(row, states, "wrong_role", why, seen.deal.state, failing, unchecked)
    if failing:
        why = "; ".join(f"needs {v.needed}, found {v.found}" for v in failing)
        return _view(row, states, "guard_failed", why, seen.deal.state, failing, unchecked)
    return _view(row, states, "", "", seen.deal.state, (), unchecked)


def _view(
    row: Row,
    states: tuple[str, ...],
    code: str,
    why: str,
    state: str = "",
    failing: tuple[Verdict, ...] = (),
    unchecked: tuple[str, ...] = (),
) -> ActionView:
    return ActionView(
        action=row.action,
        summary=row.summary,
        allowed=not code,
        code=code,
        why=why,
        target=str(row.target_from(state)) if state else "",
        roles=tuple(sorted(map(str, row.roles))),
        states=states,
        failing=failing,
        unchecked=unchecked,
        payload_schema=payloads.schema(row.action),
    )


def _shown(verdict: Verdict, caller: Caller) -> Verdict:
    """The verdict, without what it found when that could tell a price to somebody who must not see one."""
    if not caller.is_blind or not _is_about_money(verdict.guard):
        return verdict
    return Verdict(verdict.guard, verdict.ok, HIDDEN, verdict.needed, verdict.lifted_by)


def _is_about_money(guard: str) -> bool:
    known = GUARDS.get(guard)
    return guard in _MONEY_GUARDS or (known is not None and known.check.__module__ in _MONEY_MODULES)


def shown_refusal(refusal: Refusal, caller: Caller) -> Refusal:
    """The refusal as the caller may see it."""
    if not caller.is_blind or not any(_is_about_money(v.guard) for v in refusal.failing):
        return refusal
    failing = tuple(_shown(v, caller) for v in refusal.failing)
    message = f"{refusal.action} is blocked: " + "; ".join(f"needs {v.needed}, found {v.found}" for v in failing)
    return Refusal(
        refusal.code,
        refusal.action,
        refusal.state,
        message,
        failing,
        refusal.roles_allowed,
        refusal.states_allowed,
        refusal.allowed_actions,
    )


async def rehearse(books: Books, seen: Snapshot, command: Command, caller: Caller) -> Rehearsal:
    """What would come of an act, or Refused; nothing is written and nothing reserved."""
    try:
        facts = EMPTY_FACTS
        while asked := question(consider(seen.deal, command, seen.policy, seen.now, facts), command.action):
            facts = facts.told(await _answer(books, asked))
        decision = decide(seen.deal, command, seen.policy, seen.now, facts)
    except MoveRefused as refused:
        raise Refused(refused.refusal) from None
    preview = preview_of(seen.deal, command, decision, seen.policy, seen.now, caller)
    return Rehearsal(_outcome(decision, command.actor.roles, seen.policy), preview)


async def _answer(books: Books, asked: Question) -> Answer:
    if isinstance(asked, HeadroomInput):
        return await would_grant(books.database, asked)
    if isinstance(asked, GroupHoldsInput):
        return await holds_on(books.database, asked)
    if isinstance(asked, LegacyNumberInput):
        return await number_holder(books.database, asked)
    if isinstance(asked, PolicyInput):
        return await SqlPolicyBook(books.database).policy(asked)
    return await books.prices.quote(asked)


def _outcome(decision: Decision, roles: tuple[str, ...], policy: Policy) -> ActResult:
    deal = decision.deal
    allowed = allowed_actions(deal, roles, policy)
    return ActResult(
        deal.id, deal.version, str(deal.state), str(deal.stage), substates(deal), decision.entry.sequence, allowed
    )


async def snapshot_of(books: Books, row: dict[str, Any], now: str) -> Snapshot:
    """The snapshot of a row of `deals`."""
    deal, policy = codec.decode(Deal, row["snapshot"]), await books.policies.of(row["policy_version"])
    facts = EMPTY_FACTS
    if policy.rules >= 3 and not deal.is_closed:
        asked = GroupHoldsInput(group_of(deal), deal.id, now, deal.is_test)
        facts = facts.told(await holds_on(books.database, asked))
    return Snapshot(deal, policy, now, facts)
