"""The Merkle tree of RFC 6962 (Certificate Transparency), section 2.1, over the leaves of the audit log.

A tree of n leaves splits at the largest power of two below n, so a log's root is computed from left to right
with one kept hash per level.
"""

import hashlib
from collections.abc import Iterable

import rfc8785

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()
"""The root of a log without leaves."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || content)."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def audit_leaf(kind: str, ref: str, body_hash: str) -> str:
    """The leaf hash, in hex, of one thing in the audit log: its kind, what it refers to and that thing's hash."""
    return leaf_hash(rfc8785.dumps({"kind": kind, "ref": ref, "body_hash": body_hash})).hex()


def root(leaves: Iterable[str]) -> str:
    """The tree's root over leaf hashes (hex) in their order. Reads them once and keeps log2(n) hashes."""
    tree = GrowingTree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


class GrowingTree:
    """A tree that leaves are appended to; knows its root at any size."""

    def __init__(self) -> None:
        self.size = 0
        self._complete: list[bytes] = []  # roots of complete subtrees, the largest first

    def append(self, leaf: str) -> None:
        """Add a leaf hash (hex) at the end."""
        joined, size = bytes.fromhex(leaf), self.size
        while size & 1:
            joined = node_hash(self._complete.pop(), joined)
            size >>= 1
        self._complete.append(joined)
        self.size += 1

    def root(self) -> str:
        """The root over all leaves so far, in hex."""
        if not self._complete:
            return EMPTY_ROOT
        *rest, joined = self._complete
        for left in reversed(rest):
            joined = node_hash(left, joined)
        return joined.hex()
