"""Contacts between their rows, which hold tokens, and people, who read and write names, addresses and numbers."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from infra.db import table_of
from infra.privacy.vault import Vault
from models.personal import EMAIL, ERASED, NAME, PHONE, TOKEN, Known
from models.tables.masters import ContactRow

CONTACTS = table_of(ContactRow)
PERSONAL = (NAME, EMAIL, PHONE)
"""The columns that are about the person; the role is the function, and stays."""

Row = dict[str, Any]


def with_tokens(connection: Connection, vault: Vault, contact: Row, at: str) -> Row:
    """The row of a contact with tokens in the place of what is personal. Raises PersonErased or KeyLost."""
    subject, customer = contact["id"], contact["customer_id"]
    kept = {
        kind: vault.keep(connection, subject, customer, kind, contact[kind], at)
        for kind in PERSONAL
        if contact.get(kind)
    }
    return {**contact, **kept}


def in_clear(connection: Connection, vault: Vault, contacts: Sequence[Row]) -> list[Row]:
    """Contacts as people read them. One whose data was destroyed is `erased`, without address and number."""
    tokens = {contact[kind] for contact in contacts for kind in PERSONAL if is_token(contact[kind])}
    values = vault.read(connection, tokens) if tokens else {}

    def clear(text: str) -> str:
        if not is_token(text):
            return text  # of an earlier release, and not moved into the vault yet
        return values[text].value if text in values else ""

    told = [{**contact, **{kind: clear(contact[kind]) for kind in PERSONAL}} for contact in contacts]
    return [row | ({"name": ERASED, "erased": True} if not row["name"] else {"erased": False}) for row in told]


def known_at(connection: Connection, vault: Vault, customer_id: str) -> list[Known]:
    """By what the contacts of a customer are known."""
    rows = connection.execute(select(CONTACTS).where(CONTACTS.c.customer_id == customer_id)).mappings()
    return known_by(in_clear(connection, vault, [dict(row) for row in rows]))


def known_by(contacts: Iterable[Row]) -> list[Known]:
    """By what contacts in clear are known."""
    return [
        Known(contact["id"], kind, contact[kind])
        for contact in contacts
        for kind in PERSONAL
        if contact[kind] and not contact.get("erased")
    ]


def is_token(text: str) -> bool:
    """Whether a column holds a token."""
    return TOKEN.fullmatch(text) is not None
