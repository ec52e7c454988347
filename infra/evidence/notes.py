"""Public keys of the audit log, and what signed notes are worth under them."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.checkpoint import ED25519, Head, NotACheckpoint, read_note


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a key that signs or signed checkpoints. `public_key` is base64 of its 32 bytes; `retired_at`
    is empty while it signs."""

    name: str
    key_hash: str
    public_key: str
    made_at: str
    retired_at: str = ""

    @property
    def raw(self) -> bytes:
        """The 32 bytes."""
        return base64.b64decode(self.public_key)

    @property
    def verifier(self) -> str:
        """The key as C2SP signed-note writes it for verifiers: name+hash+base64(type, key)."""
        return f"{self.name}+{self.key_hash}+{base64.b64encode(ED25519 + self.raw).decode()}"


class BadSignature(NotACheckpoint):
    """A note that a known key is said to have signed, and has not."""


def signers(text: str, keys: Iterable[PublicKey]) -> tuple[Head, tuple[PublicKey, ...]]:
    """The head of a note and which of the keys have signed it. Signatures of unknown keys count for nothing, as the
    format says. Raises NotACheckpoint, and BadSignature when one of a known key is wrong."""
    head, lines = read_note(text)
    known = {(key.name, key.key_hash): key for key in keys}
    found = []
    for line in lines:
        key = known.get((line.name, line.key_hash))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(line.signature, head.text().encode())
        except InvalidSignature:
            raise BadSignature(f"the signature of the key {key.key_hash} is wrong") from None
        found.append(key)
    return head, tuple(found)
