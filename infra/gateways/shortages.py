"""What can be said about units that are missing: when they are expected, and which substitute is there now."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from infra.gateways.stock_statements import FREE_OF
from models.messages.logistics import StockLine
from models.tables.masters import ArticleRow
from models.tables.stock import RestockRow

Outlook = tuple[str, str]
"""The date when the rest is expected, and the substitute; each empty when there is none."""

_EXPECTED = (
    select(RestockRow.article, RestockRow.expected_on, RestockRow.quantity)
    .where(RestockRow.article.in_(bindparam("articles", expanding=True)), RestockRow.expected_on >= bindparam("today"))
    .order_by(RestockRow.expected_on)
)
_ANALOGUES = select(ArticleRow.id, ArticleRow.analogue).where(
    ArticleRow.id.in_(bindparam("articles", expanding=True)), ArticleRow.analogue != ""
)


def outlook(connection: Connection, short: Sequence[StockLine], branch: str, at: str) -> dict[StockLine, Outlook]:
    """For each missing quantity the earliest day by which the expected arrivals cover it, and the article's analogue
    when enough of it is free for the branch right now. Promises nothing: others may be faster."""
    if not short:
        return {}
    articles = sorted({line.article for line in short})
    expected = _arrivals(connection, articles, at)
    analogues = {row.id: row.analogue for row in connection.execute(_ANALOGUES, {"articles": articles})}
    free = _free(connection, sorted(set(analogues.values())), branch)
    return {
        line: (
            _covered_on(expected.get(line.article, []), line.quantity),
            _fitting(analogues.get(line.article, ""), free, line.quantity),
        )
        for line in short
    }


def _arrivals(connection: Connection, articles: list[str], at: str) -> dict[str, list[tuple[str, int]]]:
    arrivals: dict[str, list[tuple[str, int]]] = {}
    for row in connection.execute(_EXPECTED, {"articles": articles, "today": at[:10]}):
        arrivals.setdefault(row.article, []).append((row.expected_on, row.quantity))
    return arrivals


def _free(connection: Connection, articles: list[str], branch: str) -> dict[str, int]:
    free: dict[str, int] = {}
    if articles:
        for article, units in connection.execute(FREE_OF, {"articles": articles, "branch": branch}):
            free[article] = free.get(article, 0) + units
    return free


def _covered_on(arrivals: list[tuple[str, int]], quantity: int) -> str:
    for day, arriving in arrivals:
        quantity -= arriving
        if quantity <= 0:
            return day
    return ""


def _fitting(analogue: str, free: dict[str, int], quantity: int) -> str:
    return analogue if free.get(analogue, 0) >= quantity else ""
