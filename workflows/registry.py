"""The workflows that a worker offers."""

from workflows.archive import ArchiveRunWorkflow
from workflows.deal import DealWorkflow

WORKFLOWS = (DealWorkflow, ArchiveRunWorkflow)
