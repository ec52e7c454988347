"""The two instants that somebody asks about, as they are written and checked: as it was, and as we knew it."""

from dataclasses import dataclass

from infra.desk.errors import Invalid
from infra.stores.pages import Row
from models.as_of import FIRST_YEAR, LAST_YEAR, Times, moment


@dataclass(frozen=True, slots=True)
class Asked:
    """An instant or a day (which counts to its end, in UTC), and when that was known. Empty: as it is known now."""

    at: str = ""
    known_at: str = ""

    def times(self, now: str, *, ahead: bool = False) -> Times:
        """Both as instants. Today counts until now, and nothing is known of later than that, but of test deals, which
        may live `ahead` of us. Raises Invalid."""
        known = known_at(self.known_at, "known_at", now, ahead=ahead)
        at = _until(self.at, "at", known) or known
        if at > known:
            raise Invalid({"query.at": f"nobody knew at {known} what would be at {at}"})
        return Times(at, known)


def known_at(text: str, name: str, now: str, *, ahead: bool = False) -> str:
    """The instant whose knowledge counts; now without. Raises Invalid for one that is not here yet."""
    known = _until(text, name, now) or now
    if known > now and not ahead:
        raise Invalid({f"query.{name}": f"it is {now}: nobody knows yet what will be known at {known}"})
    return known


def now_of(row: Row, now: str) -> str:
    """Now for a deal: test deals live ahead of it, at their last act at least."""
    return max(now, str(row["updated_at"])) if row["is_test"] else now


def _until(text: str, name: str, last: str) -> str:
    """An instant, or the end of a day, but of the day of `last` no more than has passed by then; empty when nothing is
    given. Raises Invalid."""
    try:
        at = moment(text) if text else ""
    except (ValueError, OverflowError):
        why = f"a day such as 2026-03-31 or an instant such as 2026-03-31T08:00:00Z, from {FIRST_YEAR} to {LAST_YEAR}"
        raise Invalid({f"query.{name}": why}) from None
    return min(at, last) if at and "T" not in text and at[:10] == last[:10] else at
