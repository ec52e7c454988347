"""The stored tree gives the roots and proofs of RFC 6962, whatever tiles there are, and says when leaves are gone."""

import asyncio
import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from infra.db import Database, open_database, table_of
from infra.evidence.tree import AuditTree, LogDamaged, NoSuchTree
from infra.stores.audit import AuditStore
from models.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion
from models.tables.evidence import AuditTileRow
from tests.evidence.log_samples import do, filled, grow, naive_path, naive_proof, naive_root

TILES = table_of(AuditTileRow)
MANY = 100_000


async def tiles(database: Database) -> dict[tuple[int, int], str]:
    return {(row["level"], row["number"]): row["hash"] for row in await database.rows(select(TILES))}


async def verified_inclusion(tree: AuditTree, sequence: int, size: int) -> int:
    """The proof's length, after it was verified."""
    proof = await tree.prove_inclusion(sequence, size)
    path = [bytes.fromhex(one) for one in proof.hashes]
    assert verify_inclusion(bytes.fromhex(proof.leaf), sequence - 1, size, path, bytes.fromhex(proof.root))
    return len(path)


async def verified_consistency(tree: AuditTree, old: int, size: int) -> int:
    """The proof's length, after it was verified."""
    earlier, proof = await tree.root(old), await tree.prove_consistency(old, size)
    path = [bytes.fromhex(one) for one in proof.hashes]
    assert verify_consistency(old, bytes.fromhex(earlier), size, bytes.fromhex(proof.root), path)
    return len(path)


