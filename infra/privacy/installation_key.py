"""The key of this installation, a file of 32 bytes beside the database, under which the keys of persons are wrapped."""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra.evidence import key_files

FILE = "personal.key"
_LENGTH = 32


class KeyLost(RuntimeError):
    """The installation's key is not here, or is not the one under which the keys of persons were wrapped."""


@dataclass(frozen=True, slots=True)
class InstallationKey:
    """The key; `name` tells which one it is and nothing more."""

    secret: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """A short digest of the key."""
        return "ik-" + hashlib.sha256(b"dealwright installation key\x00" + self.secret).hexdigest()[:24]


def find(folder: Path) -> InstallationKey:
    """The key that stands in the folder. Raises KeyLost."""
    path = folder / FILE
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise KeyLost(f"{path} is not there: put it back from the backup of the keys, personal data needs it") from None
    except (ValueError, OSError) as problem:
        raise KeyLost(f"{path} can't be read as a key: {type(problem).__name__}") from None
    if len(secret) != _LENGTH:
        raise KeyLost(f"{path} does not hold a key of {_LENGTH} bytes")
    return InstallationKey(secret)


def find_or_make(folder: Path) -> InstallationKey:
    """The key that stands in the folder, or a new one; of several processes that make one the first wins. Only for
    whoever knows that nothing was wrapped yet. Raises KeyLost for a file that is no key."""
    key_files.make_folder(folder)
    if not (folder / FILE).exists():
        with suppress(FileExistsError):  # another process has made it meanwhile
            key_files.add(folder / FILE, secrets.token_hex(_LENGTH).encode())
    return find(folder)
