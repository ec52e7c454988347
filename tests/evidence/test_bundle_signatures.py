"""The verifier's own Ed25519, canonical JSON and proofs agree with the standards and with the libraries."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

import verify_bundle as verifier
from models import merkle
from tests.evidence.bundles import subtrees
from tests.evidence.log_samples import hash_of
from verify_bundle import Damaged, Unreadable, library_ed25519, plain_ed25519

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
"""Tests 1 to 3 of section 7.1: public key, message, signature."""

ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture(params=[plain_ed25519, library_ed25519], ids=["own", "library"])
def ed25519(request: pytest.FixtureRequest) -> Any:
    assert request.param is not None
    return request.param


@pytest.mark.parametrize("vector", RFC_8032)
def test_the_vectors_of_rfc_8032(ed25519, vector):
    key, message, signature = map(bytes.fromhex, vector)
    assert ed25519(key, message, signature)
    assert not ed25519(key, message + b"x", signature)
    for bit in range(0, 512, 37):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not ed25519(key, message, bytes(flipped))
    for bit in range(0, 256, 31):
        flipped = bytearray(key)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not ed25519(bytes(flipped), message, signature)


def test_a_second_spelling_of_a_signature_is_refused(ed25519):
    """S and S + L name the same point: taking both would let anybody make a second signature of every first."""
    key, message, signature = map(bytes.fromhex, RFC_8032[1])
    other = int.from_bytes(signature[32:], "little") + ORDER
    assert not ed25519(key, message, signature[:32] + other.to_bytes(32, "little"))


def test_what_is_no_key_or_no_signature_is_refused(ed25519):
    key, message, signature = map(bytes.fromhex, RFC_8032[1])
    for bad in (b"", b"\xff" * 32, b"\x02" + b"\x00" * 31, key[:31], key + b"\x00"):
        assert not ed25519(bad, message, signature)
    for bad in (b"", signature[:63], signature + b"\x00", b"\x00" * 64, b"\xff" * 64):
        assert not ed25519(key, message, bad)


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_both_agree_on_any_signature(secret, message):
    private = Ed25519PrivateKey.from_private_bytes(secret)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert plain_ed25519(key, message, signature)
    assert not plain_ed25519(key, message + b"\x00", signature)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_canonical_json_is_that_of_rfc_8785(value):
    try:
        theirs = rfc8785.dumps(value)
    except UnicodeEncodeError:
        return
    assert verifier.canonical(value) == theirs
    assert verifier.parse(theirs) == value


def test_keys_are_sorted_by_their_utf_16_units():
    value = {"\ufb33": 1, "\U0001f600": 2, "a": 3, "\r": 4, "1": 5, "\x80": 6, "ö": 7, "€": 8}
    assert verifier.canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "raw", [b'{"a":1,"a":1}', b'{"b":1,"a":1}', b"1.0", b"1e3", b"NaN", b"-0", b" 1", b"9007199254740992", b'"\\u0061"']
)
def test_what_is_not_in_canonical_form_is_refused(raw):
    with pytest.raises(Damaged):
        verifier.parse(raw)


def test_proofs_are_checked_as_our_own_code_checks_them():
    leaves = [hash_of(number) for number in range(40)]
    for size in (1, 2, 3, 7, 8, 21, 40):
        complete = subtrees(leaves[:size])
        root = merkle.range_root(0, size, complete)
        for number in range(size):
            path = merkle.inclusion_path(number, size, complete)
            leaf = bytes.fromhex(leaves[number])
            assert verifier.included(leaf, number, size, path, root)
            assert not verifier.included(leaf, (number + 1) % size, size, path, root) or size == 1
            assert not verifier.included(leaf, number, size, [*path, root], root)
            assert not verifier.included(root, number, size, path, root) or size == 1
        for old in range(1, size + 1):
            path, before = merkle.consistency_path(old, size, complete), merkle.range_root(0, old, complete)
            assert verifier.consistent(old, before, size, root, path)
            assert not verifier.consistent(old, hash_of_bytes(old), size, root, path)
            assert not verifier.consistent(old, before, size, root, [*path, root])
        assert not verifier.consistent(0, b"", size, root, [])
        assert not verifier.consistent(size + 1, root, size, root, [])


def hash_of_bytes(number: int) -> bytes:
    return bytes.fromhex(hash_of(number + 1_000))


def test_a_public_key_is_taken_in_every_usual_form(tmp_path: Path):
    public = Ed25519PrivateKey.generate().public_key()
    raw = public.public_bytes_raw()
    plain, typed = (base64.b64encode(one).decode() for one in (raw, b"\x01" + raw))
    verifier_key = f"log.example/a+{verifier.key_hash('log.example/a', raw)}+{typed}"
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    file = tmp_path / "key"
    for text in (plain, verifier_key, pem):
        file.write_text(text + "\n")
        assert verifier.read_key(str(file)) == raw
    assert verifier.read_key(plain) == verifier.read_key(verifier_key) == raw
    for text in ("", "nonsense", plain[:-4], json.dumps({"key": plain}), "\x00", str(tmp_path)):
        with pytest.raises(Unreadable):
            verifier.read_key(text)
