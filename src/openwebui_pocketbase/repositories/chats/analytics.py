"""Usage of models, by user and time, from the messages; the hooks are in ``owui/chats/analytics.js``."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from open_webui.models.chat_messages import _extract_tool_names, _normalize_timestamp, _timezone

from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.chats._calendar import clock, day_name, local, parts_of_day
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase, neighbour

__all__ = ["MessageAnalytics", "limits"]

_MINUTES = {"10m": 10, "hourly": 60, "3h": 180, "6h": 360, "daily": 1440}
"""Parts of the day."""


class MessageAnalytics(PocketBaseRepository):
    """The methods of `ChatMessageTable` that count; days and parts of days are in `_calendar`."""

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
        dates = limits(start_date, end_date)
        return await self._read("get_chat_ids_by_model_id", model_id=model_id, skip=skip, limit=limit, **dates)  # type: ignore[no-any-return]

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
        """Return tokens and answers by user; rows without a user count no tokens."""
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
        days = parts_of_day(_timezone(timezone), start_date, end_date) if include_active_days else {}
        parameters = {**limits(start_date, end_date), **days}
        counts = await self._read("get_user_usage_summary", user_id=user_id, **parameters)
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
        value = await self._read("get_user_first_message_created_at", user_id=user_id)
        return int(value) if value else None

    async def get_user_daily_usage(
        self, user_id: str, start_date: int, end_date: int, timezone: str | None = None, db: Any = None
    ) -> list[dict[str, Any]]:
        """Return what a user did on each day of a time zone, also on those without messages."""
        zone = _timezone(timezone)
        dates = {"start_date": start_date, "end_date": end_date}
        rows = await self._read(
            "get_user_daily_usage", user_id=user_id, **dates, **parts_of_day(zone, start_date, end_date)
        )
        daily = {
            day_name(day): {"messages": messages, "chats": chats, "tokens": tokens, "models": dict(models)}
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
        rows = await self._read("get_user_top_models", user_id=user_id, limit=limit, **dates)
        names = ("model_id", "messages", "input_tokens", "output_tokens", "total_tokens")
        return [dict(zip(names, (*row, row[2] + row[3]), strict=True)) for row in rows]

    async def get_user_top_tools(
        self, user_id: str, start_date: int, end_date: int, limit: int = 5, db: Any = None
    ) -> list[dict[str, Any]]:
        """Return the tools that were called most for a user."""
        dates = {"start_date": start_date, "end_date": end_date}
        rows = await self._read("get_user_top_tools", user_id=user_id, **dates)
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
        parts = parts_of_day(None, start_date, end_date, size=size, shift=bucket_offset)
        asked = {**parts, "tokens": metric == "tokens"}
        rows = await self._ask_about("get_usage_over_time_by_model", start_date, end_date, group_id, **asked)
        form = "%Y-%m-%d" if granularity == "daily" else "%Y-%m-%d %H:%M"
        usage: dict[str, dict[str, int]] = {}
        for number, model_id, amount in rows:
            usage.setdefault(local(number * size).strftime(form), {})[model_id] = amount
        if start_date and end_date:
            first, last = (clock(_normalize_timestamp(moment) + bucket_offset) for moment in (start_date, end_date))
            seconds = int((first - local(0)).total_seconds())
            current = local(seconds - seconds % size)
            while current <= last:
                usage.setdefault(current.strftime(form), {})
                current += timedelta(seconds=size)
        return usage

    async def _ask_about(
        self, method: str, start_date: int | None, end_date: int | None, group_id: str | None, **parameters: Any
    ) -> Any:
        """Ask about the messages of a time and of a group's members."""
        members = await _members(group_id) if group_id else {}
        return await self._read(method, **limits(start_date, end_date), **members, **parameters)


def limits(start_date: int | None, end_date: int | None) -> dict[str, int]:
    """Return those of the dates that are given, as parameters."""
    return {name: moment for name, moment in (("start_date", start_date), ("end_date", end_date)) if moment}


async def _members(group_id: str) -> dict[str, Any]:
    """Return the group as a parameter if PocketBase has its members, otherwise these."""
    if is_on_pocketbase("Groups"):
        return {"group_id": group_id}
    members = await neighbour("Groups").get_group_user_ids_by_ids([group_id], include_inherited=True)
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
