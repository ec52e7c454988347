"""Which of our invoices a payer names in free text, how surely, and which numbers look like ours but are not.

People write a number with blanks, slashes or nothing between its parts, without the leading zeros, in small letters,
behind words. A mention is *strong* when it can hardly be anything else, *weak* when it may as well be a month, an
amount or a part of a longer number: a weak one counts only when the amount says the same. Nothing is read inside a
longer run of digits, an IBAN, a telephone number, a number that is called an order's or a customer's, or a number of
another series.
"""

from dataclasses import dataclass, field

from models.banking.numbers import Key, NumberIndex
from models.banking.references import compact
from models.banking.words import (
    ABOUT_INVOICES,
    ABOUT_OTHERS,
    ABOUT_PHONES,
    NUMBER_WORDS,
    Token,
    folded,
    masked,
    tokens,
)

_CURRENCIES = frozenset(("EUR", "USD", "CHF", "GBP", "PLN", "CZK", "SEK", "DKK", "NOK", "EURO"))
_AND = frozenset(("UND", "AND", "U", "ET", "E", "Y"))
_UP_TO = frozenset(("BIS", "TO", "THROUGH"))
_WIDEST_RANGE = 30

STRONG, WEAK, NOT_ONE = 2, 1, 0


@dataclass(slots=True)
class Mentions:
    """Invoices that texts name, with how surely (STRONG or WEAK) in order of appearance; `unknown` numbers look like
    ours but are in no book."""

    found: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def strong(self) -> tuple[str, ...]:
        """Numbers that the text surely names."""
        return tuple(number for number, strength in self.found.items() if strength == STRONG)

    @property
    def weak(self) -> tuple[str, ...]:
        """Numbers that the text may name."""
        return tuple(number for number, strength in self.found.items() if strength == WEAK)

    def add(self, number: str, strength: int) -> None:
        """Take a mention in; the surer one of two counts."""
        self.found[number] = max(strength, self.found.get(number, NOT_ONE))


def mentions_in(index: NumberIndex, *texts: str) -> Mentions:
    """What the texts of one entry name; see the module's docstring for how surely."""
    mentions = Mentions()
    for text in dict.fromkeys(texts):
        if any(character.isdigit() for character in text):
            _Reader(index, tokens(masked(folded(text))), mentions).read()
    return mentions


