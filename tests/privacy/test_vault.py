"""The vault: values under keys of persons, tokens that prove them, and keys that get lost."""

import asyncio
import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, update

from infra.db import Database
from infra.privacy import installation_key
from infra.privacy.erasing import Eraser
from infra.privacy.installation_key import KeyLost
from infra.privacy.vault import KEYS, VALUES, PersonErased, Vault
from models.personal import TOKEN, commitment

AT = "2026-03-02T08:00:00Z"
NAME = "Zebediah Markstein"


async def kept(database: Database, vault: Vault, subject: str = "P-1", value: str = NAME, kind: str = "name") -> str:
    def work(connection: Connection) -> str:
        return vault.keep(connection, subject, "C-1", kind, value, AT)

    return await database.write(work)


async def test_a_token_opens_to_its_value_and_a_salt_that_proves_it(database: Database, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "keys")
    token = await kept(database, vault)
    assert TOKEN.fullmatch(token)
    opened = (await database.look(lambda connection: vault.read(connection, {token, "pv_" + "0" * 64})))[token]
    assert (opened.value, opened.subject, opened.customer_id, opened.kind) == (NAME, "P-1", "C-1", "name")
    assert commitment(opened.salt, opened.value) == token.removeprefix("pv_")
    assert NAME not in repr(opened)


async def test_the_same_value_of_the_same_person_has_one_token_and_nobody_else_has_it(
    database: Database, tmp_path: Path
) -> None:
    vault = Vault(tmp_path)
    first = await kept(database, vault)
    assert await kept(database, Vault(tmp_path)) == first
    others = {await kept(database, vault, "P-2"), await kept(database, vault, kind="person")}
    assert first not in others
    assert len(others) == 2


async def test_nothing_of_the_value_stands_in_the_tables_or_the_folder(database: Database, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "keys")
    await kept(database, vault)
    rows = str(await database.rows(select(VALUES))) + str(await database.rows(select(KEYS)))
    assert "Zebediah" not in rows
    assert base64.b64encode(NAME.encode()).decode()[:12] not in rows
    file = tmp_path / "keys" / installation_key.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_value_that_was_exchanged_or_moved_to_somebody_else_is_noticed(
    database: Database, tmp_path: Path
) -> None:
    vault = Vault(tmp_path)
    one, other = await kept(database, vault), await kept(database, vault, value="Somebody Else")
    sealed = {row["commitment"]: row["sealed"] for row in await database.rows(select(VALUES))}
    mine = VALUES.c.commitment == one.removeprefix("pv_")
    swapped = update(VALUES).where(mine).values(sealed=sealed[other.removeprefix("pv_")])
    await database.write(lambda connection: connection.execute(swapped))
    with pytest.raises(ValueError, match="was changed"):
        await database.look(lambda connection: vault.read(connection, {one}))


async def test_a_lost_key_is_an_error_and_never_a_new_key(database: Database, tmp_path: Path) -> None:
    token = await kept(database, Vault(tmp_path))
    file = tmp_path / installation_key.FILE
    whole = file.read_text()
    for content in (None, "no key", "ab" * 31, "cd" * 32):
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_text(content)
        with pytest.raises(KeyLost):
            await kept(database, Vault(tmp_path), "P-9")
        with pytest.raises(KeyLost):
            await database.look(lambda connection: Vault(tmp_path).read(connection, {token}))
        assert file.exists() == (content is not None)
    file.write_text(whole)
    assert await kept(database, Vault(tmp_path)) == token


def test_of_many_that_make_a_key_at_once_all_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        names = {key.name for key in threads.map(installation_key.find_or_make, [tmp_path / "new" / "keys"] * 32)}
    assert len(names) == 1
    assert [path.name for path in (tmp_path / "new" / "keys").iterdir()] == [installation_key.FILE]


async def test_many_at_once_keep_values_of_a_new_person_under_one_key(database: Database, tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    tokens = await asyncio.gather(*(kept(database, vault, value=f"value {n % 4}") for n in range(24)))
    assert len(set(tokens)) == 4
    assert len(await database.rows(select(KEYS))) == 1
    opened = await database.look(partial(vault.read, tokens=set(tokens)))
    assert {one.value for one in opened.values()} == {f"value {n}" for n in range(4)}


async def test_without_the_key_of_the_person_nothing_can_be_read_nor_guessed(
    database: Database, tmp_path: Path
) -> None:
    vault = Vault(tmp_path)
    token = await kept(database, vault)
    await database.write(lambda connection: connection.execute(delete(KEYS)))
    assert await database.look(lambda connection: vault.read(connection, {token})) == {}
    # who knows the value and the installation's key, but not the person's, gets another commitment
    assert await kept(database, Vault(tmp_path)) != token


async def test_nothing_more_is_taken_in_about_somebody_who_was_erased(database: Database, tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    await kept(database, vault)
    await Eraser(database, vault).erase("P-1", "admin", "request 7", AT)
    with pytest.raises(PersonErased):
        await kept(database, vault)
