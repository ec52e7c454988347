"""Ten faults sown into the code, each a textual edit of one file, with the replay that has to catch it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("models", "workflows", "activities", "infra", "cli")
SELLING, WORKFLOW = "models/lifecycle/deal_selling.py", "workflows/deal.py"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One edit: `old`, which stands once in `file`, becomes `new`; `by` is the replay that must catch it, `only` says
    that neither of the others can."""

    name: str
    file: str
    old: str
    new: str
    by: str
    only: bool = False


MUTATIONS = (
    Mutation(
        "activities in another order",
        WORKFLOW,
        "effect = self.deal.pending[0]",
        "effect = self.deal.pending[-1]",
        "engine",
        only=True,
    ),
    Mutation(
        "a timer more",
        WORKFLOW,
        "            answer = await calls.perform(asked)\n",
        "            await workflow.sleep(1)\n            answer = await calls.perform(asked)\n",
        "engine",
        only=True,
    ),
    Mutation(
        "a branch removed: orders are not closed by themselves when all is delivered",
        "models/deal.py",
        '("conclude_contract", "deliver_all", "resume_fulfilment", "default")',
        '("conclude_contract", "resume_fulfilment", "default")',
        "engine",
        only=True,
    ),
    Mutation(
        # commands and timers stay the same, so the SDK's Replayer has nothing to say; the entries differ
        "the engine's own acts under other keys",
        "models/deal.py",
        'f"agenda:{item.key}"',
        'f"due:{item.key}"',
        "engine",
        only=True,
    ),
    Mutation(
        "a guard changed: an approval does not lift the discount limit any more",
        "models/guards/negotiation.py",
        "return bps <= mine or approved, found",
        "return bps <= mine, found",
        "rules",
    ),
    Mutation(
        "a policy number changed: offers are valid for the longest time",
        "models/stages/negotiation.py",
        "plus(ctx.now, ctx.policy.offer_validity)",
        "plus(ctx.now, ctx.policy.offer_validity_max)",
        "rules",
    ),
    Mutation(
        "interest arithmetic: the due day is counted, too",
        "models/interest.py",
        "start, end = first.toordinal() + 1, last.toordinal() + 1",
        "start, end = first.toordinal(), last.toordinal() + 1",
        "rules",
    ),
    Mutation(
        "an effect removed: payments are not booked in the ledger",
        "models/stages/receivables.py",
        'return (booking(self.invoice, "payment", self.applied_minor + self.unapplied_minor, self.reference),)',
        "return ()",
        "rules",
    ),
    Mutation(
        "a row of the table leads elsewhere",
        SELLING,
        '"accept_offer",\n        S.OFFER_OPEN,\n        S.DRAFTING_CONTRACT,',
        '"accept_offer",\n        S.OFFER_OPEN,\n        S.AWAITING_SIGNATURES,',
        "fold",
    ),
    Mutation(
        "an event applied otherwise: a payment pays one unit less",
        "models/stages/receivables.py",
        "paid_minor=r.paid_minor + self.applied_minor,",
        "paid_minor=r.paid_minor + self.applied_minor - 1,",
        "fold",
    ),
)


def copy_of_the_code(folder: Path, mutation: Mutation | None = None) -> Path:
    """The packages in a folder, with the fault in them. Raises ValueError when its place is not in the code once."""
    folder.mkdir()
    touched = mutation.file.split("/")[0] if mutation else ""
    for package in (*PACKAGES, "tests"):
        if package == touched:
            shutil.copytree(ROOT / package, folder / package)  # with the compiled files, which stay valid
        else:
            (folder / package).symlink_to(ROOT / package)
    if mutation:
        file = folder / mutation.file
        code = file.read_text()
        if code.count(mutation.old) != 1:
            raise ValueError(f"{mutation.name}: its place stands {code.count(mutation.old)} times in {mutation.file}")
        file.write_text(code.replace(mutation.old, mutation.new))
    return folder
