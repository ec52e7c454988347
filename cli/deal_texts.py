"""Instants and money of deals as a terminal shows them."""

from __future__ import annotations

from typing import Any

from models.money import show


def minute(instant: str) -> str:
    """An instant for people, in UTC: 2026-11-21 08:00."""
    return instant[:16].replace("T", " ")


def amount(money: dict[str, Any] | None) -> str:
    """Money on the wire for people; a dash where it must not be seen."""
    return show(money["amount_minor"], money["currency"]) if money else "-"


def signed(money: dict[str, Any] | None) -> str:
    """A difference of money, with its sign."""
    return f"{'+' if money and money['amount_minor'] > 0 else ''}{amount(money)}"
