"""Instants: one spelling, UTC, whole seconds; and days."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.instants import DAY, between, canonical, day_start, parse, plus, render

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=84_000)).map(lambda since: EPOCH + since)
SECONDS = st.integers(-(10**9), 10**9)


@given(MOMENTS)
def test_what_is_rendered_parses_to_the_same_second(moment: datetime):
    text = render(moment)
    assert parse(text) == moment.replace(microsecond=0)
    assert canonical(text) == text


@given(MOMENTS, SECONDS)
def test_plus_and_between_are_inverse(moment: datetime, seconds: int):
    start = render(moment)
    assert between(start, plus(start, seconds)) == seconds


@given(st.lists(MOMENTS, min_size=2, max_size=5))
def test_instants_sort_as_text(moments: list[datetime]):
    texts = [render(moment) for moment in moments]
    assert sorted(texts) == [render(moment) for moment in sorted(moments)]


def test_other_zones_and_fractions_have_one_spelling():
    assert canonical("2026-03-01T10:00:00.999+02:00") == "2026-03-01T08:00:00Z"
    assert render(datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=2)))) == "2026-03-01T08:00:00Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01"])
def test_what_is_no_instant_is_refused(text: str):
    with pytest.raises(ValueError, match=r"instant|isoformat|day is out of range"):
        parse(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_outside_of_the_calendar_is_a_wrong_value_like_any_other(text: str):
    with pytest.raises(ValueError, match="outside of the years 1 to 9999"):
        canonical(text)


def test_a_day_begins_at_midnight():
    assert day_start("2026-02-28") == "2026-02-28T00:00:00Z"
    assert between(day_start("2026-02-28"), day_start("2026-03-01")) == DAY


@pytest.mark.parametrize("day", ["20260228", "2026-W09-6", "2026-02-30", "2026-2-3", "soon", ""])
def test_a_day_has_one_spelling(day: str):
    with pytest.raises(ValueError, match=r"day|isoformat|Invalid"):
        day_start(day)
