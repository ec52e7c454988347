"""The Merkle tree against the published vectors of Certificate Transparency, and against RFC 6962's own recursion."""

from collections.abc import Callable

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from models.merkle import (
    EMPTY_ROOT,
    audit_leaf,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    range_root,
    root,
    verify_consistency,
    verify_inclusion,
)

# the reference tree of github.com/google/certificate-transparency, merkletree/merkle_tree_test.cc
_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


@pytest.mark.parametrize("size", range(1, 9))
def test_root_equals_the_published_one(size):
    leaves = [leaf_hash(bytes.fromhex(content)).hex() for content in _LEAVES[:size]]
    assert root(leaves) == _ROOTS[size - 1]


def test_root_of_an_empty_log():
    assert root([]) == EMPTY_ROOT


def _recursive(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(_recursive(leaves[:split]), _recursive(leaves[split:]))


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_streaming_root_equals_the_recursive_definition(contents):
    leaves = [leaf_hash(content) for content in contents]
    assert root(leaf.hex() for leaf in leaves) == _recursive(leaves).hex()


def test_a_leaf_depends_on_everything_it_names():
    leaf = audit_leaf("act", "d-1/1", "a" * 64)
    others = [
        audit_leaf("refusal", "d-1/1", "a" * 64),
        audit_leaf("act", "d-1/2", "a" * 64),
        audit_leaf("act", "d-1/1", "b" * 64),
        audit_leaf("act", "d-1/1", "a" * 64, "2026-01-05T08:00:00Z", "2026-01-05T08:00:01Z"),
        audit_leaf("act", "d-1/1", "a" * 64, "2026-01-05T08:00:00Z", "2026-01-05T08:00:02Z"),
        audit_leaf("act", "d-1/1", "a" * 64, "2026-01-05T08:00:02Z", "2026-01-05T08:00:01Z"),
    ]
    assert leaf not in others
    assert len(set(others)) == 6


def _complete(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    return lambda level, number: _recursive(leaves[number << level : (number + 1) << level])


def _leaves(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


@pytest.mark.parametrize("size", [*range(1, 34), 64, 65])
def test_every_leaf_is_proven_and_no_other(size):
    leaves = _leaves(size)
    head = _recursive(leaves)
    assert range_root(0, size, _complete(leaves)) == head
    for index in range(size):
        path = inclusion_path(index, size, _complete(leaves))
        assert len(path) <= (size - 1).bit_length()
        assert verify_inclusion(leaves[index], index, size, path, head)
        assert not verify_inclusion(leaf_hash(b"another"), index, size, path, head)
        assert not verify_inclusion(leaves[index], index + 1, size, path, head)
        assert not verify_inclusion(leaves[index], index, size, [*path, head], head)
        assert not path or not verify_inclusion(leaves[index], index, size, path[:-1], head)


@pytest.mark.parametrize("size", [*range(1, 34), 64, 65])
def test_every_earlier_tree_is_proven_and_no_other(size):
    leaves = _leaves(size)
    head = _recursive(leaves)
    for old in range(1, size + 1):
        path, before = consistency_path(old, size, _complete(leaves)), _recursive(leaves[:old])
        assert verify_consistency(old, before, size, head, path)
        rewritten = _recursive([*leaves[: old - 1], leaf_hash(b"another")])
        assert not verify_consistency(old, rewritten, size, head, path)
        assert not verify_consistency(old, before, size, leaf_hash(b"another"), path)
        assert not verify_consistency(old, before, size, head, [*path, head])
        assert not path or not verify_consistency(old, before, size, head, path[:-1])


def test_proofs_of_what_is_not_there_are_refused():
    complete = _complete(_leaves(3))
    for index, size in ((3, 3), (-1, 3), (0, 0)):
        with pytest.raises(ValueError, match="has no leaf"):
            inclusion_path(index, size, complete)
        assert not verify_inclusion(b"", index, size, [], b"")
    for old in (0, 4):
        with pytest.raises(ValueError, match="no earlier tree"):
            consistency_path(old, 3, complete)
        assert not verify_consistency(old, b"", 3, b"", [])
    assert not verify_consistency(3, b"", 4, b"", [])


@given(*[st.text(max_size=20)] * 3, st.sampled_from(["", "2026-01-01T00:00:00Z"]))
def test_a_leaf_is_hashed_over_canonical_json(kind, ref, body_hash, logged_at):
    content = {"kind": kind, "ref": ref, "body_hash": body_hash}
    content |= {"at": "2026-01-02T00:00:00Z", "logged_at": logged_at} if logged_at else {}
    expected = leaf_hash(rfc8785.dumps(content)).hex()
    assert audit_leaf(kind, ref, body_hash, "2026-01-02T00:00:00Z", logged_at) == expected


def test_a_leaf_of_any_character_is_hashed_over_canonical_json():
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000)]))
    content = {"kind": "x", "ref": every, "body_hash": "y"}
    assert audit_leaf("x", every, "y") == leaf_hash(rfc8785.dumps(content)).hex()
    with pytest.raises(ValueError, match="surrogates"):
        audit_leaf("x", "\ud800", "y")
