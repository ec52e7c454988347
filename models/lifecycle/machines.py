"""The machines of all tables, built once."""

from models.lifecycle.deal_table import DEAL
from models.lifecycle.machine import Lifecycle
from models.lifecycle.part_tables import AMENDMENT, APPROVAL, COMPLAINT, DISCREPANCY, LINE, RECEIVABLE, SHIPMENT

DEALS = Lifecycle(DEAL)
LINES = Lifecycle(LINE)
RECEIVABLES = Lifecycle(RECEIVABLE)
COMPLAINTS = Lifecycle(COMPLAINT)
APPROVALS = Lifecycle(APPROVAL)
SHIPMENTS = Lifecycle(SHIPMENT)
DISCREPANCIES = Lifecycle(DISCREPANCY)
AMENDMENTS = Lifecycle(AMENDMENT)

TABLES = (DEAL, LINE, RECEIVABLE, COMPLAINT, APPROVAL, SHIPMENT, DISCREPANCY, AMENDMENT)
