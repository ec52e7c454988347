"""The day on which a run of the tests begins: a day of its own, or the one that DEALWRIGHT_TEST_DAY names."""

import random
from datetime import UTC, datetime, timedelta

AHEAD = "DEALWRIGHT_TEST_CLOCK_AHEAD"
FARTHEST = timedelta(days=5 * 365)


def seconds_ahead(named: str) -> int:
    """How far the named instant, or day, is ahead of the wall clock; of any in the next five years without a name.

    A day without an hour begins at the present hour. Raises ValueError for what is past.
    """
    now = datetime.now(UTC)
    if not named:
        return random.SystemRandom().randrange(int(FARTHEST.total_seconds()))
    begins = datetime.fromisoformat(named)
    if "T" not in named:
        begins = datetime.combine(begins, now.time())
    ahead = round((begins.replace(tzinfo=begins.tzinfo or UTC) - now).total_seconds())
    if ahead < -5:
        raise ValueError(f"DEALWRIGHT_TEST_DAY={named} is past: an engine's clock goes forward only")
    return max(ahead, 0)
