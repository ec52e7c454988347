"""A checkpoint that somebody outside was handed, held against our log, our keys, and perhaps another such note."""

from dataclasses import dataclass, field

from infra.evidence.checkpoints import Checkpoints
from infra.evidence.notes import PublicKey, signers
from infra.evidence.tree import AuditTree, NoSuchTree
from models.checkpoint import Head, NotACheckpoint
from models.merkle import EMPTY_ROOT, verify_consistency


@dataclass(slots=True)
class NoteVerdict:
    """What a note states, whose signatures of ours are on it, and what is wrong with it. `agreed` names what holds."""

    head: Head | None = None
    keys: tuple[PublicKey, ...] = ()
    agreed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


async def check_note(checkpoints: Checkpoints, text: str, against: str = "") -> NoteVerdict:
    """Check a note: its signatures, that our log begins with what it states, and that it agrees with `against`."""
    verdict, keys = NoteVerdict(), await checkpoints.public_keys()
    verdict.head = await _checked(checkpoints.tree, text, keys, verdict, "the note")
    if against and verdict.head is not None:
        other = await _checked(checkpoints.tree, against, keys, verdict, "the other note")
        if other is not None:
            earlier, later = sorted((verdict.head, other), key=lambda head: head.size)
            await _compare(checkpoints.tree, earlier, later, verdict)
    return verdict


async def _checked(tree: AuditTree, text: str, keys: list[PublicKey], verdict: NoteVerdict, what: str) -> Head | None:
    try:
        head, signed = signers(text, keys)
    except NotACheckpoint as wrong:
        verdict.problems.append(f"{what}: {wrong}")
        return None
    verdict.keys = verdict.keys or signed
    if signed:
        verdict.agreed.append(f"{what} is signed by {', '.join(key.key_hash for key in signed)}")
    else:
        verdict.problems.append(f"{what} is signed by none of our keys")
    try:
        root = await tree.root(head.size)
    except NoSuchTree as wrong:
        verdict.problems.append(f"{what} is about {head.size} leaves: {wrong}")
        return head
    if root == head.root:
        verdict.agreed.append(f"our log begins with the {head.size} leaves of {what}")
    else:
        verdict.problems.append(f"the first {head.size} leaves of our log are not those of {what}")
    return head


async def _compare(tree: AuditTree, earlier: Head, later: Head, verdict: NoteVerdict) -> None:
    """Prove that one goes on from the other: with hashes of our log, that only fit if both are of one log."""
    if earlier.size == 0:
        holds = earlier.root == EMPTY_ROOT
    else:
        try:
            path = [bytes.fromhex(one) for one in await tree.consistency(earlier.size, later.size)]
        except NoSuchTree as wrong:
            verdict.problems.append(f"the notes can't be compared: {wrong}")
            return
        old, new = bytes.fromhex(earlier.root), bytes.fromhex(later.root)
        holds = verify_consistency(earlier.size, old, later.size, new, path)
    if holds:
        verdict.agreed.append(f"the log of {later.size} leaves goes on from that of {earlier.size}")
    else:
        verdict.problems.append(f"the log of {later.size} leaves does not go on from that of {earlier.size}")
