"""What crosses the wire of the schedule that signs the audit log and hands its checkpoints outside."""

from dataclasses import dataclass

CHECKPOINT = "AuditCheckpoint"
"""The workflow that signs a checkpoint and hands it over."""

DELIVERY = "CheckpointDelivery"
"""The workflow that hands over what was not taken the first time."""


@dataclass(frozen=True, slots=True)
class EvidenceInput:
    """Sign, or hand over, at the instant `now`: the real time, never a test deal's."""

    now: str


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """The log's size in leaves and its root, whether a checkpoint was made of it, and if not, why it was refused."""

    size: int = 0
    root: str = ""
    is_new: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How many checkpoints outsiders took, and how many still wait for them."""

    delivered: int = 0
    waiting: int = 0
