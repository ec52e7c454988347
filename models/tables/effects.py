"""What gateways did, under the key of the effect: one effect per key, for ever."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Plain


class EffectRow(Base):
    """One effect that was done: `act` is what was asked (`stock.reserve`), `answer` what the asker was told.

    It is written in the transaction of the effect itself, so that an asker who comes again gets the old answer.
    """

    __tablename__ = "effects_done"
    __table_args__ = ({"sqlite_with_rowid": False},)

    effect_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    act: Mapped[Code]
    answer: Mapped[Plain] = mapped_column(nullable=True, default=None)
