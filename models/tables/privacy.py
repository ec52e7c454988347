"""Personal data, each value under the key of the person that it is about, so that it can be destroyed with that key."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Digest, Id, Instant, Note

_Subject = String(100)
"""The id of a contact, or `customer:` and the id of a customer for what is about nobody that we know there."""


class PersonalKeyRow(Base):
    """The key of one person, wrapped by the installation's key of the name `wrapped_by`; destroyed with the person."""

    __tablename__ = "personal_keys"

    subject: Mapped[str] = mapped_column(_Subject, primary_key=True)
    customer_id: Mapped[Id] = mapped_column(index=True)
    wrapped: Mapped[str] = mapped_column(String(200))
    wrapped_by: Mapped[Code]
    made_at: Mapped[Instant]


class PersonalValueRow(Base):
    """One personal value, encrypted under its person's key. `commitment` is SHA-256 over a salt and the value: it
    stands in timelines, workflows and documents in the value's place, and proves it to whoever is shown both."""

    __tablename__ = "personal_values"

    commitment: Mapped[Digest] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(_Subject, index=True)
    kind: Mapped[Code]
    sealed: Mapped[Note]
    made_at: Mapped[Instant]


class ErasureRow(Base):
    """A person whose data was destroyed: nothing personal in it. The same list stands in a file beside the keys, so
    that restoring an older backup can't bring the data back."""

    __tablename__ = "erasures"

    subject: Mapped[str] = mapped_column(_Subject, primary_key=True)
    customer_id: Mapped[Id] = mapped_column(index=True)
    requested_by: Mapped[Id]
    reason: Mapped[Note] = mapped_column(default="")
    erased_at: Mapped[Instant]
    values_erased: Mapped[int] = mapped_column(default=0)
