"""Instants and durations as they travel: ISO 8601 UTC text with whole seconds, and integers of seconds."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

DAY = 86_400
HOUR = 3_600


@lru_cache(maxsize=4096)
def parse(at: str) -> datetime:
    """Read an instant such as ``2026-11-21T08:00:00Z``. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError(f"instant without a time zone: {at!r}")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"instant outside of the years 1 to 9999: {at!r}") from None


def render(moment: datetime) -> str:
    """Write an aware datetime as an instant; fractions of a second are cut off."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=4096)
def plus(at: str, seconds: int) -> str:
    """The instant that lies `seconds` after `at` (before it, when negative)."""
    return render(parse(at) + timedelta(seconds=seconds))


def between(start: str, end: str) -> int:
    """Whole seconds from `start` to `end`; negative when `end` comes first."""
    return int((parse(end) - parse(start)).total_seconds())


def canonical(at: str) -> str:
    """The same instant in the one spelling that compares by text. Raises ValueError when it is none."""
    return render(parse(at))


def day_start(day: str) -> str:
    """The instant at which a day such as ``2026-11-21`` begins. Raises ValueError for any other spelling."""
    start = canonical(f"{day}T00:00:00Z")
    if start[:10] != day:
        raise ValueError(f"a day must look like 2026-12-31, not {day!r}")
    return start
