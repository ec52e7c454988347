"""Money as callers get it: minor units together with their currency, never a bare number."""

from typing import Any


def money(amount_minor: int, currency: str) -> dict[str, Any]:
    """An amount on the wire."""
    return {"amount_minor": amount_minor, "currency": currency}
