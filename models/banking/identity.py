"""Recognises an entry that was imported before: in the same file, in an overlapping one, or in the other format.

What must agree: the day, the amount with its sign, the currency. What tells entries apart then:

- Bank references that contradict each other (both there, neither the beginning of the other) are never the same entry;
  nor are contradicting end-to-end ids or creditor references. MT940 cuts references off after 16 characters.
- An equal bank reference or end-to-end id is the same entry.
- Without one that both have, texts and parties decide (an account before a name): letters and digits only, without
  accents and without the prefixes of MT940 (``SVWZ+``). A long one may be cut off, and words may stand before it.
- Entries of one format (`source`) come from the same words of the bank: without an equal bank reference or end-to-end
  id everything must be equal, and references are not cut off. Of two formats one may know less.

Each imported entry is the twin of at most one new one: of k equal ones in a file, with n imported, max(0, k - n) are
new.

Limits, which no rule can lift: two payments of a day that agree in everything are told apart by their number alone, so
a file with the first and a later one with only the second lose the second. Files that cover whole days never do. Of two
formats this also holds when the one that knows less does not show the difference. A batch that one format gives as a
sum and the other in parts is not recognised: amounts differ.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from models.banking.statement import BankEntry
from models.banking.words import folded

CUT_OFF = 16
"""MT940 carries at most 16 characters of a reference."""

_SHORTEST_CUT = 20
_SHORTEST_END = 6
_PREFIXES = re.compile(r"\b(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|COAM|OAMT|PURP|IBAN|BIC)\+")
_UNLAUT = re.compile(r"(?<=[AOU])E")

DIFFERENT, ALIKE, BY_TEXT, BY_END_TO_END, BY_BANK = 0, 1, 2, 3, 4


@dataclass(frozen=True)
class Imported:
    """What tells an entry from others. `day` is the booking day (ISO date), `amount_minor` has its sign; `source` is
    the statement's format, such as ``MT940``, as in `BankStatement`; empty when it is not known."""

    day: str
    amount_minor: int
    currency: str
    bank_reference: str = ""
    end_to_end: str = ""
    structured: str = ""
    text: str = ""
    party_name: str = ""
    party_iban: str = ""
    source: str = ""

    @classmethod
    def of(cls, entry: BankEntry, source: str = "") -> "Imported":
        """An entry of a statement in this format."""
        return cls(
            entry.booked_on,
            entry.amount_minor,
            entry.currency,
            entry.bank_reference,
            entry.end_to_end,
            entry.structured,
            entry.text,
            entry.party_name,
            entry.party_iban,
            source,
        )

    @cached_property
    def money(self) -> tuple[str, int, str]:
        """What always agrees: day, amount, currency."""
        return self.day, self.amount_minor, self.currency

    @cached_property
    def format(self) -> str:
        """The family of formats: that of ``camt.053.001.08`` is ``CAMT``."""
        return re.split(r"[^A-Z0-9]", self.source.upper())[0]

    @cached_property
    def references(self) -> tuple[str, str, str]:
        """Bank reference, end-to-end id and creditor reference, letters and digits only."""
        return _plain(self.bank_reference), _plain(self.end_to_end), _plain(self.structured)

    @cached_property
    def words(self) -> tuple[str, str, str]:
        """Text, name and account, letters and digits only."""
        return _spelled(self.text), _spelled(self.party_name), _plain(self.party_iban)

    @cached_property
    def fingerprint(self) -> tuple[tuple[str, int, str], tuple[str, str, str], tuple[str, str, str], str]:
        """Everything: two entries with the same fingerprint cannot be told apart."""
        return self.money, self.references, self.words, self.format


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", folded(text)) if text else ""


def _spelled(text: str) -> str:
    """Letters and digits of a text without the prefixes of MT940; ü, UE and U are the same."""
    return _UNLAUT.sub("", re.sub(r"[^0-9A-Z]", "", _PREFIXES.sub(" ", folded(text)))) if text else ""


def same_entry(a: Imported, b: Imported) -> bool:
    """Whether two records may be of one movement on the account; see the module's docstring for how that is told."""
    return likeness(a, b) != DIFFERENT


def likeness(a: Imported, b: Imported) -> int:
    """By what two records are the same: BY_BANK (bank reference), BY_END_TO_END, BY_TEXT (or party), ALIKE (nothing
    contradicts and nothing can be compared), or DIFFERENT."""
    if a.money != b.money:
        return DIFFERENT
    is_one_format = a.format == b.format != ""
    pairs = zip(a.references, b.references, strict=True)
    agreed = [_references_agree(one, other, is_one_format) for one, other in pairs]
    if False in agreed:
        return DIFFERENT
    if agreed[0]:
        return BY_BANK
    if agreed[1]:
        return BY_END_TO_END
    if is_one_format:
        return BY_TEXT if a.fingerprint == b.fingerprint else DIFFERENT
    return _by_words(a, b, bool(agreed[2]))


