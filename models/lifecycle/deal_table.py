"""The deal's transition table (domain, section 2): the one place that says what may happen to a deal, and by whom."""

from models.lifecycle.deal_collecting import ACCOUNT_ROWS, RECEIVABLE_ROWS
from models.lifecycle.deal_selling import (
    CONTRACT_ROWS,
    EVERYWHERE_ROWS,
    NEGOTIATION_ROWS,
    PROSPECTING_ROWS,
    RELIABILITY_ROWS,
)
from models.lifecycle.deal_serving import FULFILMENT_ROWS, SUPPORT_ROWS
from models.lifecycle.states import DealState as S
from models.lifecycle.table import Table

DEAL = Table(
    name="deal",
    states=tuple(S),
    initial=S.IDENTIFIED,
    terminal=frozenset(S.terminal()),
    rows=EVERYWHERE_ROWS
    + PROSPECTING_ROWS
    + RELIABILITY_ROWS
    + NEGOTIATION_ROWS
    + CONTRACT_ROWS
    + FULFILMENT_ROWS
    + RECEIVABLE_ROWS
    + ACCOUNT_ROWS
    + SUPPORT_ROWS,
)
