"""The short way of a reservation, which most take: everything that is asked is free, and no line of the deal waits.

One statement looks and locks, and what was found is written together with the answer: on PostgreSQL by one statement,
as every statement is a turn to the server and back. Whatever else there is to a reservation is left to the long way.

Here the key is written last, after the levels are locked, and on the long way it is the first: should both meet under
one key, PostgreSQL undoes one of them as a deadlock, and `Database.write` runs it again.
"""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from infra.db import Database, plain_json
from infra.gateways.at_once_statements import ANSWER, PROMISE_AND_ANSWER, article_name, lock_free_shelves
from infra.gateways.once import checked_key
from infra.gateways.portions import Portion, Shelves, free_shelves, merged, per_shelf, take, total
from infra.gateways.stock_statements import PROMISE, hold
from models.codec import encode
from models.messages.logistics import ReservedLine, ReserveInput, ReserveResult


class _NotAtOnce(Exception):
    """Nothing may stay of what was locked: the long way begins anew, in its own order."""


async def reserved_at_once(database: Database, asked: ReserveInput, act: str) -> ReserveResult | None:
    """The answer to a reservation of all that is asked; None, and nothing was done, when it has to go the long way.

    That is so when units are missing, when a line of the deal has a place in a queue, and when the effect was done
    before or meanwhile. Queues need not be locked here: units are free only where nobody waits for them.
    Raises ValueError when the effect key is empty or too long.
    """
    checked_key(asked.effect_key)

    def transaction(connection: Connection) -> ReserveResult:
        portions = _all_of(asked, _free(connection, asked))
        answer = ReserveResult(tuple(ReservedLine(line.line, line.article, line.quantity, 0) for line in asked.lines))
        done = {"done_key": asked.effect_key, "done_act": act, "answer": encode(answer)}
        _write(connection, asked, portions, done)
        return answer

    try:
        return await database.write(transaction)
    except (_NotAtOnce, IntegrityError):  # the key is another's now; should the book refuse, it will do so again
        return None


def _free(connection: Connection, asked: ReserveInput) -> dict[str, Shelves]:
    articles = sorted({line.article for line in asked.lines})
    looked = {article_name(number): article for number, article in enumerate(articles)}
    looked |= {"branch": asked.branch, "of_deal": asked.deal_id, "done_key": asked.effect_key}
    return free_shelves(connection.execute(lock_free_shelves(len(articles)), looked), asked.branch)


def _all_of(asked: ReserveInput, free: dict[str, Shelves]) -> list[Portion]:
    portions: list[Portion] = []
    for line in asked.lines:
        taken = take(line, free.get(line.article, {}))
        if total(taken) < line.quantity:
            raise _NotAtOnce
        portions += taken
    if not portions:
        raise _NotAtOnce
    return portions


def _write(connection: Connection, asked: ReserveInput, portions: list[Portion], done: dict[str, Any]) -> None:
    held = [
        {
            "deal_id": asked.deal_id,
            "line": line,
            "article": article,
            "warehouse": warehouse,
            "quantity": units,
            "expires_at": asked.expires_at,
        }
        for line, article, warehouse, units in merged(portions)
    ]
    if connection.dialect.name == "postgresql":
        written = {**done, "answer": plain_json(done["answer"]), "held": plain_json(held)}
        connection.execute(PROMISE_AND_ANSWER, written)
        return
    shelves = [{"of": article, "on": warehouse, "units": units} for article, warehouse, units in per_shelf(portions)]
    connection.execute(PROMISE, shelves)
    connection.execute(hold("sqlite"), held)
    connection.execute(ANSWER, done)
