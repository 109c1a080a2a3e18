"""One message: what the stock class does, ours does."""

from __future__ import annotations

import asyncio
from typing import Any

from open_webui.models.messages import MessageForm
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.repositories.messages import PocketBaseMessages
from tests.support.differential import HOSTILE_NAMES, JSON_OBJECTS, START, Opened, pocketbase_rows, public_methods
from tests.support.messages import APP, CHANNEL, OTHER, WEBHOOK, Talk, talking


def form(content: str = "text", **more: Any) -> MessageForm:
    return MessageForm(content=content, **more)


def test_every_method_is_ours() -> None:
    ours = {name for base in PocketBaseMessages.__mro__[:-2] for name in vars(base) if "pocketbase" in base.__module__}
    assert public_methods("Messages") <= ours


async def test_nothing_there(talk: Talk) -> None:
    await talk.look(["nobody"])
    await talk.call("get_reactions_by_message_ids", [])
    await talk.call("get_thread_reply_counts_by_message_ids", [])
    for method in ("delete_message_by_id", "delete_replies_by_id", "delete_reactions_by_id"):
        await talk.call(method, "nobody")
    assert isinstance(await talk.call("update_message_by_id", "nobody", form()), AttributeError)
    assert isinstance(await talk.call("update_is_pinned_by_id", "nobody", True), AttributeError)
    assert await talk.call("update_app_message_by_id", "nobody", APP, 1, form()) is None


async def test_nobody_posts(talk: Talk) -> None:
    """Whoever posts joins, and nobody cannot; nothing is half written."""
    assert isinstance(await talk.call("insert_new_message", form(), CHANNEL, None), IntegrityError)
    await talk.call("get_messages_by_channel_id", CHANNEL)


async def test_post_answer_and_quote(talk: Talk) -> None:
    first = await talk.post("First")
    second = await talk.post("Second", "bob", reply_to_id=first, data={"files": [{"id": "f"}]}, meta={"a": 1.0})
    await talk.post("Third", "carl", reply_to_id=second)
    await talk.post("in the thread", "bob", parent_id=first, reply_to_id=second)
    await talk.post("quotes what is not there", reply_to_id="nobody", parent_id="nobody")
    await talk.post("empty references", reply_to_id="", parent_id="")
    await talk.post("elsewhere", "bob", OTHER, reply_to_id=first)
    await talk.look()
    await talk.call("delete_message_by_id", second)
    await talk.look()


async def test_people_apps_and_webhooks_go(talk: Talk) -> None:
    first = await talk.post("of Carl", "carl")
    hooked = await talk.post("of a webhook", meta={"webhook": {"id": WEBHOOK, "name": "old"}})
    gone = await talk.post("of one that is gone", meta={"webhook": {"id": "gone"}})
    odd = await talk.post("odd", meta={"webhook": {}, "model_id": "m"})
    posted = await talk.call("insert_new_app_message", APP, CHANNEL, form("of an app", reply_to_id=hooked))
    talk.ids.append(posted.id)
    removed = await talk.call("insert_new_app_message", "gone", CHANNEL, form("of none", data={"app": {"embeds": [1]}}))
    talk.ids.append(removed.id)
    for quoted in (first, hooked, gone, odd, posted.id, removed.id):
        await talk.post("quote", "bob", reply_to_id=quoted)
    for user in ("ann", "carl") if talk.pair.database.is_sqlite else ("carl",):  # PostgreSQL has no order of these
        await talk.call("add_reaction_to_message", first, user, "ok")
    await talk.look()
    await talk.remove("user", "carl")
    await talk.remove("channel_webhook", WEBHOOK)
    await talk.remove("app", APP)
    await talk.look()


async def test_change(talk: Talk) -> None:
    first = await talk.post("First", data={"a": 1, "b": {"x": 1}}, meta={"m": [1.0]})
    await talk.post("reply", "bob", parent_id=first)
    await talk.call("update_message_by_id", first, form("Changed", data={"b": {"y": 2}, "c": None}))
    await talk.call("update_message_by_id", first, form("", meta={"m": None, "n": 2**63 - 1}))
    await talk.call("update_message_by_id", first, form("same", data={}, meta={}))
    bare = await talk.post("bare")
    await talk.call("update_message_by_id", bare, form("bare"))
    await talk.call("update_is_pinned_by_id", first, True, "bob")
    await talk.call("update_is_pinned_by_id", bare, True)
    await talk.look()
    await talk.call("get_pinned_messages_by_channel_id", CHANNEL, 1, 1)
    await talk.call("update_is_pinned_by_id", first, False, "bob")
    await talk.look()


