"""Hands signed checkpoints to those outside, again and again until they have them; a person hears when it lasts."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select, update
from structlog import get_logger

from infra.db import Database, table_of
from infra.evidence.checkpoints import signed_of
from infra.evidence.targets import NotHanded, Target
from infra.stores.alerts import Alert, ring, settle, tell_log
from models.messages.evidence import HandedOver
from models.tables.evidence import CheckpointDeliveryRow, CheckpointRow

ALERT = "checkpoint_not_delivered"
PATIENCE = 5
"""Tries in a row after which a person is told."""

_ENGINE = "deliveries"
_CHECKPOINTS, _DELIVERIES = table_of(CheckpointRow), table_of(CheckpointDeliveryRow)
_WAITS = _DELIVERIES.c.delivered_at == ""

log = get_logger()


class Deliveries:
    """The deliveries of one installation. Several may work at once: targets take the same checkpoint twice."""

    def __init__(self, database: Database, targets: Iterable[Target]) -> None:
        self._database, self._targets = database, tuple(targets)

    async def run_once(self, now: str, limit: int = 100) -> HandedOver:
        """Hand over what waits, the oldest first, at most `limit` to each target; one that fails is left until the
        next round."""
        delivered = 0
        for target in self._targets:
            for row in await self._database.rows(_waiting(target.name).limit(limit)):
                if not await self._hand(target, row, now):
                    break
                delivered += 1
        names = [target.name for target in self._targets]
        query = select(func.count()).select_from(_DELIVERIES).where(_WAITS, _DELIVERIES.c.target.in_(names))
        return HandedOver(
            delivered, await self._database.look(lambda connection: connection.execute(query).scalar_one())
        )

    async def _hand(self, target: Target, row: dict[str, Any], now: str) -> bool:
        number = row.pop("delivery")
        checkpoint = signed_of(row)
        try:
            await target.hand(checkpoint)
        except NotHanded as problem:
            log.warning("checkpoint_not_handed", target=target.name, size=checkpoint.size, reason=str(problem))
            failed = partial(_failed, number=number, target=target.name, problem=str(problem)[:500], now=now)
            alert = await self._database.write(failed)
            if alert is not None:
                tell_log(alert)
            return False
        await self._database.write(partial(_delivered, number=number, target=target.name, now=now))
        return True


def _waiting(target: str) -> Select[Any]:
    query = select(_CHECKPOINTS, _DELIVERIES.c.id.label("delivery")).join(
        _DELIVERIES, _DELIVERIES.c.checkpoint_id == _CHECKPOINTS.c.id
    )
    return query.where(_WAITS, _DELIVERIES.c.target == target).order_by(_DELIVERIES.c.id)


def _failed(connection: Connection, number: int, target: str, problem: str, now: str) -> Alert | None:
    tried = update(_DELIVERIES).where(_DELIVERIES.c.id == number, _WAITS)
    tried = tried.values(attempts=_DELIVERIES.c.attempts + 1, problem=problem).returning(_DELIVERIES.c.attempts)
    attempts = connection.execute(tried).scalar_one_or_none() or 0
    alert = Alert(ALERT, target, f"a checkpoint was not taken in {attempts} tries: {problem}")
    return alert if attempts >= PATIENCE and ring(connection, alert, now) else None


def _delivered(connection: Connection, number: int, target: str, now: str) -> None:
    done = update(_DELIVERIES).where(_DELIVERIES.c.id == number, _WAITS)
    connection.execute(done.values(attempts=_DELIVERIES.c.attempts + 1, problem="", delivered_at=now))
    settle(connection, ALERT, target, _ENGINE, now)


def deliveries_of(connection: Connection, numbers: Iterable[int]) -> list[RowMapping]:
    """What became of some checkpoints, by their numbers, in their order."""
    query = _DELIVERIES.select().where(_DELIVERIES.c.checkpoint_id.in_(list(numbers))).order_by(_DELIVERIES.c.id)
    return list(connection.execute(query).mappings())
