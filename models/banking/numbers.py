"""Invoice numbers split into series, year and serial number, and indexed by what people write of them."""

import re
from collections.abc import Iterable

from models.banking.references import compact
from models.banking.words import folded, tokens

_YEARLY = re.compile(r"([A-Z]*)[ ./_-]*((?:19|20)[0-9]{2})[ ./_-]+([0-9]{1,9})")
_PLAIN = re.compile(r"([A-Z]*)[ ./_-]*([0-9]+)")
_LONGEST_WINDOW = 8

Key = tuple[str, str, int]
"""Series (leading letters, often none), year and serial number."""


class NumberIndex:
    """Finds invoice numbers, taken as they are (``2026-000123``, ``I-2026-000007``, ``L-0009888306``, ``AB-12-X``).

    `yearly` has those of a year's series, `plain` those of a series without years, `bare` the latter by their digits
    alone, `spelled` all others by their letters and digits; `widths` is how many digits serial numbers have.
    """

    def __init__(self, numbers: Iterable[str]) -> None:
        self.yearly: dict[Key, list[str]] = {}
        self.plain: dict[tuple[str, int], list[str]] = {}
        self.bare: dict[str, list[str]] = {}
        self.spelled: dict[str, list[str]] = {}
        self.widths: dict[tuple[str, str], set[int]] = {}
        self.years: set[str] = set()
        self.series: set[str] = set()
        self.sizes: set[int] = set()
        for number in numbers:
            self._add(number, folded(number))

    def _add(self, number: str, text: str) -> None:
        if hit := _YEARLY.fullmatch(text):
            series, year, serial = hit.groups()
            self.yearly.setdefault((series, year, int(serial)), []).append(number)
            self.widths.setdefault((series, year), set()).add(len(serial))
            self.years.add(year)
            self.series.add(series)
        elif hit := _PLAIN.fullmatch(text):
            series, serial = hit.groups()
            self.plain.setdefault((series, int(serial)), []).append(number)
            for key in {serial, serial.lstrip("0")} - {""}:
                self.bare.setdefault(key, []).append(number)
            self.series.add(series)
        elif runs := tokens(text):
            self.spelled.setdefault(compact(text), []).append(number)
            self.sizes.update({len(runs)} if len(runs) <= _LONGEST_WINDOW else ())
