"""Feedback, written through: what it does on a database of its own."""

from __future__ import annotations

from typing import Any

from open_webui.models.feedbacks import FeedbackForm, RatingData, SnapshotData

from tests.support.differential import START
from tests.support.written_through import Compared

GROUPS = ("feedbacks",)


def form(rating: Any = 1, model: str | None = "m", kind: str = "rating", **more: Any) -> FeedbackForm:
    data = RatingData(rating=rating, model_id=model, reason="ü", extra=[1, None])
    return FeedbackForm(**{"type": kind, "data": data, "meta": {"chat_id": "c"}, **more})


async def test_life_of_feedback(both: Compared) -> None:
    snapshot = SnapshotData(chat={"history": {"messages": {}}}, more=1.5)
    feedback = await both.call("Feedbacks.insert_new_feedback", "u1", form(snapshot=snapshot))
    bare = await both.call("Feedbacks.insert_new_feedback", "u2", FeedbackForm(type=""))
    for each in (feedback.id, "unknown"):
        await both.call("Feedbacks.update_feedback_by_id", each, form(-1, meta={"a": 1}))
        await both.call("Feedbacks.update_feedback_by_id", each, FeedbackForm(type="ignored"))
        for user in ("u1", "u2"):
            await both.call("Feedbacks.update_feedback_by_id_and_user_id", each, user, form("1", snapshot=snapshot))
            await both.call("Feedbacks.get_feedback_by_id_and_user_id", each, user)
        await both.call("Feedbacks.get_feedback_by_id", each)
        for user in ("u2", "u1"):
            await both.call("Feedbacks.delete_feedback_by_id_and_user_id", each, user)
    await both.call("Feedbacks.delete_feedback_by_id", bare.id)
    await both.call("Feedbacks.delete_feedback_by_id", bare.id)


async def test_lists(both: Compared) -> None:
    both.step = 86_400
    for n, (user, rating, model) in enumerate(
        [("u1", 1, "m"), ("u1", -1, "m"), ("u2", "1", "other"), ("u3", "good", None), ("gone", 1, "m")]
    ):
        await both.call("Feedbacks.insert_new_feedback", user, form(rating, model, meta={"chat_id": f"c{n % 2}"}))
    await both.call("Feedbacks.insert_new_feedback", "u1", FeedbackForm(type="bare"))
    for order in ("username", "model_id", "rating", "updated_at"):
        asked = {"order_by": order, "direction": "asc", "model_id": "m" if order == "updated_at" else None}
        await both.call("Feedbacks.get_feedback_items", asked, sort=True)
    await both.call("Feedbacks.get_feedback_items", skip=1, limit=2)
    await both.call("Feedbacks.get_feedbacks_by_user_id", "u1", skip=1)
    await both.call("Feedbacks.get_feedbacks_by_chat_id", "c0")
    await both.call("Feedbacks.get_feedbacks_by_type", "rating")
    for method in ("get_all_feedbacks", "get_all_feedback_ids", "get_distinct_model_ids"):
        await both.call(f"Feedbacks.{method}")
    await both.call("Feedbacks.get_feedbacks_for_leaderboard", sort=True)
    await both.call("Feedbacks.get_model_evaluation_history", "m")
    await both.call("Feedbacks.get_model_evaluation_history", "m", 3)
    await both.call("Feedbacks.get_model_feedback_counts_by_day", "m")
    await both.call("Feedbacks.get_model_feedback_counts_by_day", "m", START + 2 * 86_400)
    for user in ("u1", "u1"):
        await both.call("Feedbacks.delete_feedbacks_by_user_id", user)
    await both.call("Feedbacks.delete_all_feedbacks")
    await both.call("Feedbacks.delete_all_feedbacks")
