"""The audit log: what verifies, and that no kind of tampering goes unnoticed."""

from typing import Any

import pytest
from sqlalchemy import text

from infra.stores.audit import AuditStore
from infra.stores.policies import PolicyStands, PolicyStore, PolicyVersion
from infra.stores.recorder import DatabaseRecorder
from infra.stores.refusals import Refusal, RefusalStore
from infra.stores.timeline import TimelineStore
from models.merkle import EMPTY_ROOT
from tests.infra.deal_samples import START, chain, record

REFUSED = Refusal("d-1", START, "boris", "sign", "move_refused", {"guards": ["both_signed"]}, "key-1")


@pytest.fixture
async def filled(database):
    """Two deals, a refusal, a policy, an import and a read."""
    for deal_id in ("d-1", "d-2"):
        await DatabaseRecorder(database).record(record(deal_id, chain(deal_id, 3)))
    await RefusalStore(database).record(REFUSED)
    await PolicyStore(database).add(PolicyVersion("2026-1", {"discount_bps": {"account_manager": 500}}, START), START)
    audit = AuditStore(database)
    await audit.append("import", "customers.csv", {"rows": 10, "sha256": "c" * 64}, START)
    await audit.append("read", "d-1", {"actor": "aud", "deal_id": "d-1", "at": START}, START)
    return database


async def test_an_empty_log_is_sound(database):
    report = await AuditStore(database).verify()
    assert report.sound
    assert (report.leaves, report.root) == (0, EMPTY_ROOT)


async def test_everything_that_happened_is_attested(filled):
    heard: list[int] = []
    report = await AuditStore(filled).verify(heard.append)
    assert report.problems == []
    assert report.sound
    assert (report.deals, report.entries, report.refusals, report.leaves) == (2, 6, 1, 10)
    assert heard[-1] == 16
    assert report.root == (await AuditStore(filled).verify()).root != EMPTY_ROOT


TAMPERING = {
    "an entry's content": ("UPDATE timeline SET actor = 'mallory' WHERE deal_id = 'd-1' AND sequence = 2", "d-1/2"),
    "an entry's hash": (f"UPDATE timeline SET hash = '{'0' * 64}' WHERE deal_id = 'd-1' AND sequence = 3", "d-1/3"),
    "an entry in the middle": ("DELETE FROM timeline WHERE deal_id = 'd-1' AND sequence = 2", "d-1/2"),
    "the last entry": ("DELETE FROM timeline WHERE deal_id = 'd-2' AND sequence = 3", "act d-2/3"),
    "a refusal": ("UPDATE refusals SET code = 'ok'", "refusal"),
    "a refusal gone": ("DELETE FROM refusals", "refusal"),
    "a policy": ("UPDATE policies SET active_from = '2020-01-01T00:00:00Z'", "policy 2026-1"),
    "an import": ("UPDATE audit_leaves SET body = '{\"rows\": 9}' WHERE kind = 'import'", "import customers.csv"),
    "a leaf": (f"UPDATE audit_leaves SET leaf_hash = '{'1' * 64}' WHERE sequence = 4", "leaf 4"),
    "a leaf gone": ("DELETE FROM audit_leaves WHERE sequence = 5", "leaf 5"),
    "the last leaf gone": ("DELETE FROM audit_leaves WHERE sequence = 10", "audit log"),
    "the last leaf gone, and the head": ("UPDATE audit_head SET last_sequence = 9", "audit log"),
    "a leaf twice": (
        "INSERT INTO audit_leaves SELECT 11, kind, ref, leaf_hash, at, body, form, logged_at FROM audit_leaves"
        " WHERE sequence = 1",
        "act d-1/1",
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_tampering_is_found(filled, what):
    statement, where = TAMPERING[what]
    async with filled.begin() as connection:
        await connection.execute(text(statement.replace(":", "\\:")))
    report = await AuditStore(filled).verify()
    assert not report.sound
    assert any(where in problem.where for problem in report.problems), report.problems


async def test_an_entry_without_a_leaf_is_found(filled):
    async with filled.begin() as connection:
        await connection.execute(text("DELETE FROM audit_leaves WHERE sequence = 10"))
        await connection.execute(
            text("UPDATE audit_leaves SET kind = 'note', ref = 'x', body = '{}' WHERE sequence = 1")
        )
    problems = (await AuditStore(filled).verify()).problems
    assert any(problem.where == "act d-1/1" and "no leaf" in problem.why for problem in problems)


async def test_a_refusal_with_a_key_is_recorded_once_and_one_without_each_time(database):
    refusals = RefusalStore(database)
    for _ in range(3):
        await refusals.record(REFUSED)
    unkeyed = Refusal("d-1", START, "boris", "sign", "move_refused")
    for _ in range(3):
        await refusals.record(unkeyed)
    rows = await TimelineStore(database).refusals("d-1")
    assert [row["key"] for row in rows] == ["key-1", "", "", ""]
    assert rows[0]["detail"] == REFUSED.detail
    assert (await AuditStore(database).verify()).leaves == 4


async def test_whatever_was_sent_its_refusal_can_be_recorded(database):
    deep: dict[str, Any] = {}
    for _ in range(50):
        deep = {"deeper": deep}
    odd = {
        "nul\x00": "\x00",
        "surrogate": "\ud800",
        "nan": float("nan"),
        "float": 1e300,
        "huge": 10**5000,
        "past exact": 2**60,
        "deep": deep,
        "long": "x" * 100_000,
        "bytes": b"\xff",
        "list": [None, True, 1, "é"],
    }
    await RefusalStore(database).record(Refusal("d" * 500, START, "\x00", "\ud800" * 99, "c" * 99, odd, "k" * 999))
    report = await AuditStore(database).verify()
    assert report.sound
    assert report.refusals == 1
    (row,) = await TimelineStore(database).refusals("d" * 79 + "…")
    assert row["detail"]["list"] == [None, True, 1, "é"]
    assert row["detail"]["nan"] == "nan"
    assert len(row["detail"]["long"]) == 2_000


async def test_a_policy_never_changes_under_its_version(database):
    policies = PolicyStore(database)
    first = PolicyVersion("2026-1", {"floor_bps": 800}, "2026-01-01T00:00:00Z")
    await policies.add(first, START)
    await policies.add(first, START)
    with pytest.raises(PolicyStands):
        await policies.add(PolicyVersion("2026-1", {"floor_bps": 1}, first.active_from), START)
    later = PolicyVersion("2026-2", {"floor_bps": 900}, "2026-07-01T00:00:00Z", "summer")
    await policies.add(later, START)
    assert await policies.get("2026-1") == first
    assert await policies.get("none") is None
    assert await policies.active("2026-06-30T23:59:59Z") == first
    assert await policies.active("2026-07-01T00:00:00Z") == later
    assert await policies.active("2025-01-01T00:00:00Z") is None
    assert [row["version"] for row in await policies.all()] == ["2026-2", "2026-1"]
    assert (await AuditStore(database).verify()).leaves == 2
