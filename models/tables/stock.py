"""The stock book: what lies in which warehouse, every move of goods, who holds what, and what is expected.

on hand = opening + received + returned - shipped, and 0 <= reserved <= on hand, per article and warehouse.
"""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Day, Id, Instant, Name

_Number = BigInteger().with_variant(Integer, "sqlite")
_NO_ROWID = {"sqlite_with_rowid": False}
_SHELF = ("article", "warehouse")
_LEVEL = ("stock_levels.article", "stock_levels.warehouse")


class WarehouseRow(Base):
    """A warehouse: `branch` ones serve their branch first, `central` ones serve all. `country` (ISO 3166 alpha-2, or
    empty) says whose public holidays its people keep."""

    __tablename__ = "warehouses"
    __table_args__ = (CheckConstraint("kind IN ('branch', 'central')", name="kind"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    kind: Mapped[Code]
    country: Mapped[str] = mapped_column(String(2), default="", server_default="")


class StockLevelRow(Base):
    """Units of an article in a warehouse: lying there, and promised to deals."""

    __tablename__ = "stock_levels"
    __table_args__ = (
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="reserved"),
        _NO_ROWID,
    )

    article: Mapped[Id] = mapped_column(primary_key=True)
    warehouse: Mapped[Id] = mapped_column(ForeignKey("warehouses.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)


class StockMoveRow(Base):
    """One move of goods, append-only; `quantity` is positive, `kind` says whether it came or went.

    `deal_id` and `line` are empty and 0 for moves that no deal asked for.
    """

    __tablename__ = "stock_moves"
    __table_args__ = (
        ForeignKeyConstraint(_SHELF, _LEVEL),
        CheckConstraint("kind IN ('opening', 'received', 'shipped', 'returned')", name="kind"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_stock_moves_article", "article", "warehouse", "id"),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    at: Mapped[Instant]
    article: Mapped[Id]
    warehouse: Mapped[Id]
    kind: Mapped[Code]
    quantity: Mapped[int] = mapped_column(BigInteger)
    deal_id: Mapped[Id] = mapped_column(default="", index=True)
    line: Mapped[int] = mapped_column(default=0)
    effect_key: Mapped[str] = mapped_column(String(200))


class StockHoldingRow(Base):
    """Units that are reserved for an order line of a deal; the row goes when the last unit is shipped or released."""

    __tablename__ = "stock_holdings"
    __table_args__ = (
        ForeignKeyConstraint(_SHELF, _LEVEL),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_stock_holdings_article", "article", "warehouse"),
        Index("ix_stock_holdings_expires_at", "expires_at", "deal_id"),
        _NO_ROWID,
    )

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    article: Mapped[Id] = mapped_column(primary_key=True)
    warehouse: Mapped[Id] = mapped_column(primary_key=True)
    quantity: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[Instant]


class RestockRow(Base):
    """An expected arrival; the row goes when the goods are received."""

    __tablename__ = "restocks"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_restocks_article", "article", "expected_on"),
    )

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    article: Mapped[Id]
    expected_on: Mapped[Day]
    quantity: Mapped[int] = mapped_column(BigInteger)


class StockWaitingRow(Base):
    """An order line that waits for `quantity` missing units since `since`; the longest waiting is served first.

    `allocated` units have been set aside for it (they are held in `stock_holdings`), the last of them at
    `set_aside_at`, and its deal has not asked for them yet; the row goes when nothing is missing and nothing is set
    aside. `expires_after` is in seconds: how long what is set aside is held.
    """

    __tablename__ = "stock_waiting"
    __table_args__ = (
        CheckConstraint("quantity >= 0 AND allocated >= 0 AND quantity + allocated > 0", name="units"),
        Index("ix_stock_waiting_article", "article", "since", "deal_id", "line"),
        _NO_ROWID,
    )

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    article: Mapped[Id]
    branch: Mapped[Code]
    quantity: Mapped[int] = mapped_column(BigInteger)
    allocated: Mapped[int] = mapped_column(BigInteger, default=0)
    since: Mapped[Instant]
    expires_after: Mapped[int] = mapped_column(BigInteger, default=0)
    set_aside_at: Mapped[Instant] = mapped_column(default="")
