"""Payloads in the engine's store: opaque, unaltered, readable after rotations, and never in clear unnoticed."""

import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import History

from infra.payload_cipher import KEY_ID, CannotDecode, KeyRing, KeyRingDamaged, PayloadCipher, opened_history
from infra.payloads import cipher_of, converter_of
from infra.settings import load_settings
from tests.engine import running_engine, running_server

CLEAR = Payload(metadata={"encoding": b"json/plain"}, data=b'{"price_minor":12345}')


@pytest.fixture
def cipher(tmp_path: Path) -> PayloadCipher:
    return PayloadCipher(KeyRing(tmp_path / "keys"))


async def test_what_goes_in_comes_out_and_shows_nothing_between(cipher):
    [hidden] = await cipher.encode([CLEAR])
    assert b"12345" not in hidden.SerializeToString()
    assert await cipher.decode([hidden]) == [CLEAR]
    assert await cipher.encode([hidden]) == [hidden]


async def test_equal_payloads_do_not_look_equal(cipher):
    one, other = await cipher.encode([CLEAR, CLEAR])
    assert one.data != other.data


async def test_an_altered_payload_is_refused(cipher):
    [hidden] = await cipher.encode([CLEAR])
    for place in range(len(hidden.data)):
        altered = Payload(metadata=hidden.metadata, data=_flipped(hidden.data, place))
        with pytest.raises(CannotDecode, match="was altered"):
            cipher.opened(altered)
    for length in (0, 5, 12, 27):
        with pytest.raises(CannotDecode, match="was altered"):
            cipher.opened(Payload(metadata=hidden.metadata, data=hidden.data[:length]))


async def test_a_payload_under_another_key_of_the_ring_is_refused(cipher):
    [hidden] = await cipher.encode([CLEAR])
    other = cipher.ring.rotate()
    with pytest.raises(CannotDecode, match="was altered"):
        cipher.opened(Payload(metadata={**hidden.metadata, KEY_ID: other.encode()}, data=hidden.data))


async def test_a_foreign_key_is_named(cipher, tmp_path):
    [hidden] = await PayloadCipher(KeyRing(tmp_path / "others")).encode([CLEAR])
    with pytest.raises(CannotDecode, match="k1-"):
        cipher.opened(hidden)


def test_plaintext_is_refused_unless_the_store_is_migrating(cipher):
    with pytest.raises(CannotDecode, match="in clear"):
        cipher.opened(CLEAR)
    assert PayloadCipher(cipher.ring, "migrating").opened(CLEAR) == CLEAR


async def test_a_rotation_reaches_other_processes_and_old_payloads_stay_readable(cipher):
    another = PayloadCipher(KeyRing(cipher.ring.folder))  # as another process has it
    [before] = await another.encode([CLEAR])
    new = cipher.ring.rotate()
    [after] = await another.encode([CLEAR])
    assert (before.metadata[KEY_ID], after.metadata[KEY_ID]) == (cipher.ring.ids()[0].encode(), new.encode())
    assert await cipher.decode([before, after]) == [CLEAR, CLEAR]


def test_the_ring_is_its_owners_alone(cipher):
    cipher.ring.current()
    assert stat.S_IMODE(cipher.ring.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(cipher.ring.folder.stat().st_mode) == 0o700
    assert [path.name for path in cipher.ring.folder.iterdir()] == [cipher.ring.file.name]


def test_many_processes_that_start_at_once_make_one_ring(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        keys = {key_id for key_id, _ in pool.map(lambda _: KeyRing(tmp_path / "keys").current(), range(64))}
    assert len(keys) == 1


@pytest.mark.parametrize(
    "content", ["", "{}", '{"current": "k1", "keys": {}}', '{"current": "k", "keys": {"k": "AA"}}']
)
def test_a_damaged_ring_is_refused_and_never_replaced(tmp_path, content):
    (tmp_path / "payload-keys.json").write_text(content)
    with pytest.raises(KeyRingDamaged, match="backup"):
        KeyRing(tmp_path).current()
    assert (tmp_path / "payload-keys.json").read_text() == content


async def test_reading_never_makes_a_ring(tmp_path, cipher):
    [hidden] = await cipher.encode([CLEAR])
    lost = KeyRing(tmp_path / "lost")
    for ask in (lost.ids, lost.rotate):
        with pytest.raises(KeyRingDamaged, match="backup"):
            ask()
    with pytest.raises(CannotDecode):
        await PayloadCipher(lost).decode([hidden])
    assert not lost.folder.exists()


def test_keys_are_256_bits(cipher):
    cipher.ring.current()
    cipher.ring.rotate()
    known = json.loads(cipher.ring.file.read_text())
    assert [len(base64.b64decode(key)) for key in known["keys"].values()] == [32, 32]
    assert list(known["keys"]) == list(cipher.ring.ids())
    assert known["current"] == cipher.ring.ids()[-1]


async def test_the_engines_store_shows_nothing_of_an_act(tmp_path, database):
    """A deal on the real server: its file has no plaintext, its history opens with the ring and with no other."""
    marker = "Zauberformel-7311"
    settings = load_settings(data_dir=tmp_path, payloads="encrypted")
    async with (
        running_server(tmp_path / "engine") as server,
        running_engine(server, database, tmp_path, payloads="encrypted") as engine,
    ):
        await engine.open("cipher-1", title=marker)
        await engine.act("cipher-1", "account_manager", "note", text=marker)
        handle = engine.handle("cipher-1")
        assert marker in json.dumps(await handle.query("snapshot"))
        events = (await handle.fetch_history()).events
    raw = History(events=events).SerializeToString()
    assert marker.encode() not in raw
    cipher = cipher_of(settings)
    clear, opened = opened_history(raw, cipher)
    assert marker.encode() in clear
    assert opened > 4
    assert {opened_history(raw, cipher) for _ in range(20)} == {(clear, opened)}
    assert {opened_history(clear, cipher) for _ in range(20)} == {(clear, 0)}
    with pytest.raises(CannotDecode, match="plain"):
        opened_history(raw, None)
    with pytest.raises(CannotDecode, match="not in"):
        opened_history(raw, PayloadCipher(KeyRing(tmp_path / "other")))
    stored = [path.read_bytes() for path in (tmp_path / "engine").rglob("*") if path.is_file()]
    assert stored
    assert not any(marker.encode() in content for content in stored)


def test_what_is_not_encrypted_has_no_cipher(tmp_path):
    assert cipher_of(load_settings(data_dir=tmp_path, payloads="plain")) is None
    assert converter_of(load_settings(data_dir=tmp_path, payloads="plain")).payload_codec is None


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
