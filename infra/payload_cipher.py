"""Encrypts what the engine stores: AES-256-GCM per payload, under a ring of keys in the folder of keys.

The engine sees an opaque payload with the id of its key. Workflow ids and search attributes stay readable: nothing
personal stands in them. Failures' messages and stack traces are encrypted as well.
"""

import base64
import binascii
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import History
from temporalio.converter import PayloadCodec

ENCRYPTED = b"binary/encrypted"
KEY_ID = "dealwright-key"
_ASSOCIATED = b"dealwright payload 1 "
_NONCE = 12
_FILE = "payload-keys.json"

Refusing = Literal["encrypted", "migrating"]


class CannotDecode(RuntimeError):
    """A payload that is in clear where none may be, under a key that we do not have, or altered."""


class KeyRingDamaged(RuntimeError):
    """The file of payload keys cannot be read or is not one."""


@dataclass(slots=True)
class KeyRing:
    """The keys by id, read anew when the file changes: a rotation reaches running processes by itself.

    The first process that encrypts makes it; when two do so at once, both use the one that stands. Reading never does:
    a ring made anew would open nothing.
    """

    folder: Path
    _stamp: tuple[int, int] = (0, 0)
    _current: str = ""
    _keys: dict[str, AESGCM] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where the keys are: whoever has this file reads every payload, whoever loses it reads none."""
        return self.folder / _FILE

    def exists(self) -> bool:
        """Whether somebody made the ring already."""
        return self.file.exists()

    def current(self) -> tuple[str, AESGCM]:
        """The key that encrypts, with its id. Raises KeyRingDamaged."""
        self._read(make=True)
        return self._current, self._keys[self._current]

    def of(self, key_id: str) -> AESGCM | None:
        """One key, None when the ring does not have it. Raises KeyRingDamaged."""
        if key_id not in self._keys and self.exists():
            self._read()
        return self._keys.get(key_id)

    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the oldest first; the last one encrypts. Raises KeyRingDamaged."""
        self._read()
        return tuple(self._keys)

    def rotate(self) -> str:
        """Add a key that encrypts from now on; the others stay to read what they wrote. Answers its id."""
        self._read()
        known = json.loads(self.file.read_text())
        key_id = f"k{len(known['keys']) + 1}-{secrets.token_hex(3)}"
        known["keys"][key_id] = _new_key()
        _replace(self.file, {"current": key_id, "keys": known["keys"]})
        return key_id

    def _read(self, *, make: bool = False) -> None:
        try:
            found = self.file.stat()
        except FileNotFoundError:
            if not make:
                told = "is not there; the first start makes it, and if there was one, put its backup there"
                raise KeyRingDamaged(f"{self.file} {told}") from None
            self._make()
            found = self.file.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp == self._stamp:
            return
        self._current, self._keys = _parsed(self.file)
        self._stamp = stamp

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        first = f"k1-{secrets.token_hex(3)}"
        part = _written(self.folder, {"current": first, "keys": {first: _new_key()}})
        try:
            os.link(part, self.file)  # unlike a rename it never takes the place of a ring that another process made
        except FileExistsError:
            pass
        finally:
            part.unlink()


class PayloadCipher(PayloadCodec):
    """The codec of every client, worker and replayer. While `migrating`, payloads in clear are still read."""

    def __init__(self, ring: KeyRing, refusing: Refusing = "encrypted") -> None:
        self.ring, self._refusing = ring, refusing

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt; what is encrypted already stays."""
        key_id, key = self.ring.current()
        return [p if is_encrypted(p) else _encrypted(p, key_id, key) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt. Raises CannotDecode."""
        return [self.opened(payload) for payload in payloads]

    def opened(self, payload: Payload) -> Payload:
        """One payload in clear. Raises CannotDecode."""
        if not is_encrypted(payload):
            if self._refusing == "encrypted":
                raise CannotDecode(
                    "a payload in the engine's store is in clear; DEALWRIGHT_PAYLOADS=migrating reads such ones"
                )
            return payload
        key_id = payload.metadata.get(KEY_ID, b"").decode("ascii", "replace")
        key = self.ring.of(key_id)
        if key is None:
            raise CannotDecode(f"a payload is under the key {key_id!r}, which is not in {self.ring.file.name}")
        try:
            plain = key.decrypt(payload.data[:_NONCE], payload.data[_NONCE:], _ASSOCIATED + key_id.encode())
        except (InvalidTag, ValueError):
            raise CannotDecode(f"a payload under the key {key_id!r} was altered") from None
        return Payload.FromString(plain)


def opened_history(history: bytes, cipher: PayloadCipher | None) -> tuple[bytes, int]:
    """A history (binary protobuf) with its payloads in clear, and how many were decrypted.

    The same bytes each time, and the very ones that were given when none was encrypted. Raises CannotDecode, and
    protobuf's DecodeError for what is no history.
    """
    parsed = History.FromString(history)
    opened = 0
    for payload in payloads_in(parsed):
        if is_encrypted(payload):
            if cipher is None:
                raise CannotDecode("the history is encrypted, and DEALWRIGHT_PAYLOADS says plain")
            payload.CopyFrom(cipher.opened(payload))
            opened += 1
    return (parsed.SerializeToString(deterministic=True) if opened else history), opened


def payloads_in(message: Any) -> Iterator[Payload]:
    """Every payload in a protobuf message, however deep."""
    if isinstance(message, Payload):
        yield message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        for inner in _messages(value):
            yield from payloads_in(inner)


def _messages(value: Any) -> Iterable[Any]:
    """The messages of a field, which is one, a list of them or a map to them."""
    values = value.values() if hasattr(value, "values") and hasattr(value, "keys") else value
    if hasattr(value, "ListFields"):
        return (value,)
    return (item for item in values if hasattr(item, "ListFields"))


def is_encrypted(payload: Payload) -> bool:
    """Whether a payload is one that this codec made."""
    return payload.metadata.get("encoding") == ENCRYPTED


def _encrypted(payload: Payload, key_id: str, key: AESGCM) -> Payload:
    nonce = secrets.token_bytes(_NONCE)
    data = nonce + key.encrypt(nonce, payload.SerializeToString(), _ASSOCIATED + key_id.encode())
    return Payload(metadata={"encoding": ENCRYPTED, KEY_ID: key_id.encode()}, data=data)


def _new_key() -> str:
    return base64.b64encode(AESGCM.generate_key(256)).decode()


def _parsed(file: Path) -> tuple[str, dict[str, AESGCM]]:
    try:
        plain = json.loads(file.read_text())
        keys = {str(key_id): AESGCM(base64.b64decode(key, validate=True)) for key_id, key in plain["keys"].items()}
        current = str(plain["current"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, binascii.Error) as problem:
        raise KeyRingDamaged(f"{file} is no key ring: {type(problem).__name__}; put its backup there") from None
    if current not in keys:
        raise KeyRingDamaged(f"{file} lacks its current key {current}; put its backup there")
    return current, keys


def _replace(file: Path, plain: dict[str, Any]) -> None:
    _written(file.parent, plain).replace(file)


def _written(folder: Path, plain: dict[str, Any]) -> Path:
    """A new file that only its owner reads, on the disk before anybody relies on it."""
    handle, name = tempfile.mkstemp(prefix="payload-keys.", suffix=".part", dir=folder)
    with os.fdopen(handle, "w") as file:
        json.dump(plain, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
