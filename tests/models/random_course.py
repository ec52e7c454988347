"""Where a random walk goes next: half of the time to what it has not carried out yet, so that it gets there by design.

New actions of the table are sought by themselves; what they need is a payload in `random_acts`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from models.deal_state import Deal
from models.errors import Refusal
from models.lifecycle.machines import DEALS
from models.lifecycle.roles import Role
from models.rules import ACTIONS
from models.stages.handling import Empty
from tests.models import random_acts
from tests.models.random_acts import FIELDS

Choosing = Callable[[Random, Deal], str]

OCCASIONS = {
    "invoice_is_open": ("ship", "deliver", "bring_invoice"),
    "invoice_is_known": ("ship", "deliver", "bring_invoice"),
    "credit_is_there": ("record_payment",),
    "shipment_is_known": ("ship",),
    "lines_are_known": ("ship", "deliver"),
    "discrepancy_is_open": ("report_discrepancy",),
    "case_is_open": ("open_case",),
    "disagreement_is_open": ("raise_disagreement",),
}
"""The acts after which a guard holds that itself tells people no more than to name something else."""


def peoples_actions() -> set[str]:
    """Every action that a row of the table lets a person carry out."""
    return {row.action for row in DEALS.table.rows if row.roles - {Role.SYSTEM}}


@dataclass
class Course:
    """The actions that a walk has to carry out, the events that some of them have to bring, and what became of each.

    `path` is what it is about on this deal: an action that is left, behind it one that would lift what stood in its
    way, and so on, as far as `patience` reaches. What was asked for `in_vain` thrice, and nothing would help, is left
    to another deal. `waits` says that only time would help.
    """

    wanted: Iterable[str] = field(default_factory=peoples_actions)
    outcomes: Mapping[str, set[str]] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    refused: dict[str, Refusal] = field(default_factory=dict)
    sought: Counter[str] = field(default_factory=Counter)
    path: list[str] = field(default_factory=list)
    patience: int = 0
    in_vain: Counter[str] = field(default_factory=Counter)
    waits: bool = False

    def fits(self, deal: Deal) -> bool:
        """Whether the deal's state allows, or leads to, what was sought least of what is left."""
        least = sorted(self.left, key=lambda action: (self.sought[action], action))[:1]
        return not least or least[0] in DEALS.table.exits[deal.state] or bool(self._steps(deal.state, set(least)))

    def begin(self) -> None:
        """Another deal."""
        self.path, self.in_vain, self.waits = [], Counter(), False

    @property
    def is_over(self) -> bool:
        """Whether all that is left was asked for in vain on this deal."""
        return bool(self.left) and all(self.in_vain[action] >= 3 for action in self.left)

    def next(self, rng: Random, deal: Deal, otherwise: Choosing = random_acts.something) -> str:
        """What somebody asks for: half of the time the next step on the path, else what is usual in this state."""
        exits = DEALS.table.exits[deal.state]
        if not self.path or self.path[-1] not in exits or not self.patience:
            self._set_out(rng, deal.state)
        if not self.path or rng.random() < 0.5:
            return otherwise(rng, deal)
        self.patience -= 1
        return self.path[-1]

    def _set_out(self, rng: Random, state: str) -> None:
        """Towards what was sought least of what is left in this state, or to another state."""
        left = {action for action in self.left if self.in_vain[action] < 3}
        near = [a for a in DEALS.table.exits[state] if a in left] or self._steps(state, left)
        self.path = sorted(near, key=lambda action: (self.sought[action], rng.random()))[:1]
        self.sought.update(self.path)
        self.patience = 10

    def told(self, action: str, refusal: Refusal | None) -> None:
        """An action was asked for, and carried out or refused; the guards say what would lift them."""
        self.asked[action] += 1
        self.waits = False
        if refusal is None:
            self.done[action] += 1
            self.path = [each for each in self.path if each != action]
            return
        self.refused[action] = refusal
        if self.path[-1:] != [action]:
            return
        named = {word for verdict in refusal.failing for who in verdict.lifted_by for word in who.split()}
        named |= {each for verdict in refusal.failing for each in OCCASIONS.get(verdict.guard, ())}
        helping = sorted(named & set(DEALS.table.exits.get(refusal.state, ())) - set(self.path))
        if helping:
            self.path.append(min(helping, key=lambda action: self.asked[action]))
        elif refusal.code == "guard_failed":
            self.waits = any(who.startswith("system:") for verdict in refusal.failing for who in verdict.lifted_by)
            self.in_vain.update([self.path.pop(0)])
            self.path = []

    @property
    def left(self) -> set[str]:
        """The actions that are still to be carried out, or to be carried out otherwise."""
        return {a for a in self.wanted if not self.done[a] or not self.outcomes.get(a, set()) <= self.met}

    def _steps(self, state: str, left: set[str]) -> list[str]:
        """People's actions that lead from a state nearer to the next one in which something is left to do."""
        rows, exits = DEALS.table.index, DEALS.table.exits
        reached = {here for here in exits if left & set(exits[here])}
        while reached and state not in reached:
            before = {here for (here, _), row in rows.items() if row.target_from(here) in reached}
            if state in before:
                ours = [a for a in exits[state] if rows[state, a].roles - {Role.SYSTEM}]
                return [action for action in ours if rows[state, action].target_from(state) in reached]
            if before <= reached:
                return []
            reached |= before
        return []

    def missing(self) -> Iterator[str]:
        """What is left, row by row of the table, and why."""
        for row in DEALS.table.rows:
            if row.action in self.left:
                where = f"{', '.join(row.sources)} --{row.action}--> {row.target}"
                yield f"{where}: {self._why(row.action)}"

    def _why(self, action: str) -> str:
        if self.done[action]:
            return f"carried out {self.done[action]} times, and never {', '.join(self.outcomes[action] - self.met)}"
        spec = ACTIONS.get(action)
        if spec is None:
            return "no stage handles it"
        if spec.payload is not Empty and action not in FIELDS:
            return f"nobody knows what to say: add {action} to FIELDS of tests/models/random_acts.py"
        if not self.asked[action]:
            return "no walk came to a state that allows it: add a start from where it does"
        last = self.refused[action]
        failing = ", ".join(f"{verdict.guard} found {verdict.found}" for verdict in last.failing)
        return f"refused all {self.asked[action]} times, last with {last.code}: {failing or last.message}"
