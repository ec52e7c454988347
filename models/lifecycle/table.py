"""What a transition table is made of: rows (one allowed move each) and what every state expects."""

from dataclasses import dataclass
from functools import cached_property

from models.lifecycle.roles import Role

STAYS = "="
"""Target of a row whose action leaves the state as it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: `action` asked in one of `sources` by one of `roles` leads to `target`.

    `guards` name the conditions that must all hold; the registry in `guards.py` explains each.
    """

    action: str
    sources: tuple[str, ...]
    target: str
    roles: frozenset[Role]
    guards: tuple[str, ...] = ()
    summary: str = ""

    def target_from(self, source: str) -> str:
        """The state after the move from `source`."""
        return source if self.target == STAYS else self.target


@dataclass(frozen=True)
class Table:
    """A named transition table. Raises ValueError when two rows claim the same action in the same state."""

    name: str
    states: tuple[str, ...]
    initial: str
    terminal: frozenset[str]
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        seen: set[tuple[str, str]] = set()
        for row in self.rows:
            for source in row.sources:
                if source not in self.states or row.target_from(source) not in self.states:
                    raise ValueError(f"{self.name}: {row.action} names an unknown state")
                if (source, row.action) in seen:
                    raise ValueError(f"{self.name}: two rows for {row.action} in {source}")
                seen.add((source, row.action))

    @cached_property
    def index(self) -> dict[tuple[str, str], Row]:
        """(state, action) to the row that allows it."""
        return {(source, row.action): row for row in self.rows for source in row.sources}

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """All actions, in the order of the rows."""
        return tuple(dict.fromkeys(row.action for row in self.rows))

    @cached_property
    def exits(self) -> dict[str, tuple[str, ...]]:
        """State to the actions that are possible in it."""
        return {state: tuple(row.action for row in self.rows if state in row.sources) for state in self.states}

    def row(self, state: str, action: str) -> Row | None:
        """The row for an action in a state, or None."""
        return self.index.get((state, action))

    def states_with(self, action: str) -> tuple[str, ...]:
        """The states in which the action has a row."""
        return tuple(state for state in self.states if (state, action) in self.index)
