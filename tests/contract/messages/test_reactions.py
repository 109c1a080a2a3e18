"""Reactions to messages: what the stock class does, ours does."""

from __future__ import annotations

from tests.support.messages import Talk


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
