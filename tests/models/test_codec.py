"""Plain values to dataclasses: strict, with the path of what is wrong; and back without loss."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import codec
from models.deal_state import Effect
from models.event import from_plain
from models.parts.order import Order, OrderLine


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    number: int
    word: str = "w"

    def __post_init__(self) -> None:
        if self.number == 13:
            raise ValueError("not that number")


@dataclass(frozen=True)
class Outer:
    inner: Inner
    many: tuple[Inner, ...] = ()
    maybe: Inner | None = None
    named: dict[str, Inner] = field(default_factory=dict)
    colour: Colour = Colour.RED
    flag: bool = False
    anything: Any = None
    noted: Annotated[int, "a note"] = 0


LETTERS = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
INNERS = st.builds(
    Inner,
    st.integers(-codec.LARGEST, codec.LARGEST).filter(lambda n: n != 13),
    st.text(LETTERS),
)
OUTERS = st.builds(
    Outer,
    INNERS,
    st.lists(INNERS, max_size=3).map(tuple),
    st.none() | INNERS,
    st.dictionaries(st.text(LETTERS, max_size=3), INNERS, max_size=2),
    st.sampled_from(Colour),
    st.booleans(),
)


@given(OUTERS)
def test_what_is_encoded_decodes_and_revives_to_the_same(value: Outer):
    plain = codec.encode(value)
    assert codec.decode(Outer, plain) == codec.revive(Outer, plain) == value


@pytest.mark.parametrize(
    ("plain", "where", "why"),
    [
        (None, "", "expected an object, got NoneType"),
        ([], "", "expected an object, got list"),
        ({}, "inner", "required field is missing"),
        ({"inner": {}}, "inner.number", "required field is missing"),
        ({"inner": {"number": 1}, "other": 1}, "other", "unknown field"),
        ({"inner": {"number": 1, "more": 1}}, "inner.more", "unknown field"),
        ({"inner": {"number": "1"}}, "inner.number", "expected int, got str"),
        ({"inner": {"number": True}}, "inner.number", "expected int, got bool"),
        ({"inner": {"number": 1.0}}, "inner.number", "expected int, got float"),
        ({"inner": {"number": math.nan}}, "inner.number", "expected int, got float"),
        ({"inner": {"number": math.inf}}, "inner.number", "expected int, got float"),
        ({"inner": {"number": None}}, "inner.number", "expected int, got NoneType"),
        ({"inner": {"number": 1, "word": "a\x00b"}}, "inner.word", "NUL characters are not allowed"),
        ({"inner": {"number": 1, "word": 5}}, "inner.word", "expected str, got int"),
        ({"inner": {"number": 13}}, "inner", "not that number"),
        ({"inner": {"number": 1}, "many": {}}, "many", "expected a list, got dict"),
        ({"inner": {"number": 1}, "many": [{"number": 1}, {"number": []}]}, "many[1].number", "expected int, got list"),
        ({"inner": {"number": 1}, "maybe": 5}, "maybe", "expected an object, got int"),
        ({"inner": {"number": 1}, "named": []}, "named", "expected an object, got list"),
        ({"inner": {"number": 1}, "named": {"a": {"number": ""}}}, "named.a.number", "expected int, got str"),
        ({"inner": {"number": 1}, "colour": "green"}, "colour", "'green' is none of: red, blue"),
        ({"inner": {"number": 1}, "colour": ["red"]}, "colour", "['red'] is none of: red, blue"),
        ({"inner": {"number": 1}, "flag": 0}, "flag", "expected bool, got int"),
        ({"inner": {"number": 1}, "noted": "x"}, "noted", "expected int, got str"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(plain: Any, where: str, why: str):
    with pytest.raises(codec.Malformed) as caught:
        codec.decode(Outer, plain)
    assert (caught.value.where, caught.value.why) == (where, why)
    assert str(caught.value) == f"{where or 'body'}: {why}"


def test_text_without_a_canonical_form_is_refused():
    with pytest.raises(codec.Malformed):
        codec.decode(Inner, {"number": 1, "word": "\ud800"})
    with pytest.raises(codec.Malformed, match="numbers are from"):
        codec.decode(Inner, {"number": 2**53})


def test_values_that_are_already_built_are_taken_as_they_are():
    inner = Inner(1)
    assert codec.decode(Outer, {"inner": inner}).inner is inner


@pytest.mark.parametrize("kind", [set[int], float, tuple[int, str], int | str, object])
def test_kinds_without_a_plain_form_have_no_decoder(kind: Any):
    with pytest.raises(TypeError, match=r"no decoder|tuples are sequences|only optional unions"):
        codec.decode(kind, 1)


@pytest.mark.parametrize("value", [1.5, math.nan, b"x", {1}, object()])
def test_values_without_a_plain_form_are_not_encoded(value: object):
    with pytest.raises(TypeError, match="has no plain form"):
        codec.encode(value)


def test_keys_become_text_and_sequences_lists():
    assert codec.encode({1: (frozenset({2}), Colour.BLUE)}) == {"1": [[2], "blue"]}


def test_what_older_code_wrote_is_revived_with_the_defaults_of_new_fields():
    assert codec.revive(Inner, {"number": 4}) == Inner(4)
    assert codec.revive(Outer, {"inner": {"number": 4}, "many": [{"number": 5}]}) == Outer(Inner(4), (Inner(5),))
    assert codec.revive(Inner, {"tag": "x", "number": 4, "word": "v"}, beside="tag") == Inner(4, "v")


@pytest.mark.parametrize("plain", [{}, {"number": 1, "other": 2}, {"number": 1, "word": "w", "other": 2}])
def test_what_never_had_this_shape_is_not_revived(plain: dict[str, Any]):
    with pytest.raises(codec.Malformed, match="Inner"):
        codec.revive(Inner, plain)


def test_a_record_inside_that_is_no_record_is_not_revived():
    with pytest.raises(codec.Malformed):
        codec.revive(Order, {"lines": [5], "accepted_by": "", "entered_by": ""})


def test_plain_data_of_any_kind_is_revived_as_it_is():
    effect = Effect("print_document", {"kind": "offer", "lines": [{"line": 1}]}, "key")
    assert codec.revive(Effect, codec.encode(effect)) == effect
    line = OrderLine(1, "A", "", 2, 3, 4)
    assert codec.revive(OrderLine, codec.encode(line)) == line


@pytest.mark.parametrize("plain", [{}, {"tag": "nothing_known"}, {"tag": "noted", "words": ""}])
def test_an_unknown_event_is_malformed(plain: dict[str, Any]):
    with pytest.raises(codec.Malformed):
        from_plain(plain)


@dataclass(frozen=True, slots=True)
class Grown:
    first: str
    added: int = codec.later(0)
    more: tuple[Inner, ...] = codec.later(())


def test_a_field_that_came_later_is_left_out_while_it_has_its_default():
    assert codec.encode(Grown("a")) == {"first": "a"}
    assert codec.encode(Grown("a", 1)) == {"first": "a", "added": 1}
    full = Grown("a", 2, (Inner(1),))
    assert codec.encode(full) == {"first": "a", "added": 2, "more": [{"number": 1, "word": "w"}]}
    for value in (Grown("a"), Grown("a", 1), full):
        assert codec.decode(Grown, codec.encode(value)) == codec.revive(Grown, codec.encode(value)) == value
