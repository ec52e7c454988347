"""What is personal in a text: pieces that tell who somebody is, and nothing else."""

import hashlib
import typing
import unicodedata
from itertools import pairwise

import pytest

from models.personal import (
    ERASED,
    Known,
    commitment,
    each_personal,
    has_personal,
    mentions,
    token,
    tokens_in,
    without,
)
from models.rules import ACTIONS

ANNA = [
    Known("P-1", "name", "Anna Quittenbaum"),
    Known("P-1", "email", "anna.q@kunde.example"),
    Known("P-1", "phone", "+49 (30) 1234-567"),
]
NOBODY = token("0" * 64)


def said(text: str, known: list[Known] = ANNA) -> str:
    return without(text, mentions(text, known), lambda piece: f"<{piece.subject or '?'}:{piece.kind}>")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna Quittenbaum agrees", "<P-1:name> agrees"),
        ("ANNA  quittenbaum agrees", "<P-1:name> agrees"),
        ("Ms Quittenbaum's answer", "Ms <P-1:name>'s answer"),
        ("write to Anna.Q@Kunde.example today", "write to <P-1:email> today"),
        ("call +49 30 1234567 or +4930-1234567", "call <P-1:phone> or <P-1:phone>"),
        ("or somebody@else.example, +39 011 234 5678", "or <?:email>, <?:phone>"),
        ("Savannah and Quittenbaumschule", "Savannah and Quittenbaumschule"),
        ("anna", "anna"),  # a single word counts as it is written in the name
        ("invoice 1234567, 49 301 pieces", "invoice 1234567, 49 301 pieces"),
        (f"asked {NOBODY}", f"asked {NOBODY}"),
        ("", ""),
    ],
)
def test_pieces_that_tell_who_it_is_are_found(text: str, expected: str) -> None:
    assert said(text) == expected


def test_names_are_found_in_either_form_of_unicode() -> None:
    known = [Known("P-2", "name", "Jürgen Öz")]
    assert said(unicodedata.normalize("NFD", "bei Jürgen Öz"), known) == "bei <P-2:name>"


def test_the_longest_piece_wins_and_pieces_never_overlap() -> None:
    known = [*ANNA, Known("P-3", "name", "Quittenbaum")]
    text = "Anna Quittenbaum, Quittenbaum, quittenbaum.x@kunde.example"
    pieces = mentions(text, known)
    assert [piece.text for piece in pieces] == ["Anna Quittenbaum", "Quittenbaum", "quittenbaum.x@kunde.example"]
    assert all(one.end <= other.start for one, other in pairwise(pieces))


def test_a_name_of_one_letter_is_nothing_to_look_for() -> None:
    assert mentions("A b c", [Known("P-4", "name", "A"), Known("P-4", "phone", "12")]) == []


def test_fields_about_persons_and_free_texts_are_found_by_the_payload_alone() -> None:
    kind = ACTIONS["accept_analogue"].payload
    payload = {"line": 1, "channel": "call", "given_by": "Anna"}
    changed = each_personal(kind, payload, lambda text: "PERSON", lambda text: text.upper())
    assert changed == {"line": 1, "channel": "CALL", "given_by": "PERSON"}
    assert payload["given_by"] == "Anna"
    assert has_personal(kind, payload)
    assert not has_personal(ACTIONS["sign"].payload, {"side": "ours", "digest": "d", "signatory": ""})


def test_fields_that_must_be_one_of_a_few_words_are_left_alone() -> None:
    kind = ACTIONS["log_contact"].payload
    changed = each_personal(kind, {"channel": "call", "outcome": "call"}, str.upper, str.upper)
    assert changed == {"channel": "call", "outcome": "CALL"}


def test_every_action_that_takes_words_has_them_looked_at() -> None:
    """Whoever adds a free text must name it like the others, or say here that it names no person."""
    harmless = {
        *("action", "answer_by", "article", "available_on", "carrier", "clause", "competitor", "currency"),
        *("delivery_terms", "department", "digest", "due_at", "due_on", "effect", "hold", "invoice", "issued_at"),
        *("issued_on", "item", "language", "measure", "message_id", "name", "number", "occurred_at", "other_article"),
        *("owner", "received_on", "reference", "refused", "rung", "shipment", "side", "source", "until", "valid_until"),
        *("wanted_by", "kind", "linked_deal", "version", "returned_on"),
    }
    unseen = {}
    for action, rule in ACTIONS.items():
        hints = typing.get_type_hints(rule.payload)
        names = {name for name, hint in hints.items() if hint in (str, tuple[str, ...])} - harmless
        sample = {name: "x" if hints[name] is str else ["x"] for name in names}
        changed = each_personal(rule.payload, sample, lambda _: "y", lambda _: "y")
        if left := {name for name in names if changed[name] == sample[name]}:
            unseen[action] = left
    assert {action: names for action, names in unseen.items() if action != "open"} == {}


def test_a_commitment_is_checked_with_any_tool() -> None:
    salt = bytes(range(32))
    assert commitment(salt, "Öz") == hashlib.sha256(salt + "Öz".encode()).hexdigest()
    assert tokens_in({"a": [f"x {NOBODY} y"], NOBODY: 1}) == {NOBODY}
    assert ERASED not in token("f" * 64)
