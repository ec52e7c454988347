"""Ids that we give: short, without letters that look alike, and the same again for the same request."""

import hashlib

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10


def derived(prefix: str, *parts: str) -> str:
    """An id that depends on the parts alone, so that a request that is repeated finds what it made (50 bits)."""
    told = hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()
    number = int.from_bytes(told[:8], "big")
    return prefix + "".join(_CROCKFORD[number >> 5 * place & 31] for place in range(_LENGTH))