async def test_an_empty_log_has_the_empty_root_and_nothing_to_prove(database):
    tree = AuditTree(database)
    assert (await tree.size(), await tree.root(), await tree.fill()) == (0, EMPTY_ROOT, 0)
    with pytest.raises(NoSuchTree, match="a log of 0 leaves has no leaf 1"):
        await tree.inclusion(1)
    with pytest.raises(NoSuchTree):
        await tree.consistency(1)


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 512, 513, 767, 768, 1_024, 1_500])
async def test_roots_and_proofs_at_the_edges_of_tiles(database, size):
    leaves = await filled(database, size)
    tree = AuditTree(database)
    assert await tree.root() == naive_root(leaves)
    for sequence in {1, 2, size // 2, 255, 256, 257, size - 1, size} & set(range(1, size + 1)):
        assert await tree.inclusion(sequence) == naive_path(sequence - 1, leaves)
        assert await tree.consistency(sequence) == naive_proof(sequence, leaves)
        assert await tree.root(sequence) == naive_root(leaves[:sequence])
    assert len(await tiles(database)) == sum((size >> 8) >> up for up in range(8))


@pytest.mark.uncounted
async def test_a_hundred_thousand_leaves(database):
    leaves = await filled(database, MANY)
    tree, chance = AuditTree(database), random.Random(6962)
    assert await tree.root() == naive_root(leaves)
    assert len(await tiles(database)) == sum((MANY >> 8) >> up for up in range(9))
    for _ in range(60):
        size = chance.randint(1, MANY)
        sequence = chance.randint(1, size)
        assert await verified_inclusion(tree, sequence, size) <= math.ceil(math.log2(size or 1))
        assert await verified_consistency(tree, sequence, size) <= math.ceil(math.log2(size)) + 1
    for _ in range(2):
        size = chance.randint(MANY // 2, MANY)
        sequence = chance.randint(1, size)
        assert await tree.inclusion(sequence, size) == naive_path(sequence - 1, leaves[:size])
        assert await tree.consistency(sequence, size) == naive_proof(sequence, leaves[:size])


@pytest.mark.parametrize("size", [2**20 - 1, 10**6, 2**20])
def test_a_proof_at_a_million_leaves_has_at_most_640_bytes(size):
    """By arithmetic on the way down: each step halves the tree, and each costs one hash of 32 bytes."""
    longest, steps = size, 0
    while longest > 1:
        longest, steps = 1 << (longest - 1).bit_length() - 1, steps + 1
    assert 32 * steps <= 640


async def test_what_the_log_does_not_have_is_told(database):
    await filled(database, 300)
    tree = AuditTree(database)
    for wrong in (
        tree.inclusion(0),
        tree.inclusion(-1),
        tree.inclusion(301),
        tree.inclusion(200, 199),
        tree.inclusion(1, 301),
        tree.inclusion(1, -1),
        tree.consistency(0),
        tree.consistency(301),
        tree.consistency(200, 100),
        tree.root(301),
        tree.root(-1),
    ):
        with pytest.raises(NoSuchTree):
            await wrong


async def test_appending_fills_nothing_in_and_a_proof_does(database):
    await grow(database, 600)
    assert await tiles(database) == {}
    tree = AuditTree(database)
    await tree.inclusion(3)
    assert set(await tiles(database)) == {(8, 0), (8, 1), (9, 0)}
    await grow(database, 600)
    assert set(await tiles(database)) == {(8, 0), (8, 1), (9, 0)}
    assert await tree.fill() == 2
    assert await tree.fill() == 0
    assert set(await tiles(database)) == {(8, 0), (8, 1), (8, 2), (8, 3), (9, 0), (9, 1), (10, 0)}


async def test_many_fill_in_at_once_while_others_append(database, database_url):
    await filled(database, 9_000)
    other = open_database(database_url)
    try:
        trees = [AuditTree(one) for one in (database, other, database, other)]
        await asyncio.gather(*(tree.fill() for tree in trees), grow(database, 300), grow(other, 300))
        await trees[0].fill()
        once = await tiles(database)
        assert len(once) == sum((9_600 >> 8) >> up for up in range(6))
        assert await trees[0].retile() == 37
        assert await tiles(database) == once
    finally:
        await other.close()


async def test_a_filler_that_was_stopped_goes_on_where_it_was(database):
    leaves = await filled(database, 20_000)
    tree = AuditTree(database)
    filling = asyncio.create_task(tree.fill())
    for _ in range(1_000):
        if await tiles(database):
            break
        await asyncio.sleep(0.002)
    filling.cancel()
    await asyncio.gather(filling, return_exceptions=True)
    assert await AuditTree(database).root() == naive_root(leaves)
    assert len(await tiles(database)) == sum((20_000 >> 8) >> up for up in range(7))


@pytest.mark.parametrize("gone", ["level = 8 AND number = 1", "level = 9", "number > 0", "level = 8 AND number = 38"])
async def test_tiles_that_are_gone_are_made_again(database, gone):
    leaves = await filled(database, 10_000)
    tree = AuditTree(database)
    before = await tree.root()
    whole = await tiles(database)
    await do(database, f"DELETE FROM audit_tiles WHERE {gone}")
    for sequence in (1, 300, 5_000, 9_999):
        assert await tree.inclusion(sequence) == naive_path(sequence - 1, leaves)
    assert await tree.root() == before
    await tree.fill(anew=True)
    assert await tiles(database) == whole


async def test_a_tile_that_is_gone_is_noticed_by_who_fills_in_what_lies_beside_it(database):
    await filled(database, 256 * 3)
    tree = AuditTree(database)
    await tree.fill()
    await do(database, "DELETE FROM audit_tiles WHERE number = 0")
    await do(database, "DELETE FROM audit_tiles WHERE number = 2")
    await do(database, "DELETE FROM audit_tiles WHERE level = 9")
    await tree.fill()
    await tree.root()
    assert set(await tiles(database)) == {(8, 0), (8, 1), (8, 2), (9, 0)}


async def test_a_tile_that_contradicts_its_leaves_is_found_and_thrown_away(database):
    await grow(database, 600)
    tree, audit = AuditTree(database), AuditStore(database)
    before = await tree.root()
    assert (await audit.verify()).sound
    await do(database, f"UPDATE audit_tiles SET hash = '{'ab' * 32}' WHERE level = 9")
    assert await tree.root() != before
    report = await audit.verify()
    assert [(found.where, found.why.split(";")[0]) for found in report.problems] == [
        ("tile 9/0", "is not what its leaves give")
    ]
    assert await tree.retile() == 2
    assert await tree.root() == before
    assert (await audit.verify()).sound


async def test_tiles_over_leaves_that_are_not_there_are_found(database):
    await grow(database, 600)
    await AuditTree(database).fill()
    await do(database, f"INSERT INTO audit_tiles (level, number, hash) VALUES (8, 7, '{'ab' * 32}')")
    report = await AuditStore(database).verify()
    assert [found.why.split(";")[0] for found in report.problems] == ["1 are over leaves that are not there"]


async def test_hundreds_of_wrong_tiles_are_told_in_a_few_lines(database):
    await filled(database, 256 * 20)
    await AuditTree(database).fill()
    await do(database, f"UPDATE audit_tiles SET hash = '{'ab' * 32}'")
    told = [found.where for found in (await AuditStore(database).verify()).problems if "tile" in found.where]
    assert len(told) == 6
    found = await database.look(lambda connection: connection.execute(select(func.count()).select_from(TILES)).scalar())
    assert found > 30


@pytest.mark.parametrize(
    "harm", ["DELETE FROM audit_leaves WHERE sequence = 270", "UPDATE audit_leaves SET leaf_hash = 'x'"]
)
async def test_leaves_that_are_gone_are_told(database, harm):
    await filled(database, 600)
    await do(database, harm)
    with pytest.raises(LogDamaged):
        await AuditTree(database).root()
    assert not (await AuditStore(database).verify()).sound


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(size=st.integers(1, 3_000), place=st.floats(0, 1, exclude_min=True))
async def test_every_proof_verifies_at_every_size(database, size, place):
    tree = AuditTree(database)
    if not await tree.size():
        await filled(database, 3_000)
    sequence = math.ceil(place * size)
    assert await verified_inclusion(tree, sequence, size) <= math.ceil(math.log2(size))
    await verified_consistency(tree, sequence, size)
