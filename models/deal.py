"""The pure core of a deal: decide, apply, agenda, effects, assembled from one module per stage.

No I/O, no clock, no engine: the same code runs in the workflow, in a fold over a timeline and in property tests.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace as sealed_with
from typing import Any

from models import codec
from models.agenda import agenda, next_due
from models.agenda_items import AgendaItem
from models.change import replace
from models.command import SYSTEM, Actor, Command, Context, Facts, Question
from models.deal_state import Deal, Effect
from models.errors import MoveRefused, Refusal, Verdict
from models.event import Event, from_plain, to_plain
from models.lifecycle.deal_table import DEAL
from models.lifecycle.machine import GuardsFailed
from models.lifecycle.machines import DEALS
from models.lifecycle.table import Row
from models.policy import Policy
from models.receipt import SINCE, counted, receipt, with_inputs
from models.rules import ACTIONS, GUARDS
from models.stages.billing import followed
from models.stages.everywhere import CountrySet, CustomerCountrySet, Moved, lifted_at_the_end
from models.stages.handling import ActionSpec
from models.stages.opening import DealOpened, OpenDeal
from models.stages.separation import noted
from models.timeline import GENESIS, Entry, entry_hash

__all__ = ["agenda", "allowed_actions", "apply", "automatic", "consider", "decide", "fold", "next_due", "open_deal"]

EMPTY_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Decision:
    """What an accepted act leads to: the new deal, its timeline entry, and the effects it adds."""

    deal: Deal
    entry: Entry
    effects: tuple[Effect, ...]


def open_deal(
    deal_id: str,
    opened: OpenDeal,
    actor: Actor,
    key: str,
    policy: Policy,
    now: str,
    country: str = "",
    customer_country: str = "",
    asked_at: str = "",
) -> Decision:
    """The first entry of a deal. The public holidays of `country` count for its deadlines, those of the customer's
    country for letters about invoices."""
    role = actor.roles[0] if actor.roles else ""
    happened = DealOpened(deal_id, policy.version, opened)
    deal = happened.create(now)
    where: list[Event] = [CountrySet(country)] if country else []
    if customer_country and policy.rules >= 3:
        where.append(CustomerCountrySet(customer_country))
    deal, _ = apply(replace(deal, version=0), where, now)
    entry = Entry(
        deal_id=deal_id,
        sequence=1,
        at=now,
        actor=actor.user,
        role=role,
        action="open",
        state_from="",
        state_to=deal.state,
        policy_version=policy.version,
        key=key,
        previous_hash=GENESIS,
        on_behalf_of=actor.on_behalf_of,
        events=[to_plain(each) for each in (happened, *where)],
        receipt=receipt(actor, asked_at, codec.encode(opened)) if policy.rules >= SINCE else None,
    )
    sealed = sealed_with(entry, hash=entry_hash(entry))
    return Decision(replace(deal, version=1, last_hash=sealed.hash), sealed, ())


def consider(deal: Deal, command: Command, policy: Policy, now: str, facts: Facts = EMPTY_FACTS) -> Context:
    """Judge a command without carrying it out: guards whose facts are not known yet are left open.

    Raises MoveRefused with every failing guard.
    """
    context, _ = _judge(deal, command, policy, now, facts, final=False)
    return context


def question(context: Context, action: str) -> Question | None:
    """What the world must be asked next before this command can be decided, or None when it has told everything.

    Consider the command again with each answer: what it refuses is not asked for anything more, let alone reserved.
    """
    unknown = (ask for fact, ask in ACTIONS[action].asks.items() if getattr(context.facts, fact) is None)
    return next((asked for ask in unknown if (asked := ask(context)) is not None), None)


def decide(deal: Deal, command: Command, policy: Policy, now: str, facts: Facts = EMPTY_FACTS) -> Decision:
    """Carry out a command, or raise MoveRefused and change nothing."""
    context, verdicts = _judge(deal, command, policy, now, facts, final=True)
    spec = ACTIONS[command.action]
    events = followed(context, spec.handle(context))
    target = DEALS.fire(deal.state, command.action)
    if target != deal.state:
        events = [*events, *lifted_at_the_end(context, events, target), Moved(target)]
    events = [*events, *noted(context, command.action)]
    after, effects = apply(deal, events, now)
    entry = Entry(
        deal_id=deal.id,
        sequence=deal.version + 1,
        at=now,
        actor=command.actor.user,
        role=context.role,
        action=command.action,
        state_from=deal.state,
        state_to=after.state,
        policy_version=policy.version,
        key=command.key,
        previous_hash=deal.last_hash,
        on_behalf_of=command.actor.on_behalf_of,
        payload=command.payload,
        facts=_plain_facts(facts),
        verdicts=[with_inputs(v) if policy.rules >= SINCE else codec.encode(v) for v in verdicts],
        events=[to_plain(e) for e in events],
        receipt=_receipt(deal, command, verdicts, events, effects) if policy.rules >= SINCE else None,
    )
    sealed = sealed_with(entry, hash=entry_hash(entry))
    return Decision(replace(after, last_hash=sealed.hash), sealed, effects)


def _receipt(
    deal: Deal, command: Command, verdicts: list[Verdict], events: list[Event], effects: tuple[Effect, ...]
) -> dict[str, Any]:
    approvals = counted(deal, verdicts, events, command.actor.user)
    return receipt(command.actor, command.asked_at, command.payload, approvals, effects)


def apply(deal: Deal, events: Iterable[Event], at: str) -> tuple[Deal, tuple[Effect, ...]]:
    """The deal after one entry's events, with the effects that they add (they are pending in the deal, too)."""
    return _apply(deal, events, at, deal.last_hash)


