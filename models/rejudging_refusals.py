"""Judging refused acts again, as far as their record suffices: what was asked (the payload) is not kept of an act that
was refused, nor with which roles."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.command import Actor, Context
from models.deal import EMPTY_FACTS, fold, judge_guards
from models.deal_state import Deal
from models.errors import Verdict
from models.instants import plus
from models.lifecycle.guards import GUARDS
from models.lifecycle.machines import DEALS
from models.lifecycle.roles import PERSONS
from models.lifecycle.table import Row
from models.policy import Policy
from models.replaying import RULES, Difference
from models.timeline import Entry

NEARBY = 60
"""Seconds by which the clock that dated a refusal may differ from the engine's, which dated the entries."""


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """A refused act as it stands in the records: `detail` is what the caller was told."""

    number: int
    at: str
    actor: str
    action: str
    code: str
    detail: Mapping[str, Any]


@dataclass(slots=True)
class RefusalsRejudged:
    """How many refusals were judged again; why the others could not be; what came out different."""

    judged: int = 0
    unjudged: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def leave(self, why: str) -> None:
        """Count one that could not be judged."""
        self.unjudged[why] = self.unjudged.get(why, 0) + 1


@dataclass(frozen=True, slots=True)
class _Version:
    """The deal after one entry, and when the next one followed (empty: it is the last)."""

    deal: Deal
    since: str
    until: str


def rejudge_refusals(
    deal_id: str, refusals: Sequence[RefusedAct], entries: Sequence[Entry], policies: Mapping[str, Policy]
) -> RefusalsRejudged:
    """Judge refusals again on the deal as it was when they were said. Raises ValueError when the timeline does not
    fold; nothing can be judged on it then."""
    done = RefusalsRejudged()
    if not refusals:
        return done
    versions = list(_versions(entries))
    for refused in refusals:
        why, unjudged = _judged_again(refused, versions, policies)
        if unjudged:
            done.leave(unjudged)
            continue
        done.judged += 1
        if why:
            about = f"refusal {refused.number} ({refused.action}, {refused.code}): {why}"
            done.differences.append(Difference(deal_id, 0, RULES, about))
    return done


def _versions(entries: Sequence[Entry]) -> Iterator[_Version]:
    deal: Deal | None = None
    for place, entry in enumerate(entries):
        deal = fold((entry,), deal)
        yield _Version(deal, entry.at, entries[place + 1].at if place + 1 < len(entries) else "")


def _judged_again(refused: RefusedAct, versions: Sequence[_Version], policies: Mapping[str, Policy]) -> tuple[str, str]:
    """What is different, and why it could not be judged; at most one of them."""
    if refused.code == "unknown_action":
        return ("there is such an action" if refused.action in DEALS.table.actions else ""), ""
    if refused.code not in ("wrong_state", "guard_failed"):
        return "", f"{refused.code}: what was asked, or with which roles, is not kept"
    state = str(refused.detail.get("state", ""))
    stood = [each for each in versions if each.deal.state == state and _at_the_time(each, refused.at)]
    if not stood:
        return f"the deal was not in {state} then", ""
    if refused.code == "wrong_state":
        row = DEALS.table.row(state, refused.action)
        return (f"{refused.action} is possible in {state}" if row else ""), ""
    return _guards_again(refused, state, stood, policies)


def _at_the_time(version: _Version, at: str) -> bool:
    """Whether this version may have stood then. A test deal lives in its own time, refusals in ours: any may have."""
    if version.deal.is_test:
        return True
    return plus(version.since, -NEARBY) <= at and (not version.until or at <= plus(version.until, NEARBY))


def _guards_again(
    refused: RefusedAct, state: str, stood: Sequence[_Version], policies: Mapping[str, Policy]
) -> tuple[str, str]:
    row = DEALS.table.row(state, refused.action)
    if row is None:
        return f"{refused.action} is not possible in {state} at all", ""
    told = {str(verdict.get("guard")): verdict for verdict in refused.detail.get("failing", ())}
    if strange := sorted(set(told) - set(GUARDS)):
        return "", f"guard {strange[0]} is not one of the deal's table"
    if foreign := sorted(set(told) - set(row.guards)):
        return f"{refused.action} has no guard {foreign[0]}", ""
    alone = {name for name in row.guards if not GUARDS[name].needs}
    if not alone & set(told):
        return "", "guard_failed: its guards looked at what was asked, or at facts, which are not kept"
    why = ""
    for judged in _judgements(refused, row, stood, policies):
        if not (why := _unlike(told, judged, alone)):
            return "", ""
    if not why:
        return "", "there is no policy that it could be judged under"
    if stood[0].deal.is_test:
        return "", "guard_failed: a test deal's own time is not kept with a refusal"
    return why, ""


def _judgements(
    refused: RefusedAct, row: Row, stood: Sequence[_Version], policies: Mapping[str, Policy]
) -> Iterator[list[Verdict]]:
    """What the guards say on each version that may have stood, to somebody with each role that may have asked."""
    for version in reversed(stood):
        policy = policies.get(version.deal.policy_version)
        now = refused.at if not version.deal.is_test else version.until or version.since
        for role in sorted(row.roles & PERSONS) if policy else ():
            actor = Actor(refused.actor, (str(role),))
            assert policy is not None
            yield judge_guards(row, Context(version.deal, actor, str(role), None, EMPTY_FACTS, policy, now))


def _unlike(told: Mapping[str, Any], judged: Iterable[Verdict], alone: set[str]) -> str:
    """In what the guards that need the deal alone differ from what was told; empty when they say the same."""
    failing = {verdict.guard: verdict for verdict in judged if not verdict.ok and verdict.guard in alone}
    for name in sorted(alone & (set(told) | set(failing))):
        mine, theirs = failing.get(name), told.get(name)
        if mine is None or theirs is None:
            return f"guard {name} {'held' if mine is None else 'did not hold, which nobody was told'}"
        if (mine.found, mine.needed) != (theirs.get("found"), theirs.get("needed")):
            return f"guard {name} found {mine.found!r}, the caller was told {theirs.get('found')!r}"
    return ""
