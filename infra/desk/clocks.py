"""The wall clock, the only one that real deals know."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from models.instants import render

Clock = Callable[[], str]
"""Answers the instant now."""

_ahead = timedelta()


def wall_clock() -> str:
    """Now, as an instant; in a system for training or tests, so far ahead as it lives."""
    return render(datetime.now(UTC) + _ahead)


def live_ahead(seconds: int) -> None:
    """From now on this process lives `seconds` ahead (DEALWRIGHT_TEST_CLOCK_AHEAD)."""
    global _ahead
    _ahead = timedelta(seconds=seconds)
