"""Creditor references: ours for an invoice, ISO 11649 check digits, and what a mistyped one may have meant."""

import re
from collections.abc import Iterable, Iterator

LONGEST_BODY = 21
"""ISO 11649: at most 25 characters, four of which are RF and the check digits."""

_RF = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}")
_DIGITS = "0123456789"
_VALUES = {character: str(value) for value, character in enumerate(_DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ")}


def compact(text: str) -> str:
    """The ASCII letters and digits of a text, in capitals: ``2026-000123`` becomes ``2026000123``."""
    return "".join(character for character in text.upper() if character in _VALUES)


def _remainder(text: str) -> int:
    """ISO 7064 MOD 97-10 of letters and digits, where A counts as 10 and Z as 35."""
    return int("".join(_VALUES[character] for character in text)) % 97


def creditor_reference(number: str) -> str:
    """The structured reference of an invoice (ISO 11649): RF, two check digits, the number's letters and digits.

    The check digits are 98 minus the remainder of body + ``RF00`` divided by 97 (ISO 7064 MOD 97-10). Raises ValueError
    when the number has no letter or digit, more than 21 of them, or other ones than ASCII's.
    """
    body = compact(number)
    if not body or len(body) > LONGEST_BODY or any(sign.isalnum() and not sign.isascii() for sign in number):
        raise ValueError(f"a creditor reference needs 1 to {LONGEST_BODY} ASCII letters and digits, not {number!r:.60}")
    return f"RF{98 - _remainder(body + 'RF00'):02d}{body}"


def is_creditor_reference(text: str) -> bool:
    """True for a text in the shape of an ISO 11649 reference, whether or not its check digits are right; no blanks."""
    return _RF.fullmatch(text) is not None


def has_right_check(reference: str) -> bool:
    """True when an ISO 11649 reference (capitals, no blanks) leaves the remainder 1, as ISO 7064 MOD 97-10 asks."""
    return is_creditor_reference(reference) and _remainder(reference[4:] + reference[:4]) == 1


def is_iban(text: str) -> bool:
    """True when a text (capitals, no blanks) is an IBAN by its shape and check digits (ISO 13616, MOD 97-10)."""
    return re.fullmatch(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", text) is not None and _remainder(text[4:] + text[:4]) == 1


def meant(reference: str) -> Iterator[str]:
    """Bodies that a reference with wrong check digits may have meant, likeliest first.

    First its own body (the check digits are mistyped), then what one exchanged pair or one wrong digit of the body
    gives, as far as the check digits are right for it: about a hundred tries.
    """
    check, body = reference[2:4], reference[4:]
    yield body
    for other in _slips(body):
        if _remainder(other + "RF" + check) == 1:
            yield other


def _slips(body: str) -> Iterator[str]:
    for i in range(len(body) - 1):
        if body[i] != body[i + 1]:
            yield body[:i] + body[i + 1] + body[i] + body[i + 2 :]
    for i, there in enumerate(body):
        if there in _DIGITS:
            yield from (body[:i] + digit + body[i + 1 :] for digit in _DIGITS if digit != there)


class ReferenceIndex:
    """Finds invoices by their creditor reference, or by a national reference that is the number in plain text."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._by_body: dict[str, list[str]] = {}
        for number in numbers:
            body = compact(number)
            for key in {body, body.lstrip("0")} - {""}:
                self._by_body.setdefault(key, []).append(number)

    def by_body(self, body: str) -> tuple[str, ...]:
        """The numbers with these letters and digits; leading zeros that a system put before or cut off are ignored."""
        return tuple(
            self._by_body.get(body) or (self._by_body.get(body.lstrip("0")) if body.strip("0") else None) or ()
        )

    def named(self, reference: str) -> tuple[str, ...]:
        """The invoices that a structured reference names: none when it is not ours or its check digits are wrong."""
        if not is_creditor_reference(reference):
            return self.by_body(reference)
        return self.by_body(reference[4:]) if has_right_check(reference) else ()

    def almost(self, references: Iterable[str]) -> tuple[str, ...]:
        """The invoices that references with wrong check digits name when these are ignored."""
        bodies = [one[4:] for one in references if is_creditor_reference(one) and not has_right_check(one)]
        return tuple(dict.fromkeys(number for body in bodies for number in self.by_body(body)))

    def meant(self, reference: str) -> tuple[str, ...]:
        """What a reference with wrong check digits may have meant, likeliest first; empty for any other reference."""
        if not is_creditor_reference(reference) or has_right_check(reference):
            return ()
        found = dict.fromkeys(number for body in meant(reference) for number in self._by_body.get(body, ()))
        return tuple(found)
