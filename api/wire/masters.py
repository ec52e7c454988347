"""Customers, products, stock and users on the wire."""

from typing import Annotated

from pydantic import Field

from api.wire.shared import (
    Asked,
    Bps,
    Clean,
    Code,
    Currency,
    Day,
    Id,
    Money,
    Name,
    OptionalCode,
    OptionalId,
    OptionalName,
    Plain,
    Price,
    Told,
    Units,
)
from models.lifecycle.roles import PERSONS
from models.money import MAX_MINOR

Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$", description="ISO 3166-1 alpha-2")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 639-1")]
Figure = Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]


class Financials(Asked):
    """Balance sheet figures in minor units of the customer's currency."""

    working_capital_minor: Figure
    retained_earnings_minor: Figure
    ebit_minor: Figure
    equity_minor: Figure
    total_assets_minor: Figure
    total_liabilities_minor: Figure


class NewContact(Asked):
    """A person at the customer."""

    name: Name
    role: Code
    email: OptionalName = ""
    phone: OptionalCode = ""


class NewCustomer(Asked):
    """A customer card. `group` shares one credit limit, `owner` is you when left out."""

    id: OptionalId = ""
    name: Name
    currency: Currency
    group: OptionalId = ""
    owner: OptionalId = ""
    country: Country = ""
    language: Language = "en"
    segment: OptionalCode = ""
    source: OptionalCode = ""
    competitor: OptionalName = ""
    price_column: Code = "standard"
    registration_id: OptionalCode = ""
    vat_id: OptionalCode = ""
    iban: OptionalCode = ""
    lei: OptionalCode = ""
    founded_on: Day = ""
    financials: Financials | None = None
    contacts: Annotated[list[NewContact], Field(max_length=50, default_factory=list)]


class CustomerChange(Asked):
    """Fields of a customer card to change; what is left out stays."""

    name: Name | None = None
    owner: OptionalId | None = None
    country: Country | None = None
    language: Language | None = None
    segment: OptionalCode | None = None
    source: OptionalCode | None = None
    competitor: OptionalName | None = None
    price_column: Code | None = None
    registration_id: OptionalCode | None = None
    vat_id: OptionalCode | None = None
    iban: OptionalCode | None = None
    lei: OptionalCode | None = None
    founded_on: Day | None = None
    financials: Financials | None = None
    blocked: bool | None = None


class Contact(Told):
    """A person at the customer; `erased` when the personal data was destroyed on request."""

    id: str
    name: str
    role: str
    email: str
    phone: str
    erased: bool


class CustomerCard(Told):
    """A customer as lists show it; roles that must not see customer data get the name alone."""

    id: str
    name: str
    group: str
    owner: str
    country: str
    language: str
    currency: str
    segment: str
    source: str
    competitor: str
    price_column: str
    registration_id: str
    vat_id: str
    iban: str
    lei: str
    founded_on: str
    blocked: bool
    broken_promises: int
    financials: Plain | None
    created_at: str
    updated_at: str


class Customer(CustomerCard):
    """A customer with its contacts."""

    contacts: list[Contact]


class Customers(Told):
    """A page of customers, by name."""

    items: list[CustomerCard]
    next_cursor: str


class NewPrice(Asked):
    """List price and cost in one currency and price column, from a day on."""

    list_price: Price
    cost: Price
    valid_from: Annotated[Day, Field(min_length=10)]
    price_column: Code = "standard"


class NewProduct(Asked):
    """An article that we sell in whole units. `analogue` may take its place when it is out of stock."""

    id: Id
    description: Name
    series: OptionalCode = ""
    tax_bps: Bps = 0
    analogue: OptionalId = ""
    active: bool = True
    prices: Annotated[list[NewPrice], Field(max_length=100, default_factory=list)]


class ProductChange(Asked):
    """Fields of an article to change; what is left out stays."""

    description: Name | None = None
    series: OptionalCode | None = None
    tax_bps: Bps | None = None
    analogue: OptionalId | None = None
    active: bool | None = None


class ListPrice(Told):
    """A price of an article; `cost` is sales' own."""

    price_column: str
    valid_from: str
    list_price: Money
    cost: Money | None


class ProductCard(Told):
    """An article as lists show it."""

    id: str
    description: str
    series: str
    tax_bps: int
    analogue: str
    active: bool


class Product(ProductCard):
    """An article with its prices; none for roles that must not see them."""

    prices: list[ListPrice]


class Products(Told):
    """A page of articles, by id."""

    items: list[ProductCard]
    next_cursor: str


class StockLevel(Told):
    """Units of an article in a warehouse: 0 <= reserved <= on hand."""

    article: str
    warehouse: str
    on_hand: int
    reserved: int


class StockLevels(Told):
    """A page of stock levels."""

    items: list[StockLevel]
    next_cursor: str


class StockMove(Told):
    """One movement of goods, as it was booked."""

    id: int
    at: str
    article: str
    warehouse: str
    kind: str
    quantity: int
    deal_id: str
    line: int


class StockMoves(Told):
    """A page of movements, in the order of booking."""

    items: list[StockMove]
    next_cursor: str


class WaitingLine(Told):
    """An order line that waits for goods: `position` 1 of its article is served first. `allocated` units are set aside
    for it already, and its deal has not fetched them yet."""

    article: str
    position: int
    deal_id: str
    line: int
    branch: str
    quantity: int
    allocated: int
    since: str


class WaitingLines(Told):
    """A page of the queue, article by article in the order in which lines will be served."""

    items: list[WaitingLine]
    next_cursor: str


class Warehouse(Told):
    """A warehouse: a branch's or a central one; `country` says whose public holidays its people keep."""

    id: str
    name: str
    kind: str
    country: str


class Warehouses(Told):
    """All warehouses."""

    items: list[Warehouse]


class Receipt(Asked):
    """Goods that arrived. `arrival` is the id of the announced arrival that this is, if any."""

    article: Id
    warehouse: Id
    quantity: Units
    arrival: Annotated[Clean, Field(max_length=200)] = ""


class Arrival(Asked):
    """Goods that are announced for a day."""

    article: Id
    quantity: Units
    expected_on: Annotated[Day, Field(min_length=10)]


class Booked(Told):
    """What was entered in the stock book; `id` names it."""

    id: str
    article: str
    quantity: int


class BookedReceipt(Booked):
    """Goods that were received, and how many deals were told of units that are set aside for them."""

    woken: int


class Difference(Told):
    """A place where a book's row and its movements, or a book and a deal, disagree."""

    where: str
    what: str
    expected: int
    found: int


class BookVerdict(Told):
    """Whether a book agrees with its movements."""

    sound: bool
    differences: list[Difference]


RoleName = Annotated[str, Field(pattern="^(" + "|".join(sorted(PERSONS)) + ")$")]


class NewUser(Asked):
    """A person or machine client."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._@-]{0,79}$")]
    name: Name
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=13)]
    department: OptionalCode = ""


class UserChange(Asked):
    """Fields of a user to change; what is left out stays."""

    name: Name | None = None
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=13)] | None = None
    department: OptionalCode | None = None
    active: bool | None = None


class User(Told):
    """A user, with the visible part of the API key."""

    id: str
    name: str
    roles: list[str]
    department: str
    active: bool
    api_key_prefix: str = ""


class UserWithKey(User):
    """A new user or key. The key is shown this once; a repeated request answers without it."""

    api_key: str | None


class Users(Told):
    """A page of users, by id."""

    items: list[User]
    next_cursor: str
