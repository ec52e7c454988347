"""Keys of checkpoints: made once, readable by their owner alone, retired by a leaf, and never taken for another."""

import asyncio
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select

from infra.db import open_database, table_of
from infra.evidence.keys import AuditKeys, KeyTrouble
from infra.evidence.notes import BadSignature, signers
from models.checkpoint import Head, key_hash, note
from models.merkle import EMPTY_ROOT
from models.tables.records import AuditLeafRow
from tests.evidence.log_samples import AT, LATER

NAME = "log.example/audit"
HEAD = Head(NAME, 0, EMPTY_ROOT, AT)
LEAVES = table_of(AuditLeafRow)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "secret" / "keys"


@pytest.fixture
def keys(database, folder: Path) -> AuditKeys:
    return AuditKeys(database, folder, NAME)


def pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


async def test_the_first_key_is_made_when_it_is_needed(keys, folder):
    assert await keys.all() == []
    signer = await keys.active(AT)
    (public,) = await keys.all()
    assert public == signer.public
    assert (public.name, public.made_at, public.retired_at) == (NAME, AT, "")
    assert public.key_hash == key_hash(NAME, public.raw)
    assert public.verifier.startswith(f"{NAME}+{public.key_hash}+")
    assert (await keys.active(LATER)).public == public
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = folder.glob("*.pem")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.name == f"audit-{public.key_hash}.pem"
    assert b"BEGIN PRIVATE KEY" in file.read_bytes()


async def test_a_signature_verifies_and_an_altered_note_does_not(keys):
    signer = await keys.active(AT)
    text = note(HEAD, (signer.line(HEAD),))
    assert signers(text, await keys.all()) == (HEAD, (signer.public,))
    assert signers(text, []) == (HEAD, ())
    with pytest.raises(BadSignature):
        signers(text.replace(AT, LATER), await keys.all())


async def test_those_who_need_the_first_key_at_once_get_the_same(database, database_url, folder):
    others = [open_database(database_url) for _ in range(3)]
    try:
        found = await asyncio.gather(*(AuditKeys(one, folder, NAME).active(AT) for one in (database, *others) * 2))
        assert len({signer.public for signer in found}) == 1
        assert [file.name for file in folder.glob("*.pem")] == [f"audit-{found[0].public.key_hash}.pem"]
    finally:
        await asyncio.gather(*(one.close() for one in others))


async def test_a_leaf_retires_a_key_and_names_its_successor(keys, database):
    first = (await keys.active(AT)).public
    retired, new = await keys.rotate("u-admin", LATER)
    assert (retired.key_hash, retired.retired_at) == (first.key_hash, LATER)
    assert [key.key_hash for key in await keys.all()] == [first.key_hash, new.key_hash]
    assert (await keys.active(LATER)).public == new
    (leaf,) = await database.rows(select(LEAVES))
    assert (leaf["kind"], leaf["ref"], leaf["at"]) == ("audit_key", new.key_hash, LATER)
    assert leaf["body"] == {
        "retired": first.key_hash,
        "key": new.key_hash,
        "name": NAME,
        "public_key": new.public_key,
        "by": "u-admin",
    }
    assert (await keys.retired(first.key_hash)).public.key_hash == first.key_hash
    assert await keys.retired(new.key_hash) is None
    assert await keys.retired("00000000") is None


async def test_of_those_who_rotate_at_once_none_leaves_two_keys_that_sign(database, database_url, folder):
    keys, other = AuditKeys(database, folder, NAME), open_database(database_url)
    await keys.active(AT)
    try:
        rotators = (keys, AuditKeys(other, folder, NAME), keys, AuditKeys(other, folder, NAME))
        done = await asyncio.gather(*(one.rotate("u-admin", LATER) for one in rotators), return_exceptions=True)
    finally:
        await other.close()
    won = [one for one in done if not isinstance(one, BaseException)]
    assert won
    assert all(isinstance(one, KeyTrouble) for one in done if isinstance(one, BaseException))
    stands = await keys.all()
    assert len(stands) == 1 + len(won)
    assert [key.key_hash for key in stands if not key.retired_at] == [(await keys.active(LATER)).public.key_hash]
    assert len(await database.rows(select(LEAVES))) == len(won)
    assert {file.name for file in folder.glob("*.pem")} == {f"audit-{key.key_hash}.pem" for key in stands}


async def test_there_is_nothing_to_retire_before_the_first_key(keys, folder):
    with pytest.raises(KeyTrouble, match="there is no key to retire"):
        await keys.rotate("u-admin", AT)
    assert list(folder.glob("*.pem")) == []


async def test_a_lost_private_half_is_told_and_can_be_retired(keys, folder):
    first = (await keys.active(AT)).public
    keys.destroy(first.key_hash)
    with pytest.raises(KeyTrouble, match=f"the private half of the key {first.key_hash} is missing"):
        await keys.active(AT)
    assert await keys.all() == [first], "no other key takes its place by itself"
    _, new = await keys.rotate("u-admin", LATER)
    assert (await keys.active(LATER)).public == new
    assert await keys.retired(first.key_hash) is None


OTHER = {
    "another key": pem(Ed25519PrivateKey.from_private_bytes(bytes(32))),
    "another kind of key": pem(X25519PrivateKey.from_private_bytes(bytes(32))),
    "half a file": pem(Ed25519PrivateKey.from_private_bytes(bytes(32)))[:40],
    "nothing": b"",
    "noise": b"\xff\x00" * 50,
}


@pytest.mark.parametrize("what", OTHER)
async def test_a_file_with_something_else_is_never_signed_with(keys, what):
    public = (await keys.active(AT)).public
    keys.path(public.key_hash).write_bytes(OTHER[what])
    with pytest.raises(KeyTrouble, match=r"holds (another|no private) key"):
        await keys.active(AT)


async def test_a_file_that_cannot_be_read_is_told(keys):
    public = (await keys.active(AT)).public
    keys.destroy(public.key_hash)
    keys.path(public.key_hash).mkdir()
    with pytest.raises(KeyTrouble, match="can't be read"):
        await keys.active(AT)


async def test_a_log_keeps_its_name_for_ever(keys, database, folder):
    await keys.active(AT)
    renamed = AuditKeys(database, folder, "other.example/log")
    with pytest.raises(KeyTrouble, match="for ever"):
        await renamed.active(AT)
    with pytest.raises(KeyTrouble, match="for ever"):
        await renamed.rotate("u-admin", AT)
    assert len(list(folder.glob("*.pem"))) == 1


async def test_a_private_half_shows_in_no_text(keys):
    signer = await keys.active(AT)
    assert "private" not in repr(signer).lower()
