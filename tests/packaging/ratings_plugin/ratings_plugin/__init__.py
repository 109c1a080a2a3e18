"""Ratings of models: a plugin whose table PocketBase has as well."""

from __future__ import annotations

import os

from sqlalchemy import JSON, BigInteger, Boolean, Integer, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from openwebui_pocketbase import WrittenThrough, hookimpl


class Base(DeclarativeBase):
    metadata = MetaData(schema=os.environ.get("DATABASE_SCHEMA") or None)


class Rating(Base):
    __tablename__ = "rating"
    __table_args__ = (UniqueConstraint("user_id", "model_id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text)
    model_id: Mapped[str] = mapped_column(Text)
    stars: Mapped[int] = mapped_column(Integer)
    is_public: Mapped[bool] = mapped_column(Boolean, default=False)
    comment: Mapped[str | None] = mapped_column(Text)
    meta: Mapped[dict[str, object] | None] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(BigInteger)


@hookimpl
def openwebui_register_tables() -> list[WrittenThrough]:
    return [WrittenThrough("ratings", [Rating])]
