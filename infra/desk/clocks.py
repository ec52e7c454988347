"""The wall clock, the only one that real deals know."""

from collections.abc import Callable
from datetime import UTC, datetime

from models.instants import render

Clock = Callable[[], str]
"""Answers the instant now."""


def wall_clock() -> str:
    """Now, as an instant."""
    return render(datetime.now(UTC))
