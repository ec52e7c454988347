"""Master data: people who act, customers with their contacts, articles with their prices, policies."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Currency, Day, Digest, Id, Instant, Minor, Name, Note, Plain


class UserRow(Base):
    """A person or a machine client. `roles` is a list of role names; `api_key_hash` is SHA-256 of the key."""

    __tablename__ = "users"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    roles: Mapped[Plain]
    department: Mapped[Code] = mapped_column(default="")
    api_key_prefix: Mapped[Code] = mapped_column(default="", index=True)
    api_key_hash: Mapped[Digest] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Instant]


class CustomerRow(Base):
    """The customer card (D3). `group_id` shares one credit limit; financial figures are in `currency` minor units."""

    __tablename__ = "customers"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    group_id: Mapped[Id] = mapped_column(index=True)
    owner: Mapped[Id] = mapped_column(default="", index=True)
    country: Mapped[str] = mapped_column(default="")
    language: Mapped[Code] = mapped_column(default="en")
    currency: Mapped[Currency]
    segment: Mapped[Code] = mapped_column(default="")
    source: Mapped[Code] = mapped_column(default="")
    competitor: Mapped[Name] = mapped_column(default="")
    price_column: Mapped[Code] = mapped_column(default="standard")
    registration_id: Mapped[Code] = mapped_column(default="")
    vat_id: Mapped[Code] = mapped_column(default="")
    iban: Mapped[Code] = mapped_column(default="")
    lei: Mapped[Code] = mapped_column(default="")
    founded_on: Mapped[Day] = mapped_column(default="")
    blocked: Mapped[bool] = mapped_column(default=False)
    financials: Mapped[Plain] = mapped_column(default=None, nullable=True)
    broken_promises: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class ContactRow(Base):
    """A person at the customer. Name, e-mail address and telephone are tokens (models.personal): the values stand in
    `personal_values`, under the person's key."""

    __tablename__ = "contacts"

    id: Mapped[Id] = mapped_column(primary_key=True)
    customer_id: Mapped[Id] = mapped_column(ForeignKey("customers.id"), index=True)
    name: Mapped[Name]
    role: Mapped[Code]
    email: Mapped[Name] = mapped_column(default="")
    phone: Mapped[Name] = mapped_column(default="")


class ArticleRow(Base):
    """An article that we sell, in whole units. `analogue_of` links a substitute to the article that it replaces."""

    __tablename__ = "articles"

    id: Mapped[Id] = mapped_column(primary_key=True)
    description: Mapped[Name]
    series: Mapped[Code] = mapped_column(default="")
    tax_bps: Mapped[int] = mapped_column(default=0)
    analogue: Mapped[Id] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)


class PriceRow(Base):
    """List price and cost of an article in a currency and price column, from a day on."""

    __tablename__ = "prices"
    __table_args__ = (UniqueConstraint("article_id", "currency", "price_column", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[Id] = mapped_column(ForeignKey("articles.id"), index=True)
    currency: Mapped[Currency]
    price_column: Mapped[Code] = mapped_column(default="standard")
    list_price_minor: Mapped[Minor]
    cost_minor: Mapped[Minor]
    valid_from: Mapped[Day]


class PolicyRow(Base):
    """One version of the business numbers; a deal pins the version it started with."""

    __tablename__ = "policies"

    version: Mapped[Code] = mapped_column(primary_key=True)
    body: Mapped[Plain]
    active_from: Mapped[Instant]
    note: Mapped[Note] = mapped_column(default="")


Index("ix_customers_name_id", CustomerRow.name, CustomerRow.id)
