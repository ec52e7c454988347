"""One Ntry of a camt.053 statement as bank entries: one for the whole, or one per detail of a batch that adds up."""

from dataclasses import dataclass
from typing import Any

from lxml import etree

from infra.bank.camt_names import Camt, at
from infra.bank.unreadable import malformed
from infra.bank.values import compact, day_of, iban_of, only, reference
from models.banking.statement import BankEntry

_BOOKED = "BOOK"
_TRUE = ("true", "1")
_DETAIL_AMOUNTS = ("Amt", "AmtDtls/TxAmt/Amt")
_ORIGINAL_AMOUNTS = ("AmtDtls/InstdAmt/Amt", "AmtDtls/CntrValAmt/Amt")


@dataclass(frozen=True, slots=True)
class _Side:
    name: str
    iban: str


def entries_of(camt: Camt, ntry: etree._Element, account: str, number: int) -> list[BankEntry]:
    """The booked entries of an Ntry, all with index 0; none when it is pending or for information only.

    `account` is ours, `number` counts the Ntry in its statement. Days are empty where the bank states none.
    Raises UnreadableStatement.
    """
    if _status(camt, ntry) != _BOOKED:
        return []
    found = camt.amount(ntry, "Amt")
    if found is None:
        raise malformed(at(ntry), "an amount (Amt)", "none")
    amount, currency = found[0] * camt.sign(ntry), found[1]
    common = {"index": 0, "currency": currency, **_days(camt, ntry)}
    common["is_reversal"] = camt.text(ntry, "RvslInd") in _TRUE
    details = camt.all(ntry, "NtryDtls/TxDtls")
    parts = _parts(camt, details, amount, currency)
    facts = [_facts(camt, ntry, detail, amount > 0, common, account, bool(parts)) for detail in details or [ntry]]
    if not parts:
        return [BankEntry(**common, **_whole(camt, ntry, facts, currency), amount_minor=amount)]
    batch = reference(
        camt.text(ntry, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId", "AcctSvcrRef", "NtryRef") or str(number)
    )
    return [
        BankEntry(**common, **fact, amount_minor=part, batch=batch or str(number))
        for part, fact in zip(parts, facts, strict=True)
    ]


def _status(camt: Camt, ntry: etree._Element) -> str:
    status = camt.text(ntry, "Sts/Cd", "Sts/Prtry", "Sts")
    if not status:
        raise malformed(at(ntry), "a status (Sts) such as BOOK", "none")
    return status


def _days(camt: Camt, ntry: etree._Element) -> dict[str, Any]:
    booked = camt.first(ntry, "BookgDt/Dt", "BookgDt/DtTm")
    valued = camt.first(ntry, "ValDt/Dt", "ValDt/DtTm")
    days = ["" if day is None else day_of((day.text or "").strip(), at(day)) for day in (booked, valued)]
    return {"booked_on": days[0] or days[1], "valued_on": days[1] or days[0]}


def _parts(camt: Camt, details: list[etree._Element], amount: int, currency: str) -> list[int]:
    """What each detail moved, signed, if that adds up to the entry; nothing for fewer than two details."""
    parts: list[int] = []
    for detail in details if len(details) > 1 else []:
        found = camt.fits(detail, *_DETAIL_AMOUNTS)
        if found is None or found[1] != currency:
            return []
        own_sign = camt.first(detail, "CdtDbtInd") is not None
        parts.append(found[0] * (camt.sign(detail) if own_sign else 1 if amount >= 0 else -1))
    return parts if sum(parts) == amount else []


def _facts(
    camt: Camt,
    ntry: etree._Element,
    detail: etree._Element,
    incoming: bool,
    common: dict[str, Any],
    account: str,
    in_batch: bool,
) -> dict[str, Any]:
    """What a detail (or an Ntry without any) says, as fields of BankEntry; texts that it lacks come from its Ntry."""
    reason = camt.text(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
    back = common["is_reversal"] or bool(reason)
    party = _party(camt, detail, incoming, back, account)
    whole, own = camt.text(ntry, "AcctSvcrRef"), camt.text(detail, "Refs/TxId")
    known = (
        camt.text(detail, "Refs/AcctSvcrRef"),
        *((own, whole) if in_batch else (whole, own)),
        camt.text(ntry, "NtryRef"),
    )
    structured, text = _remittance(camt, detail)
    return {
        "bank_reference": next((found for value in known if (found := reference(value))), ""),
        "end_to_end": reference(camt.text(detail, "Refs/EndToEndId")),
        "mandate": reference(camt.text(detail, "Refs/MndtId")),
        "structured": structured,
        "text": text or camt.text(detail, "AddtlTxInf") or camt.text(ntry, "AddtlNtryInf"),
        "party_name": party.name,
        "party_iban": party.iban,
        "code": _code(camt, detail) or _code(camt, ntry),
        "return_reason": reason,
        "charges_minor": _charges(camt, detail, common["currency"]),
        **_original(camt, detail, common["currency"]),
    }


def _whole(camt: Camt, ntry: etree._Element, facts: list[dict[str, Any]], currency: str) -> dict[str, Any]:
    """One set of fields for the whole Ntry: texts are joined, other fields stay where all details agree."""
    if len(facts) == 1:
        fact = facts[0]
        original = fact if fact["original_currency"] else _original(camt, ntry, currency)
    else:
        fact = {name: only([str(each[name]) for each in facts]) for name in facts[0] if not name.startswith("original")}
        fact["text"] = " ".join(dict.fromkeys(each["text"] for each in facts if each["text"]))
        original = _original(camt, ntry, currency)
    charges = sum(each["charges_minor"] for each in facts) or _charges(camt, ntry, currency)
    names = ("original_amount_minor", "original_currency")
    return {**fact, "charges_minor": charges, **{name: original[name] for name in names}}


def _remittance(camt: Camt, detail: etree._Element) -> tuple[str, str]:
    """The creditor reference, if there is just one, and the free text; several references go to the text."""
    references = [compact(text) for text in camt.texts(detail, "RmtInf/Strd/CdtrRefInf/Ref")]
    references = [found for found in dict.fromkeys(references) if reference(found)]
    texts = [text for text in camt.texts(detail, "RmtInf/Ustrd") if reference(text)]
    texts += camt.texts(detail, "RmtInf/Strd/RfrdDocInf/Nb") + camt.texts(detail, "RmtInf/Strd/AddtlRmtInf")
    one = references[0] if len(references) == 1 else ""
    return one, " ".join(texts if one else texts + references)


def _party(camt: Camt, detail: etree._Element, incoming: bool, back: bool, account: str) -> _Side:
    """The other side. Money that goes back keeps the roles of the payment that it undoes, so they are swapped."""
    debtor, creditor = _side(camt, detail, "Dbtr"), _side(camt, detail, "Cdtr")
    likely, other = (debtor, creditor) if incoming != back else (creditor, debtor)
    if likely.iban and likely.iban == account:
        return other
    if not likely.iban and not likely.name and account and other.iban not in ("", account):
        return other
    return likely


def _side(camt: Camt, detail: etree._Element, role: str) -> _Side:
    parties = "RltdPties/"
    name = camt.text(
        detail,
        *(f"{parties}{who}{nm}" for who in (role, f"Ultmt{role}") for nm in ("/Nm", "/Pty/Nm", "/Agt/FinInstnId/Nm")),
    )
    return _Side(reference(name), iban_of(camt.text(detail, f"{parties}{role}Acct/Id/IBAN")))


def _code(camt: Camt, element: etree._Element) -> str:
    domain = [camt.text(element, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return "/".join(part for part in domain if part) or camt.text(element, "BkTxCd/Prtry/Cd")


def _charges(camt: Camt, element: etree._Element, currency: str) -> int:
    """What the bank kept back of this amount, in minor units of its currency; a charge given back counts against it."""
    total = 0
    records = camt.all(element, "Chrgs/Rcrd") or camt.all(element, "Chrgs")
    for record in records:
        found = camt.amount(record, "Amt", "TtlChrgsAndTaxAmt")
        if found is None or found[1] != currency or camt.text(record, "ChrgInclInd") in ("false", "0"):
            continue
        total += found[0] * (-1 if camt.text(record, "CdtDbtInd") == "CRDT" else 1)
    return total


def _original(camt: Camt, element: etree._Element, currency: str) -> dict[str, Any]:
    for path in _ORIGINAL_AMOUNTS:
        found = camt.fits(element, path)
        if found is not None and found[1] != currency:
            return {"original_amount_minor": found[0], "original_currency": found[1]}
    return {"original_amount_minor": 0, "original_currency": ""}