async def test_change_without_documents(talk: Talk) -> None:
    """PocketBase has SQL NULL where a record was made without them."""
    message = await talk.post("First", data={"a": 1})
    await talk.empty(message, "data", "meta")
    await talk.call("update_message_by_id", message, form("Changed", data={"b": 1}))
    await talk.look()


async def test_apps_change_what_they_know(talk: Talk) -> None:
    posted = await talk.call("insert_new_app_message", APP, CHANNEL, form("v1", data={"a": 1}, meta={"left": "out"}))
    changed = await talk.call("update_app_message_by_id", posted.id, APP, posted.updated_at, form("v2", data={"b": 2}))
    assert changed.updated_at > posted.updated_at
    assert changed.etag == str(changed.updated_at)
    for app, at in ((APP, posted.updated_at), ("other", changed.updated_at), (APP, changed.updated_at + 1)):
        assert await talk.call("update_app_message_by_id", posted.id, app, at, form("no")) is None
    talk.pair.step, talk.pair.clock.now = 0, START  # the time goes back: the tag changes all the same
    again = await talk.call("update_app_message_by_id", posted.id, APP, changed.updated_at, form("v3"))
    assert again.updated_at == changed.updated_at + 1
    talk.ids.append(posted.id)
    await talk.look()


async def test_delete_with_replies(talk: Talk) -> None:
    first = await talk.post("First")
    reply = await talk.post("reply", "bob", parent_id=first, data={"files": []}, meta={"model_id": "m"})
    for message in (first, reply):
        await talk.call("add_reaction_to_message", message, "ann", "ok")
    await talk.call("delete_replies_by_id", first)
    await talk.look()
    await talk.call("delete_message_by_id", first)
    await talk.call("delete_reactions_by_id", reply)
    await talk.look()


async def test_delete_what_cannot_be_read(talk: Talk) -> None:
    """The host's model has a time; apps are told all the same."""
    first = await talk.post("First")
    reply = await talk.post("reply", parent_id=first)
    for message in (first, reply):
        await talk.empty(message, "created_at", "updated_at")
    assert isinstance(await talk.call("get_last_message_by_channel_id", CHANNEL, rows=False), ValidationError)
    for method in ("delete_replies_by_id", "delete_message_by_id"):
        assert await talk.call(method, first) is True
        assert [kind for kind, _ in talk.told] == ["channel.message.deleted"] * 2


async def test_hostile_texts(opened: Opened, oracle: str) -> None:
    async with talking(opened, oracle) as talk:
        for text in HOSTILE_NAMES.values():
            if "\0" in text and not talk.pair.database.is_sqlite:
                continue  # PostgreSQL has no NUL in text
            message = await talk.post(text, rows=False, reply_to_id=text, parent_id=text)
            await talk.call("update_message_by_id", message, form(text * 2), rows=False)
            await talk.call("add_reaction_to_message", message, "ann", text, rows=False)
            await talk.call("get_message_by_id", message, rows=False)
            await talk.call("get_messages_by_parent_id", CHANNEL, text, rows=False)
        await talk.call("get_thread_reply_counts_by_message_ids", ["", *talk.ids, '"name"', "💬", "None"])


async def test_json(opened: Opened, oracle: str) -> None:
    async with talking(opened, oracle) as talk:
        for name, document in JSON_OBJECTS.items():
            if "escape" in name and not talk.pair.database.is_sqlite:
                continue  # PostgreSQL has no NUL in text
            message = await talk.post("a", rows=False, data=document, meta={"m": document})
            if name != "beyond 64 bits":  # which the stock method makes doubles of, as it reads what it merges
                changed = form("b", data={"more": document}, meta=document)
                await talk.call("update_message_by_id", message, changed, rows=False)
            await talk.call("get_message_by_id", message, rows=False)
        await talk.call("get_messages_by_channel_id", CHANNEL)


async def test_posts_at_once_make_one_membership(opened: Opened) -> None:
    async with talking(opened, "sqlite") as talk:
        posts = [talk.pair.subject.insert_new_message(form(str(number)), CHANNEL, "dora") for number in range(20)]
        await asyncio.gather(*posts)
        members = pocketbase_rows(talk.pair.server.data_dir, "channel_member")
        assert [member["user_id"] for member in members].count("dora") == 1