def _apply(deal: Deal, events: Iterable[Event], at: str, last_hash: str) -> tuple[Deal, tuple[Effect, ...]]:
    sequence = deal.version + 1
    added: list[Effect] = []
    for happened in events:
        deal = happened.apply(deal, at)
        for effect in happened.effects(deal, at):
            key = f"{deal.id}:{sequence}:{len(added)}:{effect.kind}"
            added.append(Effect(effect.kind, effect.data, key))
    pending = (*deal.pending, *added) if added else deal.pending
    after = replace(deal, version=sequence, updated_at=at, pending=pending, last_hash=last_hash)
    return after, tuple(added)


def fold(entries: Iterable[Entry], deal: Deal | None = None) -> Deal:
    """The deal that a timeline tells of; the rest of a timeline is folded on to the `deal` before it.

    Raises ValueError when an entry is not a move that the table allows.
    """
    for entry in entries:
        events = [from_plain(plain) for plain in entry.events]
        if deal is None:
            first = events[0] if events else None
            if not isinstance(first, DealOpened):
                raise ValueError(f"{entry.deal_id}: the timeline does not begin with an opening")
            deal, _ = _apply(replace(first.create(entry.at), version=0), events[1:], entry.at, entry.hash)
            continue
        row = DEAL.row(deal.state, entry.action)
        if row is None:
            raise ValueError(f"{entry.deal_id}/{entry.sequence}: {entry.action} is not possible in {deal.state}")
        target = row.target_from(deal.state)
        deal, _ = _apply(deal, events, entry.at, entry.hash)
        if deal.state != target or entry.state_to != target:
            raise ValueError(f"{entry.deal_id}/{entry.sequence}: {entry.action} led to {deal.state}, not {target}")
    if deal is None:
        raise ValueError("an empty timeline tells of no deal")
    return deal


def automatic(deal: Deal, policy: Policy, now: str) -> Command | None:
    """The move that the deal makes by itself now, if there is one. An account ends only when somebody says so."""
    if deal.is_account:
        return None
    for action in ("conclude_contract", "deliver_all", "resume_fulfilment", "default"):
        if DEALS.table.row(deal.state, action) is None:
            continue
        command = Command(action, SYSTEM, f"auto:{deal.version + 1}:{action}")
        try:
            consider(deal, command, policy, now)
        except MoveRefused:
            continue
        return command
    return None


def due_command(item: AgendaItem) -> Command:
    """The engine's command for an agenda item that came due."""
    return Command(item.action, SYSTEM, f"agenda:{item.key}", dict(item.payload))


