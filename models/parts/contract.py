"""The contract: versions by document hash, the protocol of disagreements, and signatures."""

from dataclasses import dataclass

OURS = "ours"
THEIRS = "theirs"
SIDES = (OURS, THEIRS)


@dataclass(frozen=True)
class Disagreement:
    """One clause of the protocol (D16). `resolution` is empty while it is open."""

    clause: str
    our_position: str
    their_position: str
    resolution: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A side's signature, bound to the document's hash."""

    side: str
    signed_by: str
    digest: str
    at: str


@dataclass(frozen=True)
class Contract:
    """The contract on an accepted offer. `digest` is empty until the document of this version is printed.

    `edited_by` are the people who wrote this version or asked for its release: they can't release it.
    """

    version: int
    offer_hash: str
    amount_minor: int
    special_clauses: tuple[str, ...] = ()
    digest: str = ""
    document: str = ""
    disagreements: tuple[Disagreement, ...] = ()
    signatures: tuple[Signature, ...] = ()
    edited_by: tuple[str, ...] = ()

    def signed_by(self, side: str) -> bool:
        """True when the side signed the current document."""
        return any(s.side == side and s.digest == self.digest for s in self.signatures)

    @property
    def is_signed(self) -> bool:
        """True when both sides signed the current document."""
        return all(self.signed_by(side) for side in SIDES)
