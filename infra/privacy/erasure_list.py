"""The list of erasures beside the keys: what must be destroyed again when an older backup of the database comes back.

One canonical JSON object a line, only ever appended to. No names stand in it: ids, and commitments without their salts.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rfc8785

from infra.evidence import key_files

FILE = "erasures.jsonl"


class ListDamaged(RuntimeError):
    """A line of the list can't be read; only the last one may be cut off, by a crash before anything was destroyed."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who was erased when, on whose request; `also` are commitments to values that tell of the person and were kept
    elsewhere."""

    subject: str
    customer_id: str
    requested_by: str
    reason: str
    erased_at: str
    also: tuple[str, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """What the audit log attests; nothing personal."""
        return {
            "subject": self.subject,
            "customer": self.customer_id,
            "by": self.requested_by,
            "reason": self.reason,
            "at": self.erased_at,
        }


def erasures(folder: Path) -> list[Erasure]:
    """The list, in its order; empty when nothing was ever erased. Raises ListDamaged."""
    path = folder / FILE
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    # what a crash cut off has no end of line: it was never acted upon
    return [_read(line, number) for number, line in enumerate(lines[:-1], 1) if line]


def append(folder: Path, erasure: Erasure) -> Erasure:
    """Add to the list, durably, unless the person stands there; answers what stands. Several may do it at once."""
    key_files.make_folder(folder)
    handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            file.truncate(end)
        standing = {one.subject: one for one in erasures(folder)}
        if erasure.subject not in standing:
            file.write(rfc8785.dumps(asdict(erasure) | {"also": list(erasure.also)}) + b"\n")
            file.flush()
        os.fsync(file.fileno())
    _sync(folder)
    return standing.get(erasure.subject, erasure)


def _read(line: bytes, number: int) -> Erasure:
    try:
        plain = json.loads(line)
        return Erasure(**plain | {"also": tuple(plain["also"])})
    except (ValueError, TypeError, KeyError) as problem:
        raise ListDamaged(f"line {number} of {FILE} can't be read: {type(problem).__name__}") from None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
