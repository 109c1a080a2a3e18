"""The replies in the thread of a message: what the stock class does, ours does."""

from __future__ import annotations

from open_webui.models.messages import MessageForm

from tests.support.messages import CHANNEL, OTHER, Talk


async def test_windows(talk: Talk) -> None:
    parent = await talk.post("parent", rows=False)
    elsewhere = await talk.post("elsewhere", channel=OTHER, rows=False)
    for number in range(14):
        talk.pair.step = number % 4  # every fourth has the time of the one before
        await talk.post(f"{number}", "bob", rows=False, parent_id=parent, reply_to_id=talk.ids[number // 3])
    await talk.post("of another channel in this thread", channel=OTHER, rows=False, parent_id=parent)
    for skip, limit in ((0, 5), (10, 5), (0, 14), (0, 15), (0, 0), (20, 5)):
        await talk.call("get_messages_by_parent_id", CHANNEL, parent, skip, limit, rows=False)
    for anchor in (parent, *talk.ids[2:16:3], elsewhere, "nobody"):
        for limit in (3, 12, 50):
            await talk.call("get_messages_by_parent_id", CHANNEL, parent, 2, limit, around=anchor, rows=False)
            await talk.call("get_messages_by_parent_id", CHANNEL, parent, 2, limit, before=anchor, rows=False)
    both = {"around": talk.ids[3], "before": talk.ids[5]}
    await talk.call("get_messages_by_parent_id", CHANNEL, parent, rows=False, **both)
    for channel, message in ((OTHER, parent), (CHANNEL, elsewhere), (CHANNEL, "nobody"), (CHANNEL, talk.ids[2])):
        await talk.call("get_messages_by_parent_id", channel, message, rows=False)
    await talk.look([parent, elsewhere])


async def test_a_long_chain_of_quotes(talk: Talk) -> None:
    """The stock class opens a session for each link, and fails when its pool of 15 is empty; ours reads one link."""
    messages = talk.pair.subject
    with talk.pair.database.active(), talk.pair.bound():
        for number in range(40):
            form = MessageForm(content=f"{number}", reply_to_id=talk.ids[-1] if talk.ids else None)
            talk.ids.append((await messages.insert_new_message(form, CHANNEL, "ann")).id)
        found = await messages.get_message_by_id(talk.ids[-1])
    assert found.reply_to_message.id == talk.ids[-2]


async def test_a_thread_without_its_parent(talk: Talk) -> None:
    parent = await talk.post("parent", rows=False)
    await talk.post("reply", rows=False, parent_id=parent)
    await talk.call("delete_message_by_id", parent)
    await talk.look()
