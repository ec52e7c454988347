"""The day on which a run of the tests begins: one of its own, the one that DEALWRIGHT_TEST_DAY names, or, by
`make test-days` (`python -m tests.days`), one special day after the other."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import holidays

AHEAD = "DEALWRIGHT_TEST_CLOCK_AHEAD"
DAY = "DEALWRIGHT_TEST_DAY"
FARTHEST = timedelta(days=5 * 365)
KNOW_A_DAY = frozenset(
    (
        "tests/cli/test_duties.py",
        "tests/cli/test_letters.py",
        "tests/cli/test_reconcile.py",
        "tests/infra/test_schedules.py",
    )
)
"""What reckons from today, beside every test that has an engine."""


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
        raise ValueError(f"{DAY}={named} is past: an engine's clock goes forward only")
    return max(ahead, 0)


def special_days(today: date) -> dict[str, str]:
    """Days after `today` on which software of this kind breaks, soonest first, each with what is special about it."""
    found = {today + timedelta(days=days): f"a {today + timedelta(days=days):%A}" for days in range(1, 8)}

    def mark(name: str, days: Iterator[date]) -> None:
        day = next(day for day in days if day > today)
        found[day] = f"{name}, a {day:%A}"

    years = range(today.year, today.year + 9)
    mark("the end of a month", (date(today.year + m // 12, m % 12 + 1, 1) - timedelta(days=1) for m in range(1, 25)))
    mark("a leap day", (date(year, 2, 29) for year in years if year % 4 == 0))
    mark("Christmas Eve", (date(year, 12, 24) for year in years))
    mark("the first day of a year", (date(year, 1, 1) for year in years))
    mark("the second day of a year", (date(year, 1, 2) for year in years))
    mark("the last day of a half-year", (date(year, 6, 30) for year in years))
    mark("the first day of a half-year, when rates change", (date(year, 7, 1) for year in years))
    mark("Good Friday", _good_fridays(years))
    mark("five years ahead", iter([today + FARTHEST]))
    return {f"{day:%Y-%m-%d}": found[day] for day in sorted(found)}


def _good_fridays(years: range) -> Iterator[date]:
    for year in years:
        yield from holidays.country_holidays("DE", years=year, language="en_US").get_named("Good Friday")


def main(arguments: list[str]) -> int:
    """Run what can know a day at each special day, at half a minute before midnight on the ends of something."""
    failed = []
    for day, special in special_days(datetime.now(UTC).date()).items():
        begins = f"{day}T23:59:30Z" if "end" in special or "last" in special else f"{day}T07:00:00Z"
        print(f"=== {begins}: {special}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "--knowing-a-day-only", *arguments]
        if subprocess.run(command, env={**os.environ, DAY: begins}).returncode:
            failed.append(f"{DAY}={begins}")
    print(f"red on: {', '.join(failed)}" if failed else "green on every day", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
