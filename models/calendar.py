"""Working days: deadlines that leave out weekends and public holidays.

Holidays are policy data and not computed here: a newer list of holidays must never move a deadline that was set.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache

from models.instants import DAY, parse, render

WEEKEND = (5, 6)
"""Saturday and Sunday, as `date.weekday` counts."""


def is_working(day: date, holidays: frozenset[str]) -> bool:
    """Whether people work on a day; `holidays` are ISO dates."""
    return day.weekday() not in WEEKEND and day.isoformat() not in holidays


@lru_cache(maxsize=64)
def days_of(listed: str) -> frozenset[str]:
    """The days in a list of ISO dates that are separated by spaces, as a policy keeps them."""
    return frozenset(listed.split())


@lru_cache(maxsize=4096)
def plus_working(at: str, seconds: int, listed: str = "") -> str:
    """The instant after `seconds` of working time. A working day counts as 24 hours and is a day in UTC, so
    `2 * DAY` means "on the second working day, at this hour"; time that begins on a free day begins when work does.

    `listed` are the public holidays, ISO dates separated by spaces.
    """
    if seconds < 0:
        raise ValueError("working time is counted forwards")
    holidays = days_of(listed)
    moment = parse(at)
    if not is_working(moment.date(), holidays):
        moment = _morning_after(moment, holidays)
    for _ in range(seconds // DAY):
        moment = _same_hour_next_working_day(moment, holidays)
    after = moment + timedelta(seconds=seconds % DAY)
    if after.date() != moment.date() and not is_working(after.date(), holidays):
        after = _same_hour_next_working_day(after, holidays)
    return render(after)


@lru_cache(maxsize=4096)
def working_days(start: str, end: str, listed: str = "") -> int:
    """Working days that begin after the day of `start` and not after the day of `end`; 0 when `end` is not later.

    Both are instants or ISO dates.
    """
    day, last = date.fromisoformat(start[:10]), date.fromisoformat(end[:10])
    holidays, count = days_of(listed), 0
    while day < last:
        day += timedelta(days=1)
        count += is_working(day, holidays)
    return count


def _same_hour_next_working_day(moment: datetime, holidays: frozenset[str]) -> datetime:
    moment += timedelta(days=1)
    while not is_working(moment.date(), holidays):
        moment += timedelta(days=1)
    return moment


def _morning_after(moment: datetime, holidays: frozenset[str]) -> datetime:
    return _same_hour_next_working_day(moment, holidays).replace(hour=0, minute=0, second=0)
