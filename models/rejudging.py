"""Judging a timeline's acts again: the same deal, inputs and policy must give the very entry that is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models import codec
from models.command import Actor, Command, Facts
from models.deal import EMPTY_FACTS, Decision, decide, fold, open_deal
from models.deal_state import Deal
from models.errors import MoveRefused
from models.event import from_plain
from models.lifecycle.roles import PERSONS
from models.policy import Policy
from models.replaying import RULES, Difference, entry_difference
from models.stages.everywhere import CountrySet, CustomerCountrySet
from models.stages.opening import DealOpened
from models.timeline import Entry


@dataclass(slots=True)
class Rejudged:
    """How many acts and verdicts of a timeline were judged again, and what came out different."""

    acts: int = 0
    verdicts: int = 0
    differences: list[Difference] = field(default_factory=list)


def rejudge(deal_id: str, entries: Sequence[Entry], policies: Mapping[str, Policy]) -> Rejudged:
    """Judge every act of a timeline again, on the deal that the entries before it tell of, with the facts and payload
    that it recorded, under the policy that it names. Ends where the timeline does not fold any more: no deal stands
    there that the rest could be judged on."""
    done = Rejudged()
    deal: Deal | None = None
    for entry in entries:
        try:
            why, decision = _judged_again(deal, entry, policies)
            deal = decision.deal if decision is not None and not why else fold((entry,), deal)
        except Exception as problem:  # a forged entry may fail in any way; that it fails is what counts
            why = f"{entry.action} cannot be judged again: {problem}"
            done.differences.append(Difference(deal_id, entry.sequence, RULES, why))
            return done
        done.acts += 1
        done.verdicts += len(entry.verdicts)
        if why:
            done.differences.append(Difference(deal_id, entry.sequence, RULES, f"{entry.action}: {why}"))
    return done


def _judged_again(deal: Deal | None, entry: Entry, policies: Mapping[str, Policy]) -> tuple[str, Decision | None]:
    """Why the entry is not what the rules give (empty when it is), and what they give."""
    policy = policies.get(entry.policy_version)
    if policy is None:
        return f"there is no policy {entry.policy_version}", None
    if deal is not None and deal.policy_version != entry.policy_version:
        return f"it names the policy {entry.policy_version}, the deal was under {deal.policy_version}", None
    first: tuple[str, Decision | None] | None = None
    for roles in _roles(entry):
        found = _attempt(deal, entry, policy, roles)
        if not found[0]:
            return found
        first = first or found
    assert first is not None
    return first


def _attempt(deal: Deal | None, entry: Entry, policy: Policy, roles: tuple[str, ...]) -> tuple[str, Decision | None]:
    receipt = entry.receipt or {}
    instead = tuple(receipt.get("stands_in_for", ()))
    actor = Actor(entry.actor, roles, entry.on_behalf_of, str(receipt.get("credential", "")), instead)
    asked_at = str(receipt.get("asked_at", ""))
    try:
        if deal is None:
            decision = _opened_again(entry, actor, asked_at, policy)
        else:
            facts = codec.decode(Facts, entry.facts) if entry.facts else EMPTY_FACTS
            command = Command(entry.action, actor, entry.key, entry.payload, asked_at=asked_at)
            decision = decide(deal, command, policy, entry.at, facts)
    except MoveRefused as refused:
        return f"the rules refuse it: {_with_recorded(refused, entry)}", None
    return entry_difference(entry, decision.entry), decision


def _opened_again(entry: Entry, actor: Actor, asked_at: str, policy: Policy) -> Decision:
    happened, *others = map(from_plain, entry.events)
    if not isinstance(happened, DealOpened):
        raise ValueError("the timeline does not begin with an opening")
    country = next((each.country for each in others if isinstance(each, CountrySet)), "")
    abroad = next((each.country for each in others if isinstance(each, CustomerCountrySet)), "")
    return open_deal(
        entry.deal_id, happened.opened, actor, entry.key, policy, entry.at, country, abroad, asked_at
    )  # fmt: skip


def _roles(entry: Entry) -> list[tuple[str, ...]]:
    """The actor's roles. Entries of the first two generations name only the one that was acted in; whoever acted may
    have held another that lifted a limit."""
    if entry.receipt is not None:
        return [tuple(map(str, entry.receipt.get("roles", ())))]
    known = (entry.role,) if entry.role else ()
    return [known, *((*known, str(more)) for more in sorted(PERSONS) if more != entry.role)]


def _with_recorded(refused: MoveRefused, entry: Entry) -> str:
    recorded = {verdict.get("guard"): verdict for verdict in entry.verdicts}
    for verdict in refused.refusal.failing:
        stood = recorded.get(verdict.guard)
        said = "is not on record" if stood is None else f"held when it was recorded (found {stood.get('found')!r})"
        return f"guard {verdict.guard} {said}; it needs {verdict.needed}, found {verdict.found!r}"
    return refused.refusal.message
