"""Timeline entries: one receipt per act, chained by hash over RFC 8785 canonical JSON.

The chain is computed in the workflow, so the engine's history and our database convict each other of tampering.
"""

import hashlib
from dataclasses import dataclass, field, fields
from typing import Any

import rfc8785

from models.codec import later

GENESIS = "0" * 64
"""The previous hash of a deal's first entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded act: who asked for what, what the guards saw, and what changed.

    `events` are the plain forms of the deal's events, which fold into its state. `facts` are what the outside
    world said when the act was decided. `key` is the caller's idempotency key (or the effect's or agenda item's).
    `receipt` is a `models.receipt.Receipt` in plain form, None in entries of the first two generations of the rules.
    """

    deal_id: str
    sequence: int
    at: str
    actor: str
    role: str
    action: str
    state_from: str
    state_to: str
    policy_version: str
    key: str
    previous_hash: str
    on_behalf_of: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    hash: str = ""
    receipt: dict[str, Any] | None = later(None)


_HASHED = tuple(f.name for f in fields(Entry) if f.name not in ("hash", "receipt"))


def digest(value: Any) -> str:
    """SHA-256 over the RFC 8785 form of a plain value, in hex. Raises rfc8785's error for values without one."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def entry_hash(entry: Entry) -> str:
    """The hash of an entry: over all its fields but the hash itself, and a receipt that is not there."""
    hashed = {name: getattr(entry, name) for name in _HASHED}
    return digest({**hashed, "receipt": entry.receipt} if entry.receipt is not None else hashed)


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first sequence at which a timeline is not what it claims to be."""

    sequence: int
    why: str


def verify_chain(entries: list[Entry]) -> ChainBreak | None:
    """Check sequence, links and hashes of a deal's timeline; None when it is sound."""
    previous = GENESIS
    for expected, entry in enumerate(entries, start=1):
        if entry.sequence != expected:
            return ChainBreak(expected, f"entry {expected} is missing, found {entry.sequence}")
        if entry.previous_hash != previous:
            return ChainBreak(expected, "does not follow the entry before it")
        if entry_hash(entry) != entry.hash:
            return ChainBreak(expected, "its content does not give its hash")
        previous = entry.hash
    return None
