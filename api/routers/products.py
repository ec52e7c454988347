"""Articles and their prices."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.keys import Desk, Me
from api.once import allow, once
from api.routes import GuardedRoute
from api.wire.masters import NewPrice, NewProduct, Product, ProductChange, Products
from api.wire.shared import Cursor, Key, Limit, OptionalCode, Plain
from infra.desk.amounts import money
from infra.desk.callers import Caller
from infra.desk.errors import Conflict, Invalid, NoSuch
from infra.desk.service import DealDesk
from infra.stores.pages import Row
from infra.stores.upserts import AlreadyStands
from models.lifecycle.roles import HEADS, Role

router = APIRouter(prefix="/v1/products", tags=["products"], route_class=GuardedRoute)

WRITERS = HEADS | {Role.ADMIN, Role.AUTOMATION}


@router.get("", response_model=Products)
async def list_products(
    desk: Desk,
    _: Me,
    active: Annotated[bool | None, Query(description="Only what is sold, or only what no longer is")] = None,
    series: Annotated[OptionalCode, Query()] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Articles, by id."""
    page = await desk.books.articles.page(active, series, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.post("", status_code=201, response_model=Product)
async def add_product(asked: NewProduct, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Add an article with its prices."""
    allow(me, "adding products", WRITERS)
    prices = [_price_row(price, f"prices.{place}") for place, price in enumerate(asked.prices)]

    async def work() -> Plain:
        try:
            await desk.books.articles.create(asked.model_dump(exclude={"prices"}), prices)
        except AlreadyStands:
            raise Conflict("already_exists", "there is an article with this id already") from None
        return await _whole(desk, me, asked.id)

    return await once(desk, me, "products", key, asked.model_dump(), response, work)


@router.get("/{product_id}", response_model=Product)
async def read_product(product_id: str, desk: Desk, me: Me) -> Plain:
    """One article with its prices, the latest first."""
    return await _whole(desk, me, product_id)


@router.patch("/{product_id}", response_model=Product)
async def change_product(product_id: str, asked: ProductChange, desk: Desk, me: Me) -> Plain:
    """Change fields of an article."""
    allow(me, "changing products", WRITERS)
    await _whole(desk, me, product_id)
    changes = asked.model_dump(exclude_unset=True)
    if wrong := {name: "can't be emptied" for name, value in changes.items() if value is None}:
        raise Invalid(wrong)
    if changes:
        await desk.books.articles.change(product_id, changes)
    return await _whole(desk, me, product_id)


@router.post("/{product_id}/prices", status_code=201, response_model=Product)
async def add_price(product_id: str, asked: NewPrice, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Set a price from a day on; deals that were offered an older one keep it."""
    allow(me, "setting prices", WRITERS)
    await _whole(desk, me, product_id)
    row = _price_row(asked, "")

    async def work() -> Plain:
        await desk.books.articles.put_many([], [{**row, "article_id": product_id}])
        return await _whole(desk, me, product_id)

    return await once(desk, me, "prices", key, {"product": product_id, **asked.model_dump()}, response, work)


def _price_row(asked: NewPrice, where: str) -> Row:
    if asked.list_price.currency != asked.cost.currency:
        raise Invalid({f"{where}.cost.currency".lstrip("."): "differs from the list price's"})
    return {
        "currency": asked.list_price.currency,
        "price_column": asked.price_column,
        "list_price_minor": asked.list_price.amount_minor,
        "cost_minor": asked.cost.amount_minor,
        "valid_from": asked.valid_from,
    }


async def _whole(desk: DealDesk, me: Caller, product_id: str) -> Plain:
    row = await desk.books.articles.get(product_id)
    if row is None:
        raise NoSuch("product", product_id)
    return {**row, "prices": [] if me.is_blind else [_price(price, me) for price in row["prices"]]}


def _price(row: Row, me: Caller) -> Plain:
    sees_cost = me.sees_margins or me.has(Role.ADMIN)
    return {
        "price_column": row["price_column"],
        "valid_from": row["valid_from"],
        "list_price": money(row["list_price_minor"], row["currency"]),
        "cost": money(row["cost_minor"], row["currency"]) if sees_cost else None,
    }
