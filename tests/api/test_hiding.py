"""What goods departments and those outside of sales never see: in every event that there is, by the names of fields."""

import dataclasses
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest

from infra.desk import views
from infra.desk.callers import Caller
from infra.desk.hiding import shown, without_costs, without_prices
from infra.desk.judging import HIDDEN, shown_refusal
from models.errors import Refusal, Verdict
from models.event import REGISTRY
from models.parts.amendment import ChangeKind
from models.rules import ACTIONS, GUARDS
from tests.models.world import World

LOGISTICS = Caller("u-logistics", ("logistics_manager",))
MONEY_WORDS = re.compile(r"minor|bps|price|cost|margin|score|discount|amount|total|net|tax|budget|headroom|prepaid")
COST_WORDS = re.compile(r"cost|margin")


def sample(kind: Any) -> Any:
    """A plain value of a type with every field filled, so that nothing is missed for being empty."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return sample(next(one for one in arguments if one is not type(None)))
    if origin is tuple:
        return [sample(arguments[0])]
    if origin is dict:
        return {"field": sample(arguments[1])}
    if dataclasses.is_dataclass(kind):
        return {name: sample(hint) for name, hint in typing.get_type_hints(kind).items() if _is_field(kind, name)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    return {int: 987_654, bool: True}.get(kind, "text")


def _is_field(kind: Any, name: str) -> bool:
    return name in {field.name for field in dataclasses.fields(kind)}


def names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)


EVENTS = {tag: {"tag": tag, **sample(kind)} for tag, kind in sorted(REGISTRY.items())}
PAYLOADS = {action: sample(spec.payload) for action, spec in sorted(ACTIONS.items())}


def test_the_samples_have_what_is_to_be_hidden() -> None:
    """Else the tests below could not fail."""
    found = {name for event in EVENTS.values() for name in names(event)}
    assert {"extra_cost_minor", "margin_effect_minor", "score", "cost_minor", "price_after_minor"} <= found
    assert {"list_price_minor", "net_minor", "tax_bps", "amount", "prepaid"} <= found


@pytest.mark.parametrize("tag", EVENTS)
def test_no_event_tells_goods_departments_money(tag: str) -> None:
    """Whatever act it belongs to: those whose contents they see, and those of which they get the envelope alone."""
    for action in PAYLOADS:
        entry = replace(World().entries[0], action=action, events=[EVENTS[tag]], payload=PAYLOADS[action])
        told = views.entry(entry, LOGISTICS)
        assert [name for name in names(told) if MONEY_WORDS.search(name)] == [], action
    seen = views.entry(replace(World().entries[0], events=[EVENTS[tag]]), Caller("u-am", ("account_manager",)))
    assert seen["events"] == [EVENTS[tag]]


@pytest.mark.parametrize("role", ["sales_support", "legal", "risk_officer", "accounts_receivable", "automation"])
def test_no_event_tells_others_than_sales_costs(role: str) -> None:
    for tag, event in EVENTS.items():
        (told,) = views.entry(replace(World().entries[0], events=[event]), Caller("u-x", (role,)))["events"]
        assert [name for name in names(told) if COST_WORDS.search(name)] == [], tag
        kept = {name for name in names(event) if MONEY_WORDS.search(name) and not COST_WORDS.search(name)}
        lost = kept - set(names(told))
        assert lost == ({"score"} if tag == "option_chosen" else set()), f"{tag}: a price is no cost"


def test_goods_departments_still_learn_about_goods() -> None:
    entry = replace(World().entries[0], action="choose_option", events=[EVENTS["option_chosen"]])
    (told,) = views.entry(entry, LOGISTICS)["events"]
    assert set(told) == {"tag", "line", "option", "by"}
    assert set(told["option"]) == {"kind", "promised_on", "quantity", "rank", "article"}


def test_changes_about_prices_and_terms_alone_are_left_out() -> None:
    kinds = [kind.value for kind in ChangeKind]
    told = without_prices({"changes": [{"kind": kind, "line": 1, "text_after": "60"} for kind in kinds]})
    assert [change["kind"] for change in told["changes"]] == ["add", "drop", "quantity", "date", "address"]


def test_plain_values_are_stripped_however_deep() -> None:
    value = {
        "quantity": 3,
        "discount": 1,
        "net_minor": 1,
        "lines": [{"line": 1, "unit_price": {"amount_minor": 1}, "margin_bps": 1}, {"line": 2, "list_price_minor": 4}],
        "inner": {"deeper": [{"score": 5, "rank": 1, "cost": 2, "extra_cost": 1, "tax_bps": 3}]},
        "priceless": "a word that only begins like one",
    }
    assert without_prices(value) == {
        "quantity": 3,
        "lines": [{"line": 1}, {"line": 2}],
        "inner": {"deeper": [{"rank": 1}]},
        "priceless": "a word that only begins like one",
    }
    assert without_prices("net_minor") == "net_minor"
    assert without_costs({"score": 1, "cost_minor": 1, "price_minor": 1}) == {"score": 1, "price_minor": 1}
    assert without_costs({"score": 1, "margin_effect_minor": 1}) == {}
    assert value["net_minor"] == 1, "what was given is left alone"


def test_who_sees_what_of_a_plain_value() -> None:
    value = {"line": 1, "cost_minor": 2, "price_minor": 3}
    assert shown(value, LOGISTICS) == {"line": 1}
    assert shown(value, Caller("u", ("legal",))) == {"line": 1, "price_minor": 3}
    assert shown(value, Caller("u", ("account_manager",))) == value


@pytest.mark.parametrize(
    "guard",
    ["price_is_protected", "credit_fits_the_goods", "amendment_within_authority", "headroom_for_amendment",
     "prepaid_money_is_kept", "amendment_still_fits", "entry_differs", "signing_within_authority",
     "prepayment_allows_supply", "billed_goods_can_be_credited"],
)  # fmt: skip
def test_guards_do_not_tell_prices(guard: str) -> None:
    assert guard in GUARDS
    failing = (Verdict(guard, False, "12345 asked, 10000 agreed", "less", ()),)
    refusal = Refusal("guard_failed", "act", "fulfilling", "act is blocked: 12345 asked, 10000 agreed", failing)
    hidden = shown_refusal(refusal, LOGISTICS)
    assert "12345" not in hidden.message
    assert hidden.failing[0].found == HIDDEN
    assert shown_refusal(refusal, Caller("u", ("account_manager",))) == refusal
