"""Finds over a sequence of acts where duties were combined that must be separate, through deputies as well.

The acts may be ours or those of any event log: what is known of them is a case, an activity, who did it, and when.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.deputies import Deputyship, stands_in_for
from models.duties import CONFLICTS, DUTY_OF, Conflict
from models.instants import between

APPROVED_OTHER = "approval_of_something_else"
"""The finding that what was done is not what the approval was bound to."""


@dataclass(frozen=True, slots=True)
class DutyEvent:
    """One act. `activity` is one of the acts that `models.duties` names (others are of no interest), `where` says where
    it stands on record, `objects` name what it was about as kind:name.

    `executed` is the hash of what was done, `relied_on` those to which the approvals were bound that it needed. `duty`
    is told for acts of other systems, whose names are not ours.
    """

    case: str
    activity: str
    resource: str
    at: str
    on_behalf_of: str = ""
    where: str = ""
    objects: tuple[str, ...] = ()
    is_machine: bool = False
    executed: str = ""
    relied_on: tuple[str, ...] = ()
    duty: str = ""

    @property
    def people(self) -> tuple[str, ...]:
        """Who acted, and for whom."""
        return (self.resource, self.on_behalf_of) if self.on_behalf_of else (self.resource,)


@dataclass(frozen=True, slots=True)
class Done:
    """An act as a finding shows it."""

    where: str
    at: str
    activity: str
    who: str
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken on an object. `link` says how the people are one, `prevented` whether acts that break the
    rule are refused (then somebody went past us, or it was another system)."""

    rule: str
    severity: str
    prevented: bool
    case: str
    about: str
    people: tuple[str, ...]
    link: str
    acts: tuple[Done, ...]
    why: str


class ConflictFinder:
    """Goes through acts and finds conflicts. It remembers one act per rule, side, object and group of people: for rules
    with a window the latest, so give it those in the order of their times."""

    def __init__(self, deputies: Iterable[Deputyship] = (), rules: Sequence[Conflict] = CONFLICTS) -> None:
        self._deputies = _Links(deputies)
        self._rules: dict[str, list[Conflict]] = defaultdict(list)
        for rule in rules:
            for duty in {rule.first, rule.second}:
                self._rules[duty].append(rule)
        self._seen: dict[tuple[str, str, str], dict[tuple[str, ...], DutyEvent]] = defaultdict(dict)
        self._told: set[tuple[str, str, frozenset[str]]] = set()

    def feed(self, event: DutyEvent) -> list[Finding]:
        """What the act breaks, together with acts before it; each rule once per object and people."""
        found = _unlike_approval(event)
        duty = event.duty or DUTY_OF.get(event.activity, "")
        if event.is_machine:
            return found
        for rule in self._rules.get(duty, ()):
            for about in _objects(rule, event):
                earlier = self._seen.get((rule.name, rule.other(duty), about), {})
                found += self._met(rule, about, event, earlier)
                self._seen[rule.name, duty, about][event.people] = event
        return found

    def forget(self) -> None:
        """Begin with another case: nothing of the cases before can come again."""
        self._seen.clear()
        self._told.clear()

    def _met(
        self, rule: Conflict, about: str, event: DutyEvent, others: dict[tuple[str, ...], DutyEvent]
    ) -> list[Finding]:
        found: list[Finding] = []
        for other in others.values():
            if rule.within and abs(between(other.at, event.at)) > rule.within:
                continue
            link = self._deputies.link(other, event)
            people = frozenset(other.people + event.people)
            if link and (rule.name, about, people) not in self._told:
                self._told.add((rule.name, about, people))
                found.append(_finding(rule, about, link, other, event))
        return found


class _Links:
    """Deputyships by the people whom they link."""

    def __init__(self, deputies: Iterable[Deputyship]) -> None:
        self._all = tuple(deputies)
        self._linked = {user for ship in self._all for user in (ship.absent, ship.deputy)}

    def link(self, first: DutyEvent, second: DutyEvent) -> str:
        """In which way those who did two acts are one, or nothing."""
        both = set(first.people) & set(second.people)
        if both:
            return f"the same person: {', '.join(sorted(both))}"
        for one in first.people:
            for two in second.people:
                if one in self._linked and two in self._linked:
                    for at in (first.at, second.at):
                        if told := self._chain(one, two, at) or self._chain(two, one, at):
                            return told
        return ""

    def _chain(self, deputy: str, absent: str, at: str) -> str:
        behind = stands_in_for(deputy, self._all, at)
        if absent not in behind:
            return ""
        direct = any(s.deputy == deputy and s.absent == absent and s.active_at(at) for s in self._all)
        through = "" if direct else " through a chain of deputies"
        return f"{deputy} stood in for {absent}{through}"


def _objects(rule: Conflict, event: DutyEvent) -> tuple[str, ...]:
    """What the rule looks at in an act: its case, or objects of the rule's kind. An act that names none of them, as in
    the log of another system, is about its case."""
    if rule.scope == "deal":
        return (f"deal:{event.case}",)
    named = tuple(name for name in event.objects if name.startswith(f"{rule.scope}:"))
    return named or (() if event.objects else (f"deal:{event.case}",))


def _finding(rule: Conflict, about: str, link: str, *events: DutyEvent) -> Finding:
    first, second = sorted(events, key=lambda event: event.at)
    people = tuple(dict.fromkeys(first.people + second.people))
    acts = (_done(first), _done(second))
    return Finding(rule.name, rule.severity, rule.is_prevented, second.case, about, people, link, acts, rule.why)


def _done(event: DutyEvent) -> Done:
    return Done(event.where, event.at, event.activity, event.resource, event.on_behalf_of)


def _unlike_approval(event: DutyEvent) -> list[Finding]:
    if not event.relied_on or not event.executed or event.executed in event.relied_on:
        return []
    why = f"approved was {', '.join(event.relied_on)}, done was {event.executed}"
    about = f"subject:{event.executed}"
    return [Finding(APPROVED_OTHER, "high", True, event.case, about, event.people, "", (_done(event),), why)]


def in_order(events: Iterable[DutyEvent]) -> list[DutyEvent]:
    """Acts in the order of their times; at the same time as they came."""
    return sorted(events, key=lambda event: event.at)
