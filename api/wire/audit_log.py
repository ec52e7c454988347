"""Checkpoints, proofs and keys of the audit log as they are told."""

from pydantic import Field

from api.wire.shared import Told


class Delivery(Told):
    """Whether an outsider has a checkpoint; `problem` says what went wrong with the last try."""

    target: str
    attempts: int
    problem: str
    delivered_at: str


class SignedCheckpoint(Told):
    """A signed head of the log. `note` is the text that was signed with its signatures (C2SP signed note)."""

    number: int
    size: int
    root: str
    at: str
    key_hash: str
    note: str
    is_new: bool = Field(description="False for one that stood already")
    deliveries: list[Delivery]


class SignedCheckpoints(Told):
    """A page of checkpoints."""

    items: list[SignedCheckpoint]
    next_cursor: str


class InclusionProof(Told):
    """That a leaf stands in the log: RFC 6962, section 2.1.1. Hashes in hex, the lowest first."""

    sequence: int
    leaf_hash: str
    size: int
    root: str
    hashes: list[str]
    bytes: int


class ConsistencyProof(Told):
    """That the log begins with what it was earlier: RFC 6962, section 2.1.2. Hashes in hex."""

    from_: int = Field(alias="from")
    from_root: str
    size: int
    root: str
    hashes: list[str]
    bytes: int


class LogKey(Told):
    """The public half of a key; `verifier` is how signed-note tools take it. `retired_at` is empty while it signs."""

    name: str
    key_hash: str
    public_key: str
    made_at: str
    retired_at: str
    verifier: str


class LogKeys(Told):
    """All keys that sign or signed, the oldest first."""

    items: list[LogKey]


class Rotated(Told):
    """The new key, and the checkpoint that both have signed."""

    key: LogKey
    checkpoint: SignedCheckpoint
