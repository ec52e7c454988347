"""The machines of all tables, built once."""

from models.lifecycle.deal_table import DEAL
from models.lifecycle.machine import Lifecycle
from models.lifecycle.part_tables import APPROVAL, COMPLAINT, LINE, RECEIVABLE

DEALS = Lifecycle(DEAL)
LINES = Lifecycle(LINE)
RECEIVABLES = Lifecycle(RECEIVABLE)
COMPLAINTS = Lifecycle(COMPLAINT)
APPROVALS = Lifecycle(APPROVAL)

TABLES = (DEAL, LINE, RECEIVABLE, COMPLAINT, APPROVAL)
