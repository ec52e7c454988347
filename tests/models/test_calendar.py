"""Working days: weekends and public holidays don't count."""

import pytest

from models.calendar import plus_working, working_days
from models.instants import DAY, HOUR

EASTER_2027 = "2027-03-26 2027-03-29"


@pytest.mark.parametrize(
    ("at", "seconds", "until"),
    [
        ("2026-11-23T09:00:00Z", 0, "2026-11-23T09:00:00Z"),
        ("2026-11-23T09:00:00Z", 4 * HOUR, "2026-11-23T13:00:00Z"),
        ("2026-11-23T09:00:00Z", 2 * DAY, "2026-11-25T09:00:00Z"),
        ("2026-11-20T09:00:00Z", DAY, "2026-11-23T09:00:00Z"),  # Friday to Monday
        ("2026-11-20T22:00:00Z", 4 * HOUR, "2026-11-23T02:00:00Z"),  # over midnight into Monday
        ("2026-11-21T15:30:00Z", DAY, "2026-11-24T00:00:00Z"),  # begins on Monday morning
        ("2026-11-22T15:30:00Z", 2 * HOUR, "2026-11-23T02:00:00Z"),
        ("2027-03-25T10:00:00Z", DAY, "2027-03-30T10:00:00Z"),  # Good Friday, weekend, Easter Monday
        ("2027-03-26T10:00:00Z", HOUR, "2027-03-30T01:00:00Z"),
        ("2026-11-23T09:00:00Z", 10 * DAY, "2026-12-07T09:00:00Z"),
    ],
)
def test_working_time_leaves_out_free_days(at, seconds, until):
    assert plus_working(at, seconds, EASTER_2027) == until


def test_without_holidays_only_weekends_are_free():
    assert plus_working("2027-03-25T10:00:00Z", DAY) == "2027-03-26T10:00:00Z"


def test_working_time_is_not_counted_backwards():
    with pytest.raises(ValueError, match="forwards"):
        plus_working("2026-11-23T09:00:00Z", -1)


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2026-11-23", "2026-11-23", 0),
        ("2026-11-20", "2026-11-23", 1),
        ("2026-11-23T20:00:00Z", "2026-11-25T01:00:00Z", 2),
        ("2027-03-25", "2027-03-30", 1),
        ("2026-11-25", "2026-11-23", 0),
    ],
)
def test_working_days_between(start, end, count):
    assert working_days(start, end, EASTER_2027) == count
