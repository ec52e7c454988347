"""What a log that grows must never contradict: the last head that was signed, in the database and beside the key.

A whole database that is put back to an earlier day contradicts nothing in itself; the file beside the key tells.
"""

from dataclasses import dataclass
from pathlib import Path

from infra.evidence import key_files
from infra.evidence.notes import PublicKey, signers
from models.checkpoint import Head, NotACheckpoint

_FILE = "audit-head.note"


class LogContradicted(RuntimeError):
    """The log is not what was signed of it before: leaves were changed or lost, or an older database was put back."""


@dataclass(frozen=True, slots=True)
class LastHead:
    """The file with the largest head that this installation has signed."""

    folder: Path

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder / _FILE

    def read(self) -> str:
        """The note; empty when nothing was signed yet."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def keep(self, note: str, size: int) -> None:
        """Keep a note unless a larger one stands there."""
        with key_files.alone(self.folder):
            stands = self.read()
            if not stands or _size_of(stands) <= size:
                key_files.replace(self.path, note.encode())


def proven(note: str, keys: list[PublicKey], where: str) -> Head:
    """The head of a note that we have signed ourselves. Raises LogContradicted."""
    try:
        head, signed = signers(note, keys)
    except NotACheckpoint as wrong:
        raise LogContradicted(f"{where}: the last checkpoint is damaged: {wrong}") from None
    if not signed:
        raise LogContradicted(f"{where}: the last checkpoint is signed by no key that the database knows")
    return head


def _size_of(note: str) -> int:
    try:
        return signers(note, [])[0].size
    except NotACheckpoint:
        return 0
