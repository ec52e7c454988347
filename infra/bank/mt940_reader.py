"""Reads MT940: each message, or page of one, becomes a statement with its own balances."""

from dataclasses import dataclass

from infra.bank.mt940_details import Details, details_of, words_of
from infra.bank.mt940_fields import Field, Message, messages
from infra.bank.mt940_line import Balance, Line, balance_of, line_of
from infra.bank.unreadable import UnreadableStatement, malformed, shown
from infra.bank.values import compact, currency_of, decimal_of, iban_of, minor, tidy
from models.banking.statement import BankEntry, BankStatement

SOURCE = "MT940"

_NOT_STATEMENTS = {"941": "a balance report", "942": "an interim transaction report"}


@dataclass(frozen=True, slots=True)
class _Page:
    """The parts of a message: head fields, balances, and each :61: with what follows it."""

    account: Field
    opening: Balance | None
    closing: Balance | None
    entries: list[list[Field]]
    message: list[Field]


def read_mt940(text: str) -> tuple[BankStatement, ...]:
    """The statements of a file, one for each message or page. Raises UnreadableStatement."""
    return tuple(_statement(message) for message in messages(text))


def _statement(message: Message) -> BankStatement:
    _must_be_mt940(message)
    page = _page(message)
    currency = _currency(page)
    days = [balance.day for balance in (page.opening, page.closing) if balance]
    number, sequence = _number(message)
    return BankStatement(
        account=_account(page.account, currency),
        currency=currency,
        number=number,
        source=SOURCE,
        opened_on=days[0],
        closed_on=days[-1],
        opening_minor=page.opening.minor_in(currency) if page.opening else None,
        closing_minor=page.closing.minor_in(currency) if page.closing else None,
        entries=tuple(_entry(index, fields, currency) for index, fields in enumerate(page.entries, 1)),
        sequence=sequence,
        message=" ".join(text for field in page.message if (text := details_of(field.lines).text)),
    )


def _must_be_mt940(message: Message) -> None:
    kind = message.kind
    if not kind and message.has("34", "90", "13") and not message.has("60", "62"):
        kind = "942"
    if kind in _NOT_STATEMENTS:
        raise UnreadableStatement(
            "not_a_statement", f"MT{kind} is {_NOT_STATEMENTS[kind]}, not a statement (MT940): ask for MT940"
        )
    if kind not in ("", "940"):
        raise UnreadableStatement("unsupported_version", f"MT{kind} is not read; the message that is: MT940")


def _page(message: Message) -> _Page:
    accounts: list[Field] = []
    balances: dict[str, Balance] = {}
    entries: list[list[Field]] = []
    texts: list[Field] = []
    for field in message.fields:
        kind = field.tag[:2]
        if kind == "25":
            accounts.append(field)
        elif kind in ("60", "62"):
            if kind in balances:
                raise malformed(field.where, f"one :{kind}: in a statement", "a second one")
            balances[kind] = balance_of(field)
        elif kind == "61":
            if "62" in balances:
                raise malformed(field.where, "no statement line behind the closing balance", "one")
            entries.append([field])
        elif kind in ("86", "NS") and entries and "62" not in balances:
            entries[-1].append(field)
        elif kind == "86":
            texts.append(field)
    return _Page(_one_account(message, accounts), balances.get("60"), balances.get("62"), entries, texts)


def _one_account(message: Message, accounts: list[Field]) -> Field:
    if not accounts or not tidy(accounts[0].first):
        raise malformed(f"line {message.fields[0].line}", "an account (:25:) in the statement", "none")
    if len(accounts) > 1:
        raise malformed(
            accounts[1].where, "one account (:25:) in a statement", f"a second one, {shown(accounts[1].first)}"
        )
    return accounts[0]


def _currency(page: _Page) -> str:
    balances = [balance for balance in (page.opening, page.closing) if balance]
    if not balances:
        raise UnreadableStatement(
            "no_balance",
            f"{page.account.where}: the statement has no balance (:60F:, :62F:), so its currency is unknown",
        )
    stated = list(dict.fromkeys(balance.currency for balance in balances if balance.currency))
    if not stated:
        raise malformed(balances[0].where, "a currency such as EUR", "none")
    if len(stated) > 1:
        raise UnreadableStatement(
            "mixed_currencies",
            f"{balances[1].where}: expected {stated[0]} as in the opening balance, found {stated[1]}",
        )
    return stated[0]


def _account(field: Field, currency: str) -> str:
    """The account as the bank names it: the IBAN if there is one, without a currency that is put behind it."""
    account = tidy(field.first)
    plain = account.removesuffix(currency).rstrip() if account[:-3].rstrip()[-1:].isdigit() else account
    parts = (iban_of(part.removesuffix(currency)) for part in compact(account).split("/"))
    return next((iban for iban in parts if iban), plain)


def _number(message: Message) -> tuple[str, str]:
    """The number of the statement and of its page, without leading zeros."""
    text = next((field.first for field in message.fields if field.tag.startswith("28")), "")
    number, _, sequence = compact(text).partition("/")
    return _without_zeros(number), _without_zeros(sequence)


def _without_zeros(number: str) -> str:
    return number.lstrip("0") or number[:1]


def _entry(index: int, fields: list[Field], currency: str) -> BankEntry:
    line = line_of(fields[0], currency)
    details = details_of(tuple(part for field in fields[1:] if field.tag == "86" for part in field.lines))
    lines = [part for field in fields[1:] if field.tag == "NS" for part in field.lines]
    name, text, own = _party_and_text(line, details, lines)
    facts = words_of(line.extra)
    original, original_currency = _other_amount(facts.get("OCMT", ""), fields[0].where)
    charges, charged_in = _other_amount(facts.get("CHGS", ""), fields[0].where)
    return BankEntry(
        index=index,
        amount_minor=line.amount_minor,
        currency=currency,
        booked_on=line.booked_on,
        valued_on=line.valued_on,
        bank_reference=line.bank_reference,
        end_to_end=details.end_to_end or details.own_reference or own,
        structured=details.structured,
        text=text,
        party_name=name,
        party_iban=details.iban or line.party_iban,
        code="/".join(part for part in (line.kind, details.code) if part),
        is_reversal=line.is_reversal,
        return_reason=details.return_reason,
        charges_minor=charges if charged_in == currency else 0,
        mandate=details.mandate,
        original_amount_minor=original if original_currency != currency else 0,
        original_currency=original_currency if original_currency != currency else "",
    )


def _party_and_text(line: Line, details: Details, extra: list[str]) -> tuple[str, str, str]:
    """Name, text and our reference. Some banks put the other side's account there and repeat it before the text."""
    text = details.text or tidy(" ".join(part[2:] for part in extra if part[:2].isdigit() and part[:2] < "15"))
    name = details.name or tidy(" ".join(part[2:] for part in extra if part[:2] in ("15", "16")))
    own = line.party_iban or line.own_reference
    head = tidy(f"{own} {line.extra}")
    if not name and own and line.extra and text.startswith(head):
        return line.extra, text.removeprefix(head).strip(), ""
    return name, text or ("" if line.extra.startswith("/") else line.extra), line.own_reference


def _other_amount(text: str, where: str) -> tuple[int, str]:
    """Minor units and currency of a text such as USD12,50; 0 and nothing for another text."""
    amount, currency = text[3:].replace(",", ".").strip(), text[:3]
    if not amount[:1].isdigit():
        return 0, ""
    try:
        return minor(decimal_of(amount, where), currency_of(currency, where), where), currency
    except UnreadableStatement:
        return 0, ""
