"""The chain of a timeline: sound as written, broken by every kind of tampering, and where."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from models.deal import fold
from models.timeline import GENESIS, ChainBreak, Entry, digest, entry_hash, verify_chain
from tests.models.world import World, paid

ENTRIES = paid(World()).entries


def rehashed(entry: Entry) -> Entry:
    return replace(entry, hash=entry_hash(entry))


def changed(**changes: Any) -> Callable[[list[Entry]], list[Entry]]:
    return lambda entries: [*entries[:3], replace(entries[3], **changes), *entries[4:]]


OTHER = {
    "deal_id": "D-2", "sequence": 4, "at": "2026-01-05T08:00:01Z", "actor": "u-other", "role": "admin", "action": "x",
    "state_from": "lost", "state_to": "lost", "policy_version": "2027.1", "key": "k", "on_behalf_of": "u-boss",
    "payload": {"x": 1}, "facts": {"x": 1}, "verdicts": [{"x": 1}], "events": [{"tag": "noted", "text": ""}],
}  # fmt: skip


def test_a_timeline_as_written_is_sound():
    assert verify_chain(ENTRIES) is None
    assert verify_chain([]) is None
    assert ENTRIES[0].previous_hash == GENESIS


@pytest.mark.parametrize("name", sorted(set(OTHER) - {"sequence"}))
def test_a_changed_field_breaks_the_chain_at_its_entry(name: str):
    broken = verify_chain(changed(**{name: OTHER[name]})(ENTRIES))
    assert broken == ChainBreak(4, "its content does not give its hash")


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (lambda e: e[1:], ChainBreak(1, "entry 1 is missing, found 2")),
        (lambda e: [*e[:4], *e[5:]], ChainBreak(5, "entry 5 is missing, found 6")),
        (lambda e: [*e[:4], e[3], *e[4:]], ChainBreak(5, "entry 5 is missing, found 4")),
        (lambda e: [e[1], e[0], *e[2:]], ChainBreak(1, "entry 1 is missing, found 2")),
        (changed(hash="0" * 64), ChainBreak(4, "its content does not give its hash")),
        (changed(previous_hash=GENESIS), ChainBreak(4, "does not follow the entry before it")),
        (
            lambda e: [*e[:3], rehashed(replace(e[3], actor="u-other")), *e[4:]],
            ChainBreak(5, "does not follow the entry before it"),
        ),
        (
            lambda e: [*e[:3], rehashed(replace(e[3], previous_hash=e[1].hash)), *e[4:]],
            ChainBreak(4, "does not follow the entry before it"),
        ),
    ],
)
def test_tampering_is_found_at_its_place(tamper: Callable[[list[Entry]], list[Entry]], expected: ChainBreak):
    assert verify_chain(tamper(list(ENTRIES))) == expected


def test_a_digest_is_that_of_the_canonical_form():
    assert digest({"b": 1, "a": "é"}) == digest({"a": "é", "b": 1})
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "sha256 of {}"


def test_a_timeline_folds_to_its_deal():
    assert fold(ENTRIES).state == "supporting"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action": "deliver"}, "deliver is not possible in contacted"),
        ({"action": "qualify"}, "qualify led to contacted, not qualified"),
        ({"state_to": "lost"}, "log_contact led to|record_needs led to"),
        ({"events": [{"tag": "moved", "state": "lost"}]}, "led to lost, not contacted"),
    ],
)
def test_a_timeline_that_the_table_does_not_allow_does_not_fold(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        fold([*ENTRIES[:2], replace(ENTRIES[2], **changes)])