class _Reader:
    """Reads one text from left to right; `used` is the first run that belongs to no mention yet."""

    def __init__(self, index: NumberIndex, runs: list[Token], mentions: Mentions) -> None:
        self.index, self.runs, self.mentions = index, runs, mentions
        self.used = 0
        self.before: tuple[Key, int] | None = None

    def read(self) -> None:
        at = 0
        while at < len(self.runs):
            at = self._step(at)
        for size in sorted(self.index.sizes):
            self._windows(size)

    def _step(self, at: int) -> int:
        run = self.runs[at]
        if not run.is_digits:
            return at + 1
        if run.text[:4] in self.index.years and (end := self._yearly(at)):
            self.used = end
        elif self.index.plain and self._single(at):
            self.used = end = at + 1
        else:
            end = self._list_goes_on(at)
        return end or at + 1

    # -- what stands around

    def _run(self, at: int) -> Token | None:
        return self.runs[at] if 0 <= at < len(self.runs) else None

    def _word(self, at: int) -> str:
        """The word before a run, or the one before "No."; empty when there is none near."""
        run, word = self.runs[at], self._run(at - 1)
        if word is None or word.is_digits or len(run.gap) > 4 or "#" in run.gap:
            return ""
        further = self._run(at - 2)
        if word.text in NUMBER_WORDS and further and not further.is_digits and len(word.gap) <= 3:
            return further.text if further.text in ABOUT_OTHERS else "#"
        return "#" if word.text in NUMBER_WORDS else word.text

    def _is_phone(self, at: int) -> bool:
        for back in range(at, max(at - 4, -1), -1):
            if not self.runs[back].is_digits:
                return self.runs[back].text in ABOUT_PHONES
        return False

    def _touches_before(self, at: int, signs: str) -> bool:
        """Whether digits that belong to no mention stand directly before, joined by one of the signs."""
        before = self._run(at - 1)
        return at > self.used and before is not None and before.is_digits and self.runs[at].gap in signs.split("|")

    def _touches_behind(self, end: int, signs: str) -> bool:
        behind = self._run(end)
        if behind is None or not behind.is_digits or behind.gap not in signs.split("|"):
            return False
        return behind.text[:4] not in self.index.years

    def _is_amount(self, last: int) -> bool:
        """Whether the run ends like an amount: two decimals or a currency behind it."""
        behind = self._run(last + 1)
        if behind is None:
            return False
        return (behind.is_digits and behind.gap in (",", ".") and len(behind.text) == 2) or (
            len(behind.gap) <= 1 and behind.text in _CURRENCIES
        )

    # -- series, year and serial number

    def _yearly(self, at: int) -> int:
        """Read a mention that begins with the year at `at`; answers the run behind it, or 0 when it is none."""
        run, behind = self.runs[at], self._run(at + 1)
        if len(run.text) > 4:
            if len(run.text) > 13 or run.text in self.index.bare:
                return 0  # a number without a year may begin like one: 2013004711
            return self._close(at, at + 1, run.text[4:], is_glued=True)
        if behind is None or not behind.is_digits or len(behind.gap) > 3 or behind.gap.strip(" ./_-"):
            return 0
        end = self._close(at, at + 2, behind.text)
        third = self._run(at + 2)
        if third and third.is_digits and third.gap == " " and behind.text.startswith("0"):
            end = self._broken(at, behind.text + third.text) or end
        return end

    def _broken(self, at: int, serial: str) -> int:
        """A number that a line break divides: ``2026-000 123`` is weak, or strong when nothing else may be meant."""
        year, word = self.runs[at].text, self._word(at)
        series = word if word in self.index.series else ""
        if len(serial) not in self.index.widths.get((series, year), ()) or word in ABOUT_OTHERS:
            return 0
        strength = STRONG if self.runs[at + 1].gap != " " and not self.runs[at + 1].text.strip("0") else WEAK
        for number in self.index.yearly.get((series, year, int(serial)), ()):
            self.mentions.add(number, strength)
        return at + 3

    def _close(self, at: int, end: int, serial: str, is_glued: bool = False) -> int:
        year = self.runs[at].text[:4]
        word = self._word(at)
        if word in ABOUT_OTHERS or self._is_phone(at) or self._is_date(at, serial, end):
            return end
        series, trust = self._series(at, word, year, int(serial))
        if trust == NOT_ONE:
            self.mentions.unknown.append(f"{word}-{year}-{serial}")
            return end
        is_full = len(serial) in self.index.widths.get((series, year), ())
        if not is_full and (is_glued or self._is_amount(end - 1)):
            return 0 if is_glued else end
        is_named = word in ABOUT_INVOICES or bool(series)
        strength = min(trust, self._strength(at, end, serial, is_full, is_named))
        if strength != NOT_ONE:
            self._note((series, year, int(serial)), serial, strength, at)
        return end

    def _is_date(self, at: int, serial: str, end: int) -> bool:
        """31.12.2026 before the number, or a date that begins with the year: 2026-12-31."""
        before, behind = self._run(at - 1), self._run(end)
        if len(serial) > 2:
            is_full = any(len(serial) in widths for widths in self.index.widths.values())
            day = self._touches_before(at, ".|/|-") and before is not None and len(before.text) <= 2
            return day and not is_full
        return (
            behind is not None
            and behind.is_digits
            and len(behind.text) <= 2
            and behind.gap in ("-", "/", ".", " ", ". ")
            and len(self.runs[end - 1].text) <= 2
        )

    def _series(self, at: int, word: str, year: str, serial: int) -> tuple[str, int]:
        """The series that the word before the year means, and the most that a mention behind it may count."""
        index, gap = self.index, self.runs[at].gap
        is_attached = gap.strip() in ("", "-", "/", "_") and gap != " "
        if word and word in index.series and (is_attached or gap.strip(" .") == ""):
            is_label = word in ABOUT_INVOICES and (word, year, serial) not in index.yearly
            return ("", STRONG) if is_label else (word, STRONG)
        if not word or not is_attached or word in ABOUT_INVOICES:
            return "", STRONG
        if len(word) <= 3:
            return "", NOT_ONE  # another series, of ours or of somebody else
        ends = [
            one for one in sorted(index.series) if one and word.endswith(one) and (one, year, serial) in index.yearly
        ]
        for one in ends:
            for number in index.yearly[one, year, serial]:
                self.mentions.add(number, WEAK)
        return "", WEAK if ends or gap else STRONG

    def _strength(self, at: int, end: int, serial: str, is_full: bool, is_named: bool) -> int:
        gap = self.runs[end - 1].gap if end - at > 1 else ""
        is_parted = gap.strip() != ""
        if is_full:
            return self._strength_full(at, end, is_parted)
        if self._touches_before(at, " |-|/|."):
            return NOT_ONE
        if self._touches_behind(end, " |-|.") or self._has_suffix(end):
            return WEAK
        looks_like_day = len(serial) == 4 and "01" <= serial[:2] <= "12" and "01" <= serial[2:] <= "31"
        if len(serial) >= 3 and (is_named or (is_parted and serial[0] != "0" and not looks_like_day)):
            return STRONG
        return STRONG if is_named and int(serial) > 12 else WEAK

    def _strength_full(self, at: int, end: int, is_parted: bool) -> int:
        if is_parted:
            is_part = self._touches_before(at, "-|/|.") or self._touches_behind(end, "-|.") or self._has_suffix(end)
            return WEAK if is_part else STRONG
        if self._touches_before(at, "-|/|."):
            return NOT_ONE
        is_part = self._touches_before(at, " ") or self._touches_behind(end, " |-|.") or self._has_suffix(end)
        return WEAK if is_part else STRONG

    def _has_suffix(self, end: int) -> bool:
        """A single letter directly behind, as in 2026-000123A."""
        behind = self._run(end)
        return behind is not None and not behind.is_digits and behind.gap == "" and len(behind.text) == 1

    def _note(self, key: Key, written: str, strength: int, at: int) -> None:
        numbers = self.index.yearly.get(key)
        if not numbers:
            if strength == STRONG:
                self.mentions.unknown.append("-".join(part for part in (key[0], key[1], written) if part))
            return
        exact = [number for number in numbers if compact(number).endswith(key[1] + written)]
        chosen = exact if len(exact) == 1 else numbers
        for number in chosen:
            self.mentions.add(number, strength if len(chosen) == 1 else WEAK)
        if self.before and self._is_up_to(at):
            self._between(key)
        self.before = key, strength

    # -- lists and ranges: 2026-000123, 124 and 125; 2026-000123 to 2026-000128

    def _is_up_to(self, at: int) -> bool:
        run, word = self.runs[at], self._run(at - 1)
        if at == self.used:
            return run.gap.strip() == "-"
        return at == self.used + 1 and word is not None and word.text in _UP_TO

    def _between(self, key: Key) -> None:
        """The invoices of a range, which the payer does not spell out: weak."""
        assert self.before is not None
        first = self.before[0]
        if first[:2] == key[:2] and 1 < key[2] - first[2] <= _WIDEST_RANGE:
            for serial in range(first[2] + 1, key[2]):
                for number in self.index.yearly.get((*key[:2], serial), ()):
                    self.mentions.add(number, WEAK)

    def _list_goes_on(self, at: int) -> int:
        """A shortened number behind a mention: weak. Answers the run behind it, or 0 when it is none."""
        run = self.runs[at]
        if self.before is None or not 3 <= len(run.text) <= 9 or self._is_amount(at):
            return 0
        word = self._run(at - 1)
        if at == self.used:
            if run.gap.strip() not in (",", ";", "+", "&", "/", "-"):
                return 0
        elif at != self.used + 1 or word is None or word.text not in _AND | _UP_TO:
            return 0
        key = (*self.before[0][:2], int(run.text))
        if key not in self.index.yearly:
            return 0
        for number in self.index.yearly[key]:
            self.mentions.add(number, WEAK)
        if self._is_up_to(at):
            self._between(key)
        self.before, self.used = (key, WEAK), at + 1
        return at + 1

    # -- numbers without a year

    def _single(self, at: int) -> bool:
        run, word = self.runs[at], self._word(at)
        gap = run.gap
        if word in ABOUT_OTHERS or self._is_phone(at) or len(run.text) > 18:
            return False
        is_attached = bool(word) and gap.strip() in ("", "-", "/", "_") and gap != " "
        is_part = (
            self._touches_before(at, "-|/|.") or self._touches_behind(at + 1, "-|/|.|,") or self._has_suffix(at + 1)
        )
        numbers = self.index.plain.get((word, int(run.text)), []) if word and gap.strip(" .-/_") == "" else []
        if numbers:
            is_sure = not is_part and len(numbers) == 1 and (is_attached or len(run.text) >= 5)
            return self._add_all(numbers, STRONG if is_sure else WEAK)
        if is_attached and len(word) <= 3 and word not in ABOUT_INVOICES:
            return False
        return self._bare(at, word, is_part)

    def _bare(self, at: int, word: str, is_part: bool) -> bool:
        """A serial number without its series: with all its digits it is sure, if it has seven or an invoice's word."""
        text = self.runs[at].text
        numbers = self.index.bare.get(text, [])
        whole = [number for number in numbers if compact(number).lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == text]
        is_alone = not is_part and not self._touches_before(at, " ") and not self._is_amount(at)
        if not numbers or (self._is_amount(at) and len(text) < 7):
            return False
        is_named = word in ABOUT_INVOICES and len(text) >= 3
        if text[:4] in self.index.years and (yearly := self.index.yearly.get(("", text[:4], int(text[4:] or 0)))):
            return self._add_all([*numbers, *yearly], WEAK)
        if is_alone and len(whole) == 1 and (len(text) >= 7 or is_named):
            return self._add_all(whole, STRONG)
        return (len(text) >= 5 or is_named) and self._add_all(numbers, WEAK)

    def _add_all(self, numbers: list[str], strength: int) -> bool:
        for number in numbers:
            self.mentions.add(number, strength)
        self.before = None
        return True

    def _windows(self, size: int) -> None:
        """Numbers of any other build: the same letters and digits in as many runs, near each other."""
        for at in range(len(self.runs) - size + 1):
            window = self.runs[at : at + size]
            numbers = self.index.spelled.get("".join(run.text for run in window))
            if numbers and all(len(run.gap) <= 3 for run in window[1:]):
                before, behind = self.runs[at].gap, self._run(at + size)
                is_free = (at == 0 or before != "") and (behind is None or behind.gap not in ("", "-", "."))
                is_sure = is_free and len(numbers) == 1 and sum(len(run.text) for run in window) >= 6
                self._add_all(numbers, STRONG if is_sure else WEAK)
