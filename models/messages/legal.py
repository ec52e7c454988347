"""Documents: what is printed (contracts, offers, letters) and the digest that proves which one it was."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DocumentInput:
    """Print a document of a kind (`offer`, `contract`) for a deal from plain facts. One document per effect key."""

    effect_key: str
    deal_id: str
    customer_id: str
    kind: str
    version: int
    facts: dict[str, str]
    at: str


@dataclass(frozen=True, slots=True)
class DocumentResult:
    """Where the document lies (name relative to the documents folder) and the SHA-256 of its bytes, in hex."""

    name: str
    digest: str
