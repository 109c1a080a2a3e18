"""What the messages say about the use of models, by whom and when; the hooks are in ``chat_usage.js``."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections import Counter
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from open_webui.models.chat_messages import _extract_tool_names, _normalize_timestamp, _timezone

from openwebui_pocketbase.repositories.base import PocketBaseRepository

__all__ = ["ChatUsage"]

_DAY = 86_400

_EARLIEST = 1_577_836_800
"""The beginning of 2020, in seconds since 1970; the host takes messages from before for new ones."""

_LARGEST_SECONDS = 10_000_000_000
"""The host takes what is larger for milliseconds."""

_MINUTES = {"10m": 10, "hourly": 60, "3h": 180, "6h": 360, "daily": 1440}
"""Parts of the day."""


class ChatUsage(PocketBaseRepository):
    """The methods of `ChatMessageTable` that count.

    Only PocketBase sees the messages, and only this process knows its time zone: the offsets from UTC go along with
    the question, and what comes back is already counted by parts of the day.
    """

    async def get_chat_ids_by_model_id(
        self,
        model_id: str,
        start_date: int | None = None,
        end_date: int | None = None,
        skip: int = 0,
        limit: int = 50,
        db: Any = None,
    ) -> list[str]:
        """Return a page of the ids of chats with messages of a model, the chat used last first."""
        dates = self._dates(start_date, end_date)
        return await self._ask("get_chat_ids_by_model_id", model_id=model_id, skip=skip, limit=limit, **dates)  # type: ignore[no-any-return]

    async def get_analytics_summary(
        self, start_date: int | None = None, end_date: int | None = None, group_id: str | None = None, db: Any = None
    ) -> dict[str, int]:
        """Return the numbers of answers, and of their chats, models and users."""
        counts = await self._ask_about("get_analytics_summary", start_date, end_date, group_id)
        return dict(zip(("total_messages", "total_chats", "total_models", "total_users"), counts, strict=True))

    async def get_message_count_by_model(
        self, start_date: int | None = None, end_date: int | None = None, group_id: str | None = None, db: Any = None
    ) -> dict[str, int]:
        """Return the number of answers by model."""
        return dict(await self._ask_about("get_message_count_by_model", start_date, end_date, group_id))

    async def get_model_analytics(
        self, start_date: int | None = None, end_date: int | None = None, group_id: str | None = None, db: Any = None
    ) -> dict[str, dict[str, int]]:
        """Return the numbers of answers, users and chats by model."""
        rows = await self._ask_about("get_model_analytics", start_date, end_date, group_id)
        names = ("count", "unique_users", "unique_chats")
        return {model_id: dict(zip(names, counts, strict=True)) for model_id, *counts in rows}

    async def get_token_usage_by_model(
        self, start_date: int | None = None, end_date: int | None = None, group_id: str | None = None, db: Any = None
    ) -> dict[str, dict[str, int]]:
        """Return the numbers of tokens and answers by model."""
        return _with_tokens(await self._ask_about("get_token_usage_by_model", start_date, end_date, group_id))

    async def get_user_analytics(
        self, start_date: int | None = None, end_date: int | None = None, group_id: str | None = None, db: Any = None
    ) -> dict[str, dict[str, int]]:
        """Return the numbers of tokens and answers by user; nobody's tokens are not counted."""
        usage = _with_tokens(await self._ask_about("get_user_analytics", start_date, end_date, group_id))
        for user_id, counts in usage.items():
            if user_id is None:
                counts.update(dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0))
        return usage

    async def get_user_usage_summary(
        self,
        user_id: str,
        start_date: int | None = None,
        end_date: int | None = None,
        include_active_days: bool = True,
        timezone: str | None = None,
        db: Any = None,
    ) -> dict[str, int]:
        """Return the numbers of a user's messages, tokens, models and, in a time zone, days."""
        days = _parts(_timezone(timezone), start_date, end_date) if include_active_days else {}
        parameters = {**self._dates(start_date, end_date), **days}
        counts = await self._ask("get_user_usage_summary", user_id=user_id, **parameters)
        messages, of_user, of_assistant, inputs, outputs, models, active_days = counts
        return {
            "messages": messages,
            "user_messages": of_user,
            "assistant_messages": of_assistant,
            "input_tokens": inputs,
            "output_tokens": outputs,
            "total_tokens": inputs + outputs,
            "models_used": models,
            "active_days": active_days,
        }

    async def get_user_first_message_created_at(self, user_id: str, db: Any = None) -> int | None:
        """Return the time of a user's first message, None if there is none."""
        value = await self._ask("get_user_first_message_created_at", user_id=user_id)
        return int(value) if value else None

    async def get_user_daily_usage(
        self, user_id: str, start_date: int, end_date: int, timezone: str | None = None, db: Any = None
    ) -> list[dict[str, Any]]:
        """Return what a user did on each day of a time zone, also on those without messages."""
        zone = _timezone(timezone)
        dates = {"start_date": start_date, "end_date": end_date}
        rows = await self._ask("get_user_daily_usage", user_id=user_id, **dates, **_parts(zone, start_date, end_date))
        daily = {
            _day(day): {"messages": messages, "chats": chats, "tokens": tokens, "models": dict(models)}
            for day, messages, chats, tokens, models in rows
        }
        first, last = (
            datetime.fromtimestamp(_normalize_timestamp(moment), tz=zone).date() for moment in dates.values()
        )
        for number in range((last - first).days + 1):
            empty = {"messages": 0, "chats": 0, "tokens": 0, "models": {}}
            daily.setdefault((first + timedelta(number)).isoformat(), empty)
        return [{"date": day, **daily[day]} for day in sorted(daily)]

    async def get_user_top_models(
        self, user_id: str, start_date: int, end_date: int, limit: int = 5, db: Any = None
    ) -> list[dict[str, Any]]:
        """Return a user's most used models."""
        dates = {"start_date": start_date, "end_date": end_date}
        rows = await self._ask("get_user_top_models", user_id=user_id, limit=limit, **dates)
        names = ("model_id", "messages", "input_tokens", "output_tokens", "total_tokens")
        return [dict(zip(names, (*row, row[2] + row[3]), strict=True)) for row in rows]

    async def get_user_top_tools(
        self, user_id: str, start_date: int, end_date: int, limit: int = 5, db: Any = None
    ) -> list[dict[str, Any]]:
        """Return the tools that were called most for a user."""
        dates = {"start_date": start_date, "end_date": end_date}
        rows = await self._ask("get_user_top_tools", user_id=user_id, **dates)
        counts = Counter(name for row in rows for value in row for name in _extract_tool_names(value))
        return [{"name": name, "count": count} for name, count in counts.most_common(limit)]

    async def get_message_count_by_user(
        self, start_date: int | None = None, end_date: int | None = None, group_id: str | None = None, db: Any = None
    ) -> dict[str, int]:
        """Return the number of answers by user."""
        return dict(await self._ask_about("get_message_count_by_user", start_date, end_date, group_id))

    async def get_message_count_by_chat(
        self, start_date: int | None = None, end_date: int | None = None, group_id: str | None = None, db: Any = None
    ) -> dict[str, int]:
        """Return the number of answers by chat."""
        return dict(await self._ask_about("get_message_count_by_chat", start_date, end_date, group_id))

    async def get_usage_over_time_by_model(
        self,
        start_date: int | None = None,
        end_date: int | None = None,
        group_id: str | None = None,
        db: Any = None,
        granularity: str = "daily",
        metric: str = "messages",
        bucket_offset: int = 0,
    ) -> dict[str, dict[str, int]]:
        """Return numbers of answers or tokens by part of the day, in this process's time zone, and model.

        Args:
            start_date: First time that counts, in seconds since 1970; None for all.
            end_date: Last time that counts.
            group_id: Count only members of this group.
            db: Not needed.
            granularity: Length of the parts, one of the names that the host has for them.
            metric: ``messages`` or ``tokens``.
            bucket_offset: Seconds by which all messages are moved, to be compared with those of another time.
        """
        size = _MINUTES[granularity] * 60
        parts = _parts(None, start_date, end_date, size=size, shift=bucket_offset)
        asked = {**parts, "tokens": metric == "tokens"}
        rows = await self._ask_about("get_usage_over_time_by_model", start_date, end_date, group_id, **asked)
        form = "%Y-%m-%d" if granularity == "daily" else "%Y-%m-%d %H:%M"
        usage: dict[str, dict[str, int]] = {}
        for number, model_id, amount in rows:
            usage.setdefault(_local(number * size).strftime(form), {})[model_id] = amount
        if start_date and end_date:
            first, last = (_clock(_normalize_timestamp(moment) + bucket_offset) for moment in (start_date, end_date))
            seconds = int((first - _local(0)).total_seconds())
            current = _local(seconds - seconds % size)
            while current <= last:
                usage.setdefault(current.strftime(form), {})
                current += timedelta(seconds=size)
        return usage

    @staticmethod
    def _dates(start_date: int | None, end_date: int | None) -> dict[str, int]:
        """Return those dates which limit what is asked for."""
        return {name: moment for name, moment in (("start_date", start_date), ("end_date", end_date)) if moment}

    @abstractmethod
    async def _ask(self, method: str, **parameters: Any) -> Any:
        """Call one of the hooks."""

    async def _ask_about(
        self, method: str, start_date: int | None, end_date: int | None, group_id: str | None, **parameters: Any
    ) -> Any:
        """Ask about the messages of a time and of a group's members."""
        members = await _members(group_id) if group_id else {}
        return await self._ask(method, **self._dates(start_date, end_date), **members, **parameters)


