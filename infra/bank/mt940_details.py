"""The field :86: of MT940 in the dialects that banks write: ?20 subfields with SEPA tags, /REMI/ words, plain text.

Read here and not by the library, which joins subfields so that a reference runs into the text behind it, keeps one of
several equal subfields, cuts long fields and drops the ones after ?65.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from stdnum import iso11649

from infra.bank.values import compact, iban_of, reference, tidy

_STRUCTURED = re.compile(r"\s*([0-9]{3})\s*([?~<>|])(?=[0-9]{2})")
_SUBFIELDS = frozenset({"00", "10", *(f"{n}" for n in (*range(20, 40), *range(60, 66), *range(70, 80)))})
_PURPOSE = (*(str(n) for n in range(20, 30)), *(str(n) for n in range(60, 66)))
_SUBFIELD_WIDTH, _LINE_WIDTH = 27, 65
_SEPA = re.compile(
    r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP|MDAT|DDAT|SQTP|ORCR|ORMR|RREF|RTRN)\+"
)
_WORDS = re.compile(
    r"/(TRTP|IBAN|BIC|NAME|REMI|EREF|KREF|MARF|CSID|CNTP|ORDP|BENM|ISDT|RTRN|PREF|PURP|ULTD|ULTB|ULTC|ADDR|CREF|"
    r"OCMT|CHGS|EXCH|TDDT|RCID|ACCW|SVCL|TXTP|SUBM|OPHF|CSTN)/"
)
_RETURNS = frozenset({"108", "109", "159", "181", "184"})
_RETURN_REASON = re.compile(r"9[0-9]{2}")
_SOFT = "\n"


@dataclass(frozen=True, slots=True)
class Details:
    """What :86: says of an entry; empty where it says nothing. `code` is the German business code (GVC)."""

    text: str = ""
    code: str = ""
    name: str = ""
    iban: str = ""
    end_to_end: str = ""
    own_reference: str = ""
    mandate: str = ""
    structured: str = ""
    return_reason: str = ""


def details_of(lines: tuple[str, ...]) -> Details:
    """Reads the lines of one :86:. Raises nothing: what has no form is text."""
    structured = _STRUCTURED.match(lines[0]) if lines else None
    if structured is not None:
        # the lines are cut at their width, even within a subfield's number
        return _of_subfields(structured[1], structured[2], "".join(lines)[structured.end() - 1 :])
    whole = joined(list(lines), _LINE_WIDTH).replace(_SOFT, " ")
    return _of_words(whole) if _WORDS.match(whole.lstrip()) else Details(text=tidy(whole))


def words_of(text: str) -> dict[str, str]:
    """The values of a text such as /EREF/4711/REMI/thanks/ by their words; the first of equal words counts."""
    pieces = _WORDS.split(text)
    found: dict[str, str] = {}
    for word, value in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(word, tidy(value).strip("/ "))
    return found


def joined(parts: list[str], width: int) -> str:
    """Puts together what was cut at a width: a full part goes on in the next, behind a shorter one is a soft break."""
    return "".join(part if len(part) >= width else part + _SOFT for part in parts)


def _of_subfields(code: str, mark: str, rest: str) -> Details:
    parts = _subfields(mark, rest)
    sepa, text = _sepa("".join(_in_a_row([part for part in parts if part[0] in _PURPOSE])))
    name = tidy(joined([value for number, value in parts if number in ("32", "33")], _SUBFIELD_WIDTH))
    each = dict(reversed(parts))
    reason = compact(each.get("34"))
    returned = code in _RETURNS and _RETURN_REASON.fullmatch(reason)
    ibans = (each.get("31"), each.get("38"), sepa.get("IBAN"))
    return Details(
        text=text or tidy(each.get("00")),
        code=code,
        name=name or sepa.get("ABWA", ""),
        iban=next((found for value in ibans if (found := iban_of(value))), ""),
        end_to_end=reference(sepa.get("EREF")),
        own_reference=reference(sepa.get("KREF")),
        mandate=reference(sepa.get("MREF")),
        structured=_creditor_reference(text),
        return_reason=sepa.get("RTRN", "") or (reason if returned else ""),
    )


def _subfields(mark: str, rest: str) -> list[tuple[str, str]]:
    """Number and value of each subfield in order; a mark with a number that is none belongs to the text."""
    pieces = re.split(re.escape(mark) + r"([0-9]{2})", rest)
    found: list[tuple[str, list[str]]] = []
    for number, value in zip(pieces[1::2], pieces[2::2], strict=True):
        if number in _SUBFIELDS or not found:
            found.append((number, [value]))
        else:
            found[-1][1].append(mark + number + value)
    return [(number, "".join(values)) for number, values in found]


def _in_a_row(parts: list[tuple[str, str]]) -> Iterator[str]:
    """The purpose's subfields: a full one goes on in the next number, if that one is there."""
    next_number = dict(pairwise(_PURPOSE))
    for (number, value), (after, _) in zip(parts, [*parts[1:], ("", "")], strict=False):
        goes_on = len(value) >= _SUBFIELD_WIDTH and next_number.get(number) == after
        yield value if goes_on else value + _SOFT


def _sepa(purpose: str) -> tuple[dict[str, str], str]:
    """The tagged values, and the text: what has no tag, what SVWZ+ tags, and what follows a reference after its end."""
    pieces = _SEPA.split(purpose)
    tagged: dict[str, str] = {}
    texts = [pieces[0]]
    for tag, value in zip(pieces[1::2], pieces[2::2], strict=True):
        if tag == "SVWZ":
            texts.append(value)
            continue
        value, _, behind = value.lstrip().partition(_SOFT)
        tagged.setdefault(tag, tidy(value))
        texts.append(behind)
    return tagged, " ".join(text for each in texts if (text := tidy(each)))


def _of_words(whole: str) -> Details:
    found = words_of(whole)
    party = [part.strip() for part in found.get("CNTP", "").split("/")]
    remittance = found.get("REMI", "")
    structured, text = "", remittance
    if remittance.startswith("USTD"):
        text = remittance.removeprefix("USTD").strip("/ ")
    elif remittance.startswith("STRD/"):
        structured, text = compact(remittance.rpartition("/")[2]), ""
    names = (found.get("NAME", ""), party[2] if len(party) > 2 else "", found.get("ULTD", "").removeprefix("NAME/"))
    return Details(
        text=text,
        name=next((name for name in names if name), ""),
        iban=iban_of(found.get("IBAN")) or iban_of(party[0]),
        end_to_end=reference(found.get("EREF")),
        own_reference=reference(found.get("PREF") or found.get("KREF")),
        mandate=reference(found.get("MARF")),
        structured=structured or _creditor_reference(text),
        return_reason=found.get("RTRN", ""),
    )


def _creditor_reference(text: str) -> str:
    """The text as an ISO 11649 reference, if it is nothing but that."""
    number = compact(text)
    return number if number.startswith("RF") and number.isascii() and iso11649.is_valid(number) else ""
