"""The data folder: its owner's alone, and whole or not yet begun; what programs make sure of before they use it."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, inspect, select

from infra.db import Database, open_database, table_of
from infra.payloads import cipher_of
from infra.settings import Settings
from models.tables.projection import DealRow

_OTHERS = 0o077
_DEALS = table_of(DealRow)


class FolderRefused(Exception):
    """The data folder is not ours."""


class FolderIncomplete(Exception):
    """Part of what was stored is missing; to go on would be to begin anew in silence."""


def take_folder(settings: Settings) -> None:
    """Make the data folder, or close one of an earlier release to everybody but its owner, and see that our database
    is there when the engine's is. Raises FolderRefused and FolderIncomplete.

    On a cluster the folder is a volume, whose owner and mode are the platform's, and no database is in it.
    """
    if not settings.embedded:
        return
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_a_foreign_one(settings.data_dir)
    see_that_the_database_is_there(settings)
    if is_open(settings.data_dir):
        _close(settings.data_dir)


def is_open(folder: Path) -> bool:
    """Whether others than its owner can look into a folder."""
    return bool(folder.stat().st_mode & _OTHERS)


def see_that_the_database_is_there(settings: Settings) -> None:
    """Raises FolderIncomplete when the engine has a store beside which our database is missing. That is never so by
    itself: `begin_database` lets ours be there first."""
    if settings.embedded and settings.temporal_db.exists() and not _may_hold_deals(settings):
        raise FolderIncomplete(
            f"{settings.database_file} is missing, our own database, while the engine's is there"
            f" ({settings.temporal_db.name})"
        )


def begin_database(settings: Settings) -> None:
    """Let the file of our database be there before the engine makes its own."""
    if not settings.on_postgresql:
        settings.database_file.parent.mkdir(parents=True, exist_ok=True)
        settings.database_file.touch(mode=0o600)


async def see_that_the_engine_knows_the_deals(settings: Settings) -> None:
    """Raises FolderIncomplete when our database has deals and the engine, about to start, has no store: it would never
    have heard of them. Reading needs no engine, and goes on."""
    if settings.temporal_db.exists() or not _may_hold_deals(settings):
        return
    database = open_database(settings.database, settings.sqlite_synchronous)
    try:
        if await database.look(_has_deals):
            raise FolderIncomplete(
                f"{settings.temporal_db} is missing, where the engine keeps what each deal is doing, while our database"
                " has deals; those of a cluster need DEALWRIGHT_TEMPORAL_ADDRESS"
            )
    finally:
        await database.close()


async def see_that_the_keys_are_there(settings: Settings, database: Database) -> None:
    """Raises FolderIncomplete when the engine stores something, but its keys are gone: whoever writes next would make
    new ones, under which nothing of old can be read."""
    cipher = cipher_of(settings)
    if cipher is None or settings.payloads == "migrating" or cipher.ring.exists():
        return
    if (settings.embedded and settings.temporal_db.exists()) or await database.look(_has_deals):
        raise FolderIncomplete(
            f"{cipher.ring.file} is missing, the keys of what the engine stores; if that was stored in clear, before"
            " there were keys, set DEALWRIGHT_PAYLOADS=migrating"
        )


def _may_hold_deals(settings: Settings) -> bool:
    return settings.on_postgresql or settings.database_file.exists()


def _has_deals(connection: Connection) -> bool:
    return inspect(connection).has_table(_DEALS.name) and bool(connection.scalar(select(select(_DEALS).exists())))


def _refuse_a_foreign_one(folder: Path) -> None:
    """What we made in somebody else's folder would lock that person out, and somebody else's link may turn."""
    me, owner, linker = os.geteuid(), folder.stat().st_uid, folder.lstat().st_uid
    if owner != me:
        raise FolderRefused(f"{folder} belongs to {_name(owner)}, not to {_name(me)}")
    if linker not in (me, 0):
        raise FolderRefused(f"{folder} is a link that belongs to {_name(linker)}, not to {_name(me)}")


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _close(folder: Path) -> None:
    """Take it from everybody but its owner; the folder itself last, so that this is done again if it is broken off."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _take_from_others(Path(place, name))
    _take_from_others(folder.resolve())


def _take_from_others(path: Path) -> None:
    with suppress(FileNotFoundError, PermissionError):  # it went meanwhile, or is not ours: nobody gets at it now
        found = path.lstat()
        if not stat.S_ISLNK(found.st_mode):
            path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