def _by_words(a: Imported, b: Imported, has_reference: bool) -> int:
    text, name, account = (_words_agree(*pair) for pair in zip(a.words, b.words, strict=True))
    party = name if account is None else account
    if text is False or party is False:
        return DIFFERENT
    return BY_TEXT if has_reference or text or party else ALIKE


def _references_agree(one: str, other: str, is_one_format: bool) -> bool | None:
    """None when they cannot be compared: one is missing, or is too short to be the other one cut off."""
    if not one or not other:
        return None
    short, long = sorted((one, other), key=len)
    if is_one_format or not long.startswith(short):
        return short == long
    return True if short == long or len(short) >= CUT_OFF else None


def _words_agree(one: str, other: str) -> bool | None:
    if not one or not other:
        return None
    short, long = sorted((one, other), key=len)
    is_end = len(short) >= _SHORTEST_END and long.endswith(short)
    return is_end or short == long or (len(short) >= _SHORTEST_CUT and short in long)


def assign(new: Sequence[Imported], imported: Sequence[Imported]) -> list[int | None]:
    """For each new entry of a file the position of its imported twin, None when it is really new.

    `imported` has what is known of the account on the days of the new ones. As many twins as there can be: first those
    that cannot be told apart, then by bank reference, end-to-end id, text, and last those that nothing contradicts. The
    answer depends on nothing but the two lists.
    """
    twins: list[int | None] = [None] * len(new)
    free = _equal_ones(new, imported, twins)
    by_money: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    for there in free:
        by_money[imported[there].money].append(there)
    waiting: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    for here, entry in enumerate(new):
        if twins[here] is None and entry.money in by_money:
            waiting[entry.money].append(here)
    for money, group in waiting.items():
        pairs = _Pairs(
            {here: [(likeness(new[here], imported[there]), there) for there in by_money[money]] for here in group}
        )
        for here, there in pairs.matched().items():
            twins[here] = there
    return twins


def _equal_ones(new: Sequence[Imported], imported: Sequence[Imported], twins: list[int | None]) -> list[int]:
    """Pairs what cannot be told apart; answers the imported ones that are left."""
    known: dict[object, list[int]] = defaultdict(list)
    for there in range(len(imported) - 1, -1, -1):
        known[imported[there].fingerprint].append(there)
    for here, entry in enumerate(new):
        if equal := known.get(entry.fingerprint):
            twins[here] = equal.pop()
    return sorted(there for left in known.values() for there in left)


class _Pairs:
    """The largest set of pairs, the surest first: greedily by likeness, then along augmenting paths (Kuhn 1955)."""

    def __init__(self, likenesses: dict[int, list[tuple[int, int]]]) -> None:
        self._near = {
            here: [there for how, there in sorted(alike, key=lambda pair: (-pair[0], pair[1])) if how != DIFFERENT]
            for here, alike in likenesses.items()
        }
        self._twin_of: dict[int, int] = {}
        sure = sorted((-how, here, there) for here, alike in likenesses.items() for how, there in alike if how)
        taken: set[int] = set()
        for _, here, there in sure:
            if here not in taken and there not in self._twin_of:
                self._twin_of[there] = here
                taken.add(here)
        self._alone = [here for here in self._near if here not in taken]

    def matched(self) -> dict[int, int]:
        """The new ones with their twins."""
        for here in self._alone:
            self._augment(here)
        return {here: there for there, here in self._twin_of.items()}

    def _augment(self, start: int) -> None:
        """Breadth first from an entry without a twin to an imported one that is free; paths may be long, so no
        recursion."""
        came_from: dict[int, int] = {}
        queue = [start]
        for here in queue:
            for there in self._near[here]:
                if there in came_from:
                    continue
                came_from[there] = here
                if there not in self._twin_of:
                    self._turn(there, came_from, start)
                    return
                queue.append(self._twin_of[there])

    def _turn(self, there: int, came_from: dict[int, int], start: int) -> None:
        """Give each entry on the path the twin that it was reached by."""
        before = {here: twin for twin, here in self._twin_of.items()}
        while True:
            here = came_from[there]
            self._twin_of[there] = here
            if here == start:
                return
            there = before[here]
