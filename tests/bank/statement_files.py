"""Writes bank statements for tests: the same payments as camt.053 (02, 04, 08) and as MT940."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from models.money import EXPONENTS

VERSIONS = ("02", "04", "08")
ACCOUNT = "DE89370400440532013000"


@dataclass(frozen=True)
class Payment:
    """What one entry says; `amount_minor` is signed. `parts` are the details of a batch (camt only)."""

    amount_minor: int
    booked_on: str = "2026-03-02"
    valued_on: str = "2026-03-03"
    reference: str = ""
    end_to_end: str = ""
    mandate: str = ""
    structured: str = ""
    text: str = ""
    name: str = ""
    iban: str = ""
    reversal: bool = False
    status: str = "BOOK"
    reason: str = ""
    charges_minor: int = 0
    original: str = ""
    parts: tuple["Payment", ...] = ()


def total(entries: Sequence[Payment]) -> int:
    """What was booked, in minor units."""
    return sum(entry.amount_minor for entry in entries if entry.status == "BOOK")


def plain(amount_minor: int, currency: str, point: str = ".") -> str:
    """The amount without its sign, as a file states it."""
    digits = EXPONENTS.get(currency, 2)
    whole, rest = divmod(abs(amount_minor), 10**digits)
    return f"{whole}{point}{rest:0{digits}d}" if digits else f"{whole}{point if point == ',' else ''}"


def namespace(version: str) -> str:
    return f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"


def document(namespace_: str, *statements: str) -> bytes:
    """A whole file around what `stmt` wrote."""
    head = "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-03T06:00:00+01:00</CreDtTm></GrpHdr>"
    body = f"<BkToCstmrStmt>{head}{''.join(statements)}</BkToCstmrStmt>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{namespace_}">{body}</Document>\n'.encode()


def camt(
    version: str,
    account: str,
    entries: Sequence[Payment],
    opening_minor: int | None,
    closing_minor: int | None,
    *,
    number: str = "1",
    currency: str = "EUR",
    days: tuple[str, str] = ("2026-03-01", "2026-03-02"),
) -> bytes:
    """A camt.053 file of one statement. A balance of None is left out."""
    balances = "".join(
        balance(kind, amount, day, currency)
        for kind, amount, day in (("OPBD", opening_minor, days[0]), ("CLBD", closing_minor, days[1]))
        if amount is not None
    )
    booked = "".join(ntry(version, entry, currency) for entry in entries)
    return document(namespace(version), stmt(balances + booked, account, number=number, currency=currency))


def stmt(inner: str, account: str = ACCOUNT, *, number: str = "1", currency: str = "EUR") -> str:
    """A Stmt around balances and entries."""
    whose = f"<Acct><Id><IBAN>{account}</IBAN></Id>" + (f"<Ccy>{currency}</Ccy>" if currency else "") + "</Acct>"
    dates = "<CreDtTm>2026-03-03T06:00:00+01:00</CreDtTm>"
    return f"<Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>{dates}{whose}\n{inner}</Stmt>"


def balance(kind: str, amount_minor: int, day: str = "2026-03-01", currency: str = "EUR") -> str:
    """A Bal of a type such as OPBD."""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(amount_minor, currency)}"
        f"{_sign(amount_minor)}<Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def ntry(version: str, entry: Payment, currency: str = "EUR") -> str:
    """An Ntry in the dialect of a version."""
    status = f"<Cd>{entry.status}</Cd>" if version >= "08" else entry.status
    details = "".join(_details(version, part, currency) for part in entry.parts or (entry,))
    return (
        f"<Ntry>{_amount(entry.amount_minor, currency)}{_sign(entry.amount_minor)}"
        + ("<RvslInd>true</RvslInd>" if entry.reversal else "")
        + f"<Sts>{status}</Sts><BookgDt><Dt>{entry.booked_on}</Dt></BookgDt><ValDt><Dt>{entry.valued_on}</Dt></ValDt>"
        + _tag("AcctSvcrRef", entry.reference)
        + "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        + f"<NtryDtls>{details}</NtryDtls></Ntry>\n"
    )


def _details(version: str, part: Payment, currency: str) -> str:
    money = _amount(part.amount_minor, currency)
    transaction = f"<TxAmt>{money}</TxAmt>" if version < "04" else ""
    instructed = ""
    if part.original:
        instructed = f'<InstdAmt><Amt Ccy="{part.original[:3]}">{part.original[3:]}</Amt></InstdAmt>'
    amounts = f"<AmtDtls>{instructed}{transaction}</AmtDtls>" if instructed or transaction else ""
    references = _tag("EndToEndId", part.end_to_end or "NOTPROVIDED") + _tag("MndtId", part.mandate)
    return (
        f"<TxDtls><Refs>{references}</Refs>"
        + (f"{money}{_sign(part.amount_minor)}" if version >= "04" else "")
        + amounts
        + _charges(version, part.charges_minor, currency)
        + f"<RltdPties>{_parties(version, part)}</RltdPties><RmtInf>{_tag('Ustrd', part.text)}"
        + (f"<Strd><CdtrRefInf><Ref>{part.structured}</Ref></CdtrRefInf></Strd>" if part.structured else "")
        + "</RmtInf>"
        + (f"<RtrInf><Rsn><Cd>{part.reason}</Cd></Rsn></RtrInf>" if part.reason else "")
        + "</TxDtls>"
    )


def _parties(version: str, part: Payment) -> str:
    """Both sides; money that goes back keeps the roles of the payment that it undoes."""
    incoming = (part.amount_minor > 0) != (part.reversal or bool(part.reason))
    theirs, ours = ("Dbtr", "Cdtr") if incoming else ("Cdtr", "Dbtr")
    sides = {theirs: (part.name, part.iban), ours: ("Our Company", ACCOUNT)}
    return "".join(_side(version, role, *sides[role]) for role in ("Dbtr", "Cdtr"))


def _side(version: str, role: str, name: str, iban: str) -> str:
    named = _tag("Nm", name)
    party = f"<{role}>{f'<Pty>{named}</Pty>' if version >= '08' else named}</{role}>" if name else ""
    return party + (f"<{role}Acct><Id><IBAN>{iban}</IBAN></Id></{role}Acct>" if iban else "")


def _charges(version: str, amount_minor: int, currency: str) -> str:
    if not amount_minor:
        return ""
    charge = _amount(amount_minor, currency) + "<CdtDbtInd>DBIT</CdtDbtInd>"
    return f"<Chrgs>{f'<Rcrd>{charge}</Rcrd>' if version >= '04' else charge}</Chrgs>"


def _amount(amount_minor: int, currency: str) -> str:
    return f'<Amt Ccy="{currency}">{plain(amount_minor, currency)}</Amt>'


def _sign(amount_minor: int) -> str:
    return f"<CdtDbtInd>{'DBIT' if amount_minor < 0 else 'CRDT'}</CdtDbtInd>"


def _tag(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else ""


def mt940(
    account: str,
    entries: Sequence[Payment],
    opening_minor: int | None,
    closing_minor: int | None,
    *,
    number: str = "1",
    page: str = "1",
    currency: str = "EUR",
    days: tuple[str, str] = ("2026-03-01", "2026-03-02"),
    kinds: tuple[str, str] = ("60F", "62F"),
) -> bytes:
    """An MT940 message with ?20 subfields; messages behind each other are a file. A balance of None is left out."""
    lines = [":20:STARTUMS", f":25:{account}", f":28C:{number.zfill(5)}/{page.zfill(3)}"]
    if opening_minor is not None:
        lines.append(f":{kinds[0]}:{_mt_balance(opening_minor, days[0], currency)}")
    for entry in entries:
        lines += mt940_entry(entry, currency)
    if closing_minor is not None:
        lines.append(f":{kinds[1]}:{_mt_balance(closing_minor, days[1], currency)}")
    return ("\r\n".join([*lines, "-"]) + "\r\n").encode()


def mt940_entry(entry: Payment, currency: str) -> list[str]:
    """The lines of :61: and :86:."""
    mark = {(True, False): "C", (False, False): "D", (True, True): "RD", (False, True): "RC"}
    days = entry.valued_on[2:].replace("-", "") + entry.booked_on[5:].replace("-", "")
    extra = [f"/OCMT/{entry.original.replace('.', ',')}/"] if entry.original else []
    extra += [f"/CHGS/{currency}{plain(entry.charges_minor, currency, ',')}/"] if entry.charges_minor else []
    first = (
        f":61:{days}{mark[entry.amount_minor > 0, entry.reversal]}R{plain(entry.amount_minor, currency, ',')}"
        f"NTRFNONREF//{entry.reference or 'NONREF'}"
    )
    code = "109" if entry.reason else "166" if entry.amount_minor > 0 else "116"
    tagged = (("EREF", entry.end_to_end), ("MREF", entry.mandate), ("SVWZ", entry.text or entry.structured))
    pieces = [piece for tag, value in tagged if value for piece in _cut(f"{tag}+{value}", 27)]
    numbers = [*range(20, 30), *range(60, 64)]
    purpose = "".join(f"?{number}{piece}" for number, piece in zip(numbers, pieces, strict=False))
    assert len(pieces) <= len(numbers), "too long for MT940"
    name = "".join(f"?{number}{piece}" for number, piece in zip((32, 33), _cut(entry.name, 27), strict=False))
    reason = f"?34{entry.reason}" if entry.reason else ""
    iban = f"?31{entry.iban}" if entry.iban else ""
    details = f":86:{code}?00BOOKING?10999{purpose}{iban}{name}{reason}"
    return [first, *(["".join(extra)] if extra else []), *_cut(details, 65)]


def _mt_balance(amount_minor: int, day: str, currency: str) -> str:
    mark = "D" if amount_minor < 0 else "C"
    return f"{mark}{day[2:].replace('-', '')}{currency}{plain(amount_minor, currency, ',')}"


def _cut(text: str, width: int) -> list[str]:
    return [text[start : start + width] for start in range(0, len(text), width)]
