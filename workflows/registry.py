"""The workflows that a worker offers."""

from workflows.archive import ArchiveRunWorkflow
from workflows.deal import DealWorkflow
from workflows.evidence_office import CheckpointDeliveryWorkflow, CheckpointWorkflow
from workflows.post_office import PostOfficeWorkflow
from workflows.reconciliation import MonthlyReconciliationWorkflow, ReconciliationDeadlinesWorkflow

WORKFLOWS = (
    DealWorkflow,
    ArchiveRunWorkflow,
    PostOfficeWorkflow,
    MonthlyReconciliationWorkflow,
    ReconciliationDeadlinesWorkflow,
    CheckpointWorkflow,
    CheckpointDeliveryWorkflow,
)