def allowed_actions(deal: Deal, roles: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """Actions that the state's table gives to any of these roles (guards may still refuse)."""
    mine = set(roles)
    return tuple(a for a in DEALS.table.exits[deal.state] if mine & _row(deal.state, a).roles)


def _row(state: str, action: str) -> Row:
    return DEALS.table.index[(state, action)]


def _judge(
    deal: Deal, command: Command, policy: Policy, now: str, facts: Facts, *, final: bool
) -> tuple[Context, list[Verdict]]:
    spec = ACTIONS.get(command.action)
    if spec is None or command.action not in DEALS.table.actions:
        raise MoveRefused(_refusal(deal, command, "unknown_action", f"there is no action {command.action!r}"))
    row = DEALS.table.row(deal.state, command.action)
    if row is None:
        raise MoveRefused(_wrong_state(deal, command))
    if command.expected_version and command.expected_version != deal.version:
        message = f"the deal is at version {deal.version}, not {command.expected_version}"
        raise MoveRefused(_refusal(deal, command, "stale_version", message))
    role = next((r for r in command.actor.roles if r in row.roles), "")
    if not role:
        raise MoveRefused(_wrong_role(deal, command, row))
    context = Context(deal, command.actor, role, _payload(deal, command, spec), facts, policy, now)
    verdicts = judge_guards(row, context, final=final)
    try:
        DEALS.fire(deal.state, command.action, lambda: all(v.ok for v in verdicts))
    except GuardsFailed:
        failing = tuple(v for v in verdicts if not v.ok)
        names = "; ".join(f"needs {v.needed}, found {v.found}" for v in failing)
        message = f"{command.action} is blocked: {names}"
        raise MoveRefused(_refusal(deal, command, "guard_failed", message, failing=failing)) from None
    return context, verdicts


def judge_guards(row: Row, context: Context, *, final: bool = False) -> list[Verdict]:
    """The verdicts of a row's guards, all of them. A guard whose inputs are not known is left out, or does not
    hold when the judgement is final."""
    verdicts: list[Verdict] = []
    for name in row.guards:
        verdict = GUARDS[name].judge(context)
        if GUARDS[name].since > context.policy.rules and not (GUARDS[name].refuses_older and _fails(verdict)):
            continue
        if verdict is not None:
            verdicts.append(verdict)
        elif final:
            verdicts.append(Verdict(name, False, "not known", GUARDS[name].needed, GUARDS[name].lifted_by))
    return verdicts


def _fails(verdict: Verdict | None) -> bool:
    return verdict is not None and not verdict.ok


def _payload(deal: Deal, command: Command, spec: ActionSpec) -> Any:
    try:
        return codec.decode(spec.payload, command.payload)
    except codec.Malformed as problem:
        refusal = _refusal(deal, command, "malformed", str(problem))
        raise MoveRefused(sealed_with(refusal, field_errors={problem.where: problem.why})) from None


def _refusal(deal: Deal, command: Command, code: str, message: str, failing: tuple[Verdict, ...] = ()) -> Refusal:
    allowed = tuple(a for a in DEALS.table.exits[deal.state] if set(command.actor.roles) & _row(deal.state, a).roles)
    return Refusal(code, command.action, deal.state, message, failing, allowed_actions=allowed)


def _wrong_state(deal: Deal, command: Command) -> Refusal:
    states = DEALS.table.states_with(command.action)
    message = f"{command.action} is not possible in {deal.state}; it is in: {', '.join(states)}"
    return sealed_with(_refusal(deal, command, "wrong_state", message), states_allowed=tuple(map(str, states)))


def _wrong_role(deal: Deal, command: Command, row: Row) -> Refusal:
    able = tuple(sorted(map(str, row.roles)))
    message = f"{command.action} needs one of the roles: {', '.join(able)}"
    return sealed_with(_refusal(deal, command, "wrong_role", message), roles_allowed=able)


def _plain_facts(facts: Facts) -> dict[str, Any]:
    if facts is EMPTY_FACTS:
        return {}
    plain: dict[str, Any] = codec.encode(facts)
    return {name: value for name, value in plain.items() if value is not None}
