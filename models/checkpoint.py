"""Checkpoints of the audit log as signed notes: the text that is signed, and the lines that carry signatures.

The formats are C2SP tlog-checkpoint and signed-note (https://c2sp.org), so that other transparency tools read them.
Signing needs a key and is infra's; a verifier needs nothing but this text and Ed25519.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

ED25519 = b"\x01"
"""The signature type of Ed25519 in signed notes."""


class NotACheckpoint(ValueError):
    """The text is no checkpoint; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint states: the log's name, how many leaves it has, their RFC 6962 root (hex), and when (UTC)."""

    origin: str
    size: int
    root: str
    at: str

    def text(self) -> str:
        """The text that is signed; the time is an extension line."""
        root = base64.b64encode(bytes.fromhex(self.root)).decode()
        return f"{self.origin}\n{self.size}\n{root}\nat {self.at}\n"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature under a note: the key's name, its short hash (8 hex digits) and the signature."""

    name: str
    key_hash: str
    signature: bytes

    def text(self) -> str:
        """The line as it stands in the note."""
        packed = base64.b64encode(bytes.fromhex(self.key_hash) + self.signature).decode()
        return f"\N{EM DASH} {self.name} {packed}\n"


def key_hash(name: str, public_key: bytes) -> str:
    """The short hash by which a note names an Ed25519 key: 8 hex digits of SHA-256(name, LF, type, key)."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4].hex()


def note(head: Head, signatures: tuple[SignatureLine, ...]) -> str:
    """The whole signed note."""
    return head.text() + "\n" + "".join(line.text() for line in signatures)


def read_note(text: str) -> tuple[Head, tuple[SignatureLine, ...]]:
    """The head and the signatures of a note; whether they are valid is not looked at. Raises NotACheckpoint."""
    body, gap, tail = text.rpartition("\n\n")
    if not gap:
        raise NotACheckpoint("there is no empty line before the signatures")
    return _head(body), tuple(_signature(line) for line in tail.splitlines())


def _head(body: str) -> Head:
    lines = body.split("\n")
    if len(lines) < 4 or not lines[3].startswith("at "):
        raise NotACheckpoint("it lacks one of: origin, size, root, time")
    origin, size, root, at = lines[0], lines[1], lines[2], lines[3].removeprefix("at ")
    if not origin or not size.isdecimal() or (size.startswith("0") and size != "0"):
        raise NotACheckpoint("origin or size is malformed")
    return Head(origin, int(size), _unpacked(root, 32).hex(), at)


def _signature(line: str) -> SignatureLine:
    dash, _, rest = line.partition(" ")
    name, _, packed = rest.rpartition(" ")
    if dash != "\N{EM DASH}" or not name:
        raise NotACheckpoint(f"no signature line: {line[:40]!r}")
    raw = _unpacked(packed, 68)
    return SignatureLine(name, raw[:4].hex(), raw[4:])


def _unpacked(text: str, length: int) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotACheckpoint(f"not base64: {text[:40]!r}") from None
    if len(raw) != length:
        raise NotACheckpoint(f"{len(raw)} bytes where {length} belong")
    return raw
