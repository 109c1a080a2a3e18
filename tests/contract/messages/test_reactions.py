"""Reactions to messages: what the stock class does, ours does."""

from __future__ import annotations

from open_webui.models.messages import MessageReaction

from tests.support.messages import NS, Talk
from tests.support.records import put


async def test_reactions(talk: Talk) -> None:
    first, second = await talk.post("a"), await talk.post("b", "bob")
    reactions = [(first, "bob", "ok"), (second, "carl", "ok"), ("nowhere", "ann", "ok"), (first, "nobody", "ok")]
    if talk.pair.database.is_sqlite:  # which of several PostgreSQL names first is not defined
        reactions[1:1] = [(first, "ann", "no"), (first, "ann", "ok"), (first, "bob", "ok")]
    for reaction in reactions:
        await talk.call("add_reaction_to_message", *reaction)
    await talk.look()
    await talk.call("remove_reaction_by_id_and_user_id_and_name", first, "ann", "ok")
    await talk.call("remove_reaction_by_id_and_user_id_and_name", first, "ann", "ok")
    await talk.remove("user", "bob")
    await talk.look()
    await talk.call("delete_reactions_by_id", first)
    await talk.call("delete_reactions_by_id", "nowhere")
    await talk.look()


async def test_a_reaction_to_nothing(talk: Talk) -> None:
    """Somebody has made it in the dashboard; the stock table takes none."""
    reaction = MessageReaction(id="r", message_id=None, user_id="ann", name="ok", created_at=NS)
    put(talk.pair.server.data_dir, [reaction])
    await talk.call("get_reactions_by_message_id", "", rows=False)
    await talk.call("get_reactions_by_message_ids", ["", "nowhere"], rows=False)
