"""The only code that changes a state: tables turned into `transitions` machines that say no in one way."""

from collections.abc import Callable
from typing import Any

from transitions import EventData, Machine, MachineError

from models.lifecycle.table import Table

Judge = Callable[[], bool]


class NoSuchMove(Exception):
    """The table has no row for the action in this state."""

    def __init__(self, table: str, state: str, action: str) -> None:
        super().__init__(f"{table}: {action} is not possible in {state}")
        self.table, self.state, self.action = table, state, action


class GuardsFailed(Exception):
    """The row exists, but its guards do not all hold."""


class _Subject:
    """What `transitions` moves: nothing but a state."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


def _guards_hold(event: EventData) -> bool:
    judge: Judge | None = event.kwargs.get("judge")
    return judge() if judge else True


class Lifecycle:
    """One table's state machine. Built once per process; firing costs about 10 microseconds."""

    def __init__(self, table: Table) -> None:
        self.table = table
        transitions = [
            {
                "trigger": row.action,
                "source": str(source),
                "dest": str(row.target_from(source)),
                "conditions": _guards_hold,
            }
            for row in table.rows
            for source in row.sources
        ]
        self._machine = Machine(
            model=None,
            states=[str(s) for s in table.states],
            initial=str(table.initial),
            transitions=transitions,
            auto_transitions=False,
            send_event=True,
        )
        self._events: dict[str, Any] = self._machine.events
        self._moved: dict[tuple[str, str], str] = {}

    def fire(self, state: str, action: str, judge: Judge | None = None) -> str:
        """The state after `action` in `state`. Raises NoSuchMove, or GuardsFailed when `judge` says no."""
        if judge is not None:
            return self._trigger(state, action, judge)
        # without a judge the machine's answer is always the same: it is asked once, as folds move thousands of parts
        after = self._moved.get((state, action))
        if after is None:
            after = self._moved[state, action] = self._trigger(state, action, None)
        return after

    def _trigger(self, state: str, action: str, judge: Judge | None) -> str:
        subject = _Subject(str(state))  # `transitions` would look up an enum member by its name
        event = self._events.get(action)
        if event is None:
            raise NoSuchMove(self.table.name, state, action)
        try:
            moved = event.trigger(subject, judge=judge)
        except MachineError:
            raise NoSuchMove(self.table.name, state, action) from None
        if not moved:
            raise GuardsFailed(f"{self.table.name}: a guard of {action} does not hold in {state}")
        return subject.state
