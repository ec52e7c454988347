"""How a row of the deal's table is written, and the groups of states and roles that several rows name."""

from models.lifecycle.roles import HEADS, SALES, SALES_AND_MACHINES, Role
from models.lifecycle.states import DealState as S
from models.lifecycle.states import Stage
from models.lifecycle.table import Row

OPEN = S.open()
EVERYWHERE = tuple(S)
GIVING_UP = S.of(Stage.PROSPECTING, Stage.NEGOTIATION, Stage.CONTRACT)
AFTER_CONTRACT = (S.ORDERING, S.FULFILLING, S.SUPPORTING)
DELIVERING = (S.FULFILLING, S.SUPPORTING)

SELLERS = SALES_AND_MACHINES | {Role.HEAD_OF_SALES}
LEGAL = frozenset({Role.LEGAL})
RISK = frozenset({Role.RISK_OFFICER})
RISK_OR_DIRECTOR = frozenset({Role.RISK_OFFICER, Role.COMMERCIAL_DIRECTOR})
ENTRY = frozenset({Role.SALES_SUPPORT, Role.AUTOMATION})
HOLDERS = frozenset(
    {Role.RISK_OFFICER, Role.ACCOUNTS_RECEIVABLE, Role.LEGAL, Role.HEAD_OF_SALES, Role.COMMERCIAL_DIRECTOR}
)
SIGNERS = SALES | HEADS | {Role.AUTOMATION}
CARE = SALES_AND_MACHINES | {Role.SALES_SUPPORT}


def row(
    action: str,
    sources: tuple[str, ...] | str,
    target: str,
    roles: frozenset[Role],
    *guards: str,
    summary: str,
) -> Row:
    where = (sources,) if isinstance(sources, str) else tuple(sources)
    return Row(action, where, target, roles, guards, summary)
