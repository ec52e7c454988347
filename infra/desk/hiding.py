"""What some callers must not see inside of plain values: prices for the goods departments, costs for all but sales."""

from collections.abc import Callable
from typing import Any

from infra.desk.callers import Caller
from models.parts.amendment import ChangeKind

Plain = dict[str, Any]
Hidden = Callable[[str, Plain], bool]
"""Whether a field must go, by its name and the value that it stands in."""

_PRICES = frozenset(
    {"minor", "bps", "price", "prices", "cost", "costs", "margin", "margins", "score", "discount", "discounts"}
    | {"amount", "amounts", "total", "net", "tax", "budget", "headroom", "prepaid", "payment", "terms"}
)
_COSTS = frozenset({"cost", "costs", "margin", "margins"})
_TERMS = frozenset({ChangeKind.PRICE.value, ChangeKind.PAYMENT_DAYS.value, ChangeKind.DELIVERY_TERMS.value})


def without_prices(value: Any) -> Any:
    """A plain value without any field that tells prices, costs, margins or terms of payment, however deep.

    A field is known by the words of its name (`net_minor`, `tax_bps`, `score`), so that what is added later is hidden
    unless it is named otherwise. Changes of an order that are about prices or terms alone are left out whole.
    """
    return _without(value, _is_price, _is_about_terms)


def without_costs(value: Any) -> Any:
    """A plain value without our costs and margins (D11). The score of an option goes with its margin."""
    return _without(value, _is_cost, lambda item: False)


def shown(value: Any, caller: Caller) -> Any:
    """A plain value as far as the caller may see it."""
    if caller.is_blind:
        return without_prices(value)
    return value if caller.sees_margins else without_costs(value)


def _is_price(name: str, _: Plain) -> bool:
    return not _PRICES.isdisjoint(name.split("_"))


def _is_cost(name: str, around: Plain) -> bool:
    words = name.split("_")
    return not _COSTS.isdisjoint(words) or ("score" in words and any("margin" in other for other in around))


def _is_about_terms(item: Any) -> bool:
    return isinstance(item, dict) and item.get("kind") in _TERMS


def _without(value: Any, hidden: Hidden, left_out: Callable[[Any], bool]) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, hidden, left_out) for name, inner in value.items() if not hidden(name, value)}
    if isinstance(value, list | tuple):
        return [_without(inner, hidden, left_out) for inner in value if not left_out(inner)]
    return value
