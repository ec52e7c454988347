"""The cryptography of personal values: keys of persons, salts, and AES-256-GCM around each value."""

import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.privacy.installation_key import InstallationKey, KeyLost
from models.personal import commitment

_NONCE, _SALT = 12, 32


@dataclass(frozen=True, slots=True)
class PersonKey:
    """The key of one person, from which two are made: one seals, the other makes salts."""

    subject: str
    secret: bytes = field(repr=False)

    def salt(self, kind: str, value: str) -> bytes:
        """The salt of a value. It is made of the key and the value instead of by chance, so that the same value of the
        same person has the same commitment: an act that is repeated is seen to be the same, and a name that stands in
        two acts is seen to be one. Without the key it is as good as chance (HMAC is a pseudo-random function)."""
        return hmac.digest(self._made("salts"), f"{kind}\x00{value}".encode(), "sha256")

    def seal(self, kind: str, value: str) -> tuple[str, str]:
        """The commitment to a value, and salt and value encrypted; bound to person, kind and commitment."""
        salt = self.salt(kind, value)
        of = commitment(salt, value)
        return of, _encrypt(self._made("values"), salt + value.encode(), self._about(kind, of))

    def open(self, kind: str, of: str, sealed: str) -> tuple[bytes, str]:
        """Salt and value. Raises ValueError when they are not what was sealed."""
        plain = _decrypt(self._made("values"), sealed, self._about(kind, of))
        if plain is None or commitment(plain[:_SALT], value := plain[_SALT:].decode()) != of:
            raise ValueError(f"the sealed value {of[:12]}... was changed")
        return plain[:_SALT], value

    def _made(self, purpose: str) -> bytes:
        return hmac.digest(self.secret, f"dealwright personal {purpose}".encode(), "sha256")

    def _about(self, kind: str, of: str) -> bytes:
        return f"{self.subject}\x00{kind}\x00{of}".encode()


def new_key(subject: str) -> PersonKey:
    """A key for a person."""
    return PersonKey(subject, secrets.token_bytes(32))


def wrap(key: PersonKey, under: InstallationKey) -> str:
    """The key of a person as the database keeps it."""
    return _encrypt(under.secret, key.secret, key.subject.encode())


def unwrap(subject: str, wrapped: str, under: InstallationKey) -> PersonKey:
    """The key of a person. Raises KeyLost when it was wrapped under another key, or for somebody else."""
    secret = _decrypt(under.secret, wrapped, subject.encode())
    if secret is None:
        raise KeyLost(f"the key of {subject} was not wrapped under the key of this installation")
    return PersonKey(subject, secret)


def _encrypt(key: bytes, plain: bytes, about: bytes) -> str:
    nonce = secrets.token_bytes(_NONCE)
    return b64encode(nonce + AESGCM(key).encrypt(nonce, plain, about)).decode()


def _decrypt(key: bytes, sealed: str, about: bytes) -> bytes | None:
    try:
        raw = b64decode(sealed, validate=True)
        return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], about)
    except (InvalidTag, ValueError):
        return None
