"""The price of the table: `Lifecycle.fire` against a bare `transitions` machine that knows the same moves."""

from collections.abc import Callable
from typing import Any

from transitions import Machine

from benchmarks.figures import Figure, Target, of_spread
from benchmarks.measure import best_of, ratios, spread
from models.lifecycle.machines import DEALS

_STATE, _ACTION = "contacted", "qualify"


def yes() -> bool:
    """A guard that holds."""
    return True


class _Subject:
    """What a bare machine moves."""

    state = _STATE


def _bare(conditions: Callable[[], bool] | None) -> Callable[[], object]:
    """A trigger on a machine of the deal's states and moves; every call starts from the same state, as `fire` does."""
    subject: Any = _Subject()
    moves = [
        {"trigger": row.action, "source": str(source), "dest": str(row.target_from(source)), "conditions": conditions}
        for row in DEALS.table.rows
        for source in row.sources
    ]
    Machine(
        model=subject,
        states=[str(state) for state in DEALS.table.states],
        initial=_STATE,
        transitions=moves,
        auto_transitions=False,
    )

    def call() -> object:
        subject.state = _STATE
        return subject.qualify()

    return call


def triggers(batches: int, rounds: int) -> list[Figure]:
    """Microseconds of each, in turn, and their ratio."""
    with_guard, without = _bare(yes), _bare(None)
    ours, guarded, unguarded = [], [], []
    for _ in range(batches):
        ours.append(best_of(lambda: DEALS.fire(_STATE, _ACTION, yes), rounds, 1) * 1e6)
        guarded.append(best_of(with_guard, rounds, 1) * 1e6)
        unguarded.append(best_of(without, rounds, 1) * 1e6)
    return [
        of_spread("Lifecycle.fire with a guard", spread(ours), "us"),
        of_spread("bare transitions trigger, one condition", spread(guarded), "us"),
        of_spread("bare transitions trigger, no condition", spread(unguarded), "us"),
        of_spread("fire / bare trigger", ratios(ours, guarded), "x", Target("at most", 1.5)),
    ]
