"""The Merkle tree of RFC 6962 (Certificate Transparency), section 2.1, over the leaves of the audit log.

A tree of n leaves splits at the largest power of two below n, so a log's root is computed from left to right
with one kept hash per level.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from json.encoder import encode_basestring

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()
"""The root of a log without leaves."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || content)."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def audit_leaf(kind: str, ref: str, body_hash: str, at: str = "", logged_at: str = "") -> str:
    """The leaf hash, in hex, of one thing in the audit log: its kind, what it refers to, that thing's hash, its
    business time and the wall clock's (UTC). Leaves of the first form, without `logged_at`, cover no times."""
    texts = {"at": at, "body_hash": body_hash, "kind": kind, "logged_at": logged_at, "ref": ref}
    if not logged_at:
        del texts["at"], texts["logged_at"]
    # RFC 8785 by hand, as these are texts under sorted names: an eighth of the time, which every appended leaf takes
    content = ",".join(f'"{name}":{encode_basestring(text)}' for name, text in texts.items())
    return leaf_hash(f"{{{content}}}".encode()).hex()


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


Complete = Callable[[int, int], bytes]
"""The root of a complete subtree by (level, number): the leaves number * 2^level up to (number + 1) * 2^level."""


def range_root(start: int, end: int, complete: Complete) -> bytes:
    """The root over leaves start..end (half open), where `start` is a multiple of the largest power of two in it."""
    size = end - start
    level = size.bit_length() - 1
    if size == 1 << level:
        return complete(level, start >> level)
    return node_hash(complete(level, start >> level), range_root(start + (1 << level), end, complete))


def inclusion_path(index: int, size: int, complete: Complete) -> list[bytes]:
    """The audit path of leaf `index` (from 0) in a tree of `size` leaves: PATH of RFC 6962, section 2.1.1.

    At most log2(size) hashes rounded up. Raises ValueError when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(range_root(split, end, complete))
            end = split
        else:
            path.append(range_root(start, split, complete))
            start = split
    return path[::-1]


def consistency_path(old: int, size: int, complete: Complete) -> list[bytes]:
    """The proof that a tree of `size` leaves begins with the one of `old`: PROOF of RFC 6962, section 2.1.2.

    Empty when they are the same. Raises ValueError unless 1 <= old <= size.
    """
    if not 1 <= old <= size:
        raise ValueError(f"a tree of {size} leaves has no earlier tree of {old}")
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            path.append(range_root(split, end, complete))
            end = split
        else:
            path.append(range_root(start, split, complete))
            start, whole = split, False
    return [*([] if whole else [range_root(start, end, complete)]), *path[::-1]]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path proves that `leaf` is number `index` (from 0) under `root`: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if not last:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return not last and found == root


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a path proves that the tree under `root` begins with the one under `old_root`: RFC 9162, 2.1.4.2."""
    if not 1 <= old <= size or (old == size and path):
        return False
    if old == size:
        return old_root == root
    hashes = [*([old_root] if old & (old - 1) == 0 else []), *path]
    if not hashes:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return not last and first == old_root and second == root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
