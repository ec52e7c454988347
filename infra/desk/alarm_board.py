"""The open alerts and who has looked at them."""

from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import NoSuch
from infra.stores.alerts import AlertStore
from infra.stores.pages import Page, Row
from models.lifecycle.roles import GOODS, HEADS, Role

ACKNOWLEDGERS = HEADS | {Role.LOGISTICS_MANAGER, Role.ACCOUNTS_RECEIVABLE, Role.ADMIN}
READERS = ACKNOWLEDGERS | GOODS | {Role.AUDITOR}


class AlarmBoard:
    """Shows alerts, and takes down who has seen to them."""

    def __init__(self, alerts: AlertStore, clock: Clock) -> None:
        self._alerts, self._clock = alerts, clock

    async def page(self, caller: Caller, open_only: bool, cursor: str, limit: int) -> Page:
        """Alerts, the newest first. Raises WrongRole or BadCursor."""
        caller.require("reading alerts", READERS)
        return await self._alerts.page(open_only, cursor, limit)

    async def acknowledge(self, caller: Caller, number: int) -> Row:
        """Say that somebody has seen to it; who was the first stays. Raises WrongRole or NoSuch."""
        caller.require("acknowledging alerts", ACKNOWLEDGERS)
        row = await self._alerts.acknowledge(number, caller.user, self._clock())
        if row is None:
            raise NoSuch("alert", str(number))
        return row