async def _members(group_id: str) -> dict[str, Any]:
    """Return the group as a parameter if PocketBase has its members, too, else these."""
    # Imported here: the modules of the host import each other.
    from open_webui.models.groups import Groups  # noqa: PLC0415

    if isinstance(Groups, PocketBaseRepository):
        return {"group_id": group_id}
    members = await Groups.get_group_user_ids_by_ids([group_id], include_inherited=True)
    return {"user_ids": members[group_id]}


def _with_tokens(rows: list[list[Any]]) -> dict[Any, dict[str, int]]:
    return {
        key: {
            "input_tokens": inputs,
            "output_tokens": outputs,
            "total_tokens": inputs + outputs,
            "message_count": messages,
        }
        for key, inputs, outputs, messages in rows
    }


def _day(number: int) -> str:
    """Return the date of a day counted from 1970."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + number).isoformat()


def _local(seconds: int) -> datetime:
    """Return local time, counted in seconds from 1970."""
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - of whichever zone


def _clock(seconds: float) -> datetime:
    """Return what this process's clock shows, seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().replace(tzinfo=None)


def _parts(
    zone: tzinfo | None, start: int | None, end: int | None, *, size: int = _DAY, shift: int = 0
) -> dict[str, Any]:
    """Return the parameters that tell PocketBase which part of the day a message is from.

    Args:
        zone: Time zone, None for that of this process.
        start: First time that counts; None for all.
        end: Last time that counts.
        size: Seconds of each part.
        shift: Seconds by which all messages are moved.
    """
    now = time.time()
    # Without an end, and with one in milliseconds, there may be messages whose time is in milliseconds, from any day.
    first = start if start and end and start >= _EARLIEST and end <= _LARGEST_SECONDS else _EARLIEST
    offsets = _offsets(zone, int(min(first, now)) + shift, int(now) + _DAY + 1 + shift)
    return {"now": now, "zone": offsets, "size": size, "shift": shift}


def _offsets(zone: tzinfo | None, first: int, last: int) -> list[list[int]]:
    """Return a zone's offsets from UTC, each with the second since 1970 it begins at; none lasts less than a day."""
    offsets = [[first, _offset(zone, first)]]
    for day in range(first, last, _DAY):
        low, high = day, min(day + _DAY, last)
        offset = _offset(zone, high)
        if offset == offsets[-1][1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _offset(zone, middle) == offset else (middle, high)
        offsets.append([high, offset])
    return offsets


def _offset(zone: tzinfo | None, second: int) -> int:
    offset = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
