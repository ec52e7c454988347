"""Management's reports on the wire."""

from pydantic import Field

from api.wire.shared import Told


class Reported(Told):
    """The period of a report: days in UTC, both included, empty without an end."""

    first: str = Field(alias="from")
    last: str = Field(alias="to")
    test_deals: bool


class ResponseTimes(Told):
    """How a department answers requests of a kind. Times are seconds from asking to answering; null without answers."""

    role: str
    kind: str
    asked: int
    answered: int
    open: int
    late: int
    escalated: int
    mean_seconds: int | None
    median_seconds: int | None
    p90_seconds: int | None


class ResponseTimesReport(Reported):
    """Requests that were asked in the period; `late` are those answered after their due date or overdue at `as_of`."""

    as_of: str
    items: list[ResponseTimes]


class DiscrepancyGroup(Told):
    """Acts and units of one cause, kind, article or measure (empty: not decided yet), with their shares of all.

    An act about several articles counts for each of them.
    """

    name: str
    acts: int
    units: int
    acts_bps: int
    units_bps: int


class PreventionMeasure(Told):
    """What was done against repetition, and after how many acts."""

    text: str
    acts: int


class DiscrepancyReport(Reported):
    """Goods that were not as ordered, most units first."""

    by: str
    acts: int
    units: int
    items: list[DiscrepancyGroup]
    measures: list[PreventionMeasure]
