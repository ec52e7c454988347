"""What every start looks after: contacts of earlier releases move into the vault, erasures hold for older backups."""

from functools import partial

from sqlalchemy import Connection, and_, func, inspect, not_, or_, select, update
from structlog import get_logger

from infra.db import Database, table_of
from infra.privacy.contacts import CONTACTS, PERSONAL, is_token, with_tokens
from infra.privacy.erasing import Eraser
from infra.privacy.vault import KEYS, Vault, is_erased
from models.tables.records import CommandRow

_COMMANDS = table_of(CommandRow)
_TOGETHER = 200
_TOKEN_LENGTH = 67
_IN_CLEAR = or_(
    *(
        and_(
            CONTACTS.c[kind] != "",
            or_(not_(CONTACTS.c[kind].like("pv\\_%", escape="\\")), func.length(CONTACTS.c[kind]) != _TOKEN_LENGTH),
        )
        for kind in PERSONAL
    )
)

log = get_logger()


async def put_in_order(database: Database, vault: Vault, at: str) -> int:
    """Move what stands in clear into the vault, then erase again whom the list of erasures names. Answers how many
    contacts moved. Costs two short queries when there is nothing to do; harmless when several do it at once. Without
    tables there is nothing to do. Raises KeyLost or ListDamaged."""
    if not await database.look(lambda connection: inspect(connection).has_table(KEYS.name)):
        return 0
    moved = 0
    while some := await database.look(
        lambda connection: connection.execute(select(CONTACTS.c.id).where(_IN_CLEAR).limit(_TOGETHER)).scalars().all()
    ):
        moved += await database.write(partial(_move, vault=vault, ids=list(some), at=at))
    if moved:
        await database.write(_forget_answers)
    await Eraser(database, vault).reapply()
    if moved:
        await database.scour((CONTACTS.name, _COMMANDS.name), whole=True)
        log.info("contacts_moved_into_the_vault", contacts=moved)
    return moved


def _move(connection: Connection, vault: Vault, ids: list[str], at: str) -> int:
    rows = connection.execute(select(CONTACTS).where(CONTACTS.c.id.in_(ids), _IN_CLEAR).with_for_update()).mappings()
    found = [dict(row) for row in rows]
    for row in found:
        clear = {kind: "" if is_token(row[kind]) else row[kind] for kind in PERSONAL}
        if is_erased(connection, row["id"]):
            moved = dict.fromkeys(PERSONAL, _NOTHING)
        else:
            moved = with_tokens(connection, vault, {**row, **clear}, at)
        values = {kind: moved[kind] for kind in PERSONAL if clear[kind]}
        connection.execute(update(CONTACTS).where(CONTACTS.c.id == row["id"]).values(values))
    return len(found)


_NOTHING = "pv_" + "0" * 64
"""A token of nothing: it reads as erased."""


def _forget_answers(connection: Connection) -> None:
    """Earlier releases kept the answers to requests about contacts whole; now these are answered from the card."""
    asked = or_(_COMMANDS.c.scope.startswith("customers:"), _COMMANDS.c.scope.startswith("contacts:"))
    for row in connection.execute(select(_COMMANDS.c.scope, _COMMANDS.c.key, _COMMANDS.c.body).where(asked)).all():
        mine = (_COMMANDS.c.scope == row.scope, _COMMANDS.c.key == row.key)
        connection.execute(update(_COMMANDS).where(*mine).values(body={"id": row.body.get("id", "")}))
