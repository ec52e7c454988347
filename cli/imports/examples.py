"""The examples that come with us, a dealer in pumps, imported in the order in which the files need each other."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from cli.imports.customers import import_customers
from cli.imports.products import import_products
from cli.imports.report import Report
from cli.imports.stock import import_stock
from cli.imports.users import all_people, import_users
from infra.db import Database
from infra.privacy.vault import Vault
from infra.stores.people import PeopleStore

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


async def import_examples(database: Database, at: str, vault: Vault, folder: Path = EXAMPLES) -> list[Report]:
    """Users before the customers whom they own, products before their stock."""
    users = await import_users(database, folder / "users.csv", at)
    products = await import_products(database, folder / "products.csv")
    stock = await import_stock(database, folder / "stock.csv", at)
    owners = frozenset(await all_people(PeopleStore(database)))
    return [users, products, stock, await import_customers(database, folder / "customers.csv", at, owners, vault)]


def copy_examples(folder: Path) -> Iterable[Path]:
    """Copy the files into a folder, and answer those that were written; what is there already stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(EXAMPLES.glob("*.csv")):
        if not (copy := folder / file.name).exists():
            shutil.copyfile(file, copy)
            yield copy
