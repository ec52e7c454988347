"""Alembic's entry point: runs migrations on the connection that `infra.migrate` hands over."""

import pkgutil
from importlib import import_module
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON

import models.tables
from models.tables.base import Base

for module in pkgutil.iter_modules(models.tables.__path__, "models.tables."):
    import_module(module.name)  # its classes register with Base


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write our JSON column type in full: Alembic forgets the imports of its PostgreSQL variant."""
    if kind == "type" and isinstance(item, JSON):
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    transactional_ddl=True,  # a migration stands wholly or not at all, on SQLite too
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
