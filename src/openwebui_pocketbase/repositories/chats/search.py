"""Searching a user's chats; the hooks are in ``owui/chats/search.js``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from open_webui.models.chats import CHAT_SEARCH_FILTER_PREFIXES, ChatModel, chat_search_terms
from open_webui.utils.misc import sanitize_text_for_db
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.words import Piece, all_of, pieces_of
from openwebui_pocketbase.repositories.chats._base import ChatRepository
from openwebui_pocketbase.repositories.neighbours import neighbour

__all__ = ["SearchChats", "parts_of"]

TRIGRAM = 3
"""Letters of the sequences that the index of titles is made of."""

LOOKED_UP = 8
"""Parts of words that are looked up in the indexes; the others are searched for in the texts that these find."""


class SearchChats(ChatRepository):
    """The method of `ChatTable` that searches."""

    async def get_chats_by_user_id_and_search_text(
        self,
        user_id: str,
        search_text: str,
        include_archived: bool = False,
        skip: int = 0,
        limit: int = 60,
        db: AsyncSession | None = None,
    ) -> list[ChatModel]:
        """Return a page of the user's chats that contain a text, or all its terms, and match its filters.

        Chats that contain the text as it is come first, then those changed last. Without a text this is a page of the
        list.
        """
        search_text = sanitize_text_for_db(search_text).lower().strip()
        if not search_text:
            # Titles instead of chats, as from the stock method.
            titles: list[Any] = await self.get_chat_list_by_user_id(
                user_id, include_archived, filter={}, skip=skip, limit=limit, db=db
            )
            return titles
        words = search_text.split()
        parameters: dict[str, Any] = {
            "user_id": user_id,
            "skip": max(skip or 0, 0),
            "limit": -1 if limit is None else limit,
            **_filters(words, include_archived=include_archived),
            **_needles(" ".join(word for word in words if not word.startswith(CHAT_SEARCH_FILTER_PREFIXES))),
        }
        folder_names = [word.replace("folder:", "") for word in words if word.startswith("folder:")]
        if folder_names:
            folders = await neighbour("Folders").search_folders_by_names(user_id, folder_names)
            parameters["folder_ids"] = [folder.id for folder in folders]
        return self._wholes_of(await self._read("get_chats_by_user_id_and_search_text", **parameters))


def _filters(words: list[str], *, include_archived: bool) -> dict[str, Any]:
    filters: dict[str, Any] = {} if include_archived else {"archived": False}
    for name in ("pinned", "archived", "shared"):
        if f"{name}:true" in words:
            filters[name] = True
        elif f"{name}:false" in words:
            filters[name] = False
    tags = [word.replace("tag:", "") for word in words if word.startswith("tag:")]
    return filters | ({"tags": tags} if tags else {})


def _needles(phrase: str) -> dict[str, Any]:
    """Return the parameters of a search: the phrase, its terms, and the parts of words that lead to them."""
    # The phrase covers a text of one word.
    terms = [term for term in chat_search_terms(phrase) if term != phrase]
    of_phrase = pieces_of(phrase)
    of_terms = {term: _longest(pieces_of(term)) for term in terms}
    pieces = list(dict.fromkeys((*of_phrase, *filter(None, of_terms.values()))))[:LOOKED_UP]
    return {
        "phrase": phrase,
        "terms": _numbered(of_terms, pieces),
        "pieces": [
            _wire(piece, [*["phrase"] * (piece in of_phrase), *["terms"] * (piece in of_terms.values())])
            for piece in pieces
        ],
    }


def parts_of(terms: list[str]) -> dict[str, Any]:
    """Return the parameters of a search for terms alone, with parts of words that both indexes know."""
    of_terms = {term: _longest(piece for piece in pieces_of(term) if _match(piece)) for term in terms}
    pieces = list(dict.fromkeys(filter(None, of_terms.values())))[:LOOKED_UP]
    return {"terms": _numbered(of_terms, pieces), "pieces": [_wire(piece, ["terms"]) for piece in pieces]}


def _longest(pieces: Iterable[Piece]) -> Piece | None:
    """Return the part that is in the fewest texts, as a guess."""
    return max(pieces, key=lambda piece: len(piece.text), default=None)


def _numbered(of_terms: dict[str, Piece | None], pieces: list[Piece]) -> list[dict[str, Any]]:
    return [{"text": term, "n": pieces.index(piece) if piece in pieces else None} for term, piece in of_terms.items()]


def _wire(piece: Piece, of: list[str]) -> dict[str, Any]:
    return {"text": piece.text, "words": piece.match, "match": _match(piece), "of": of}


def _match(piece: Piece) -> str | None:
    """Return the FTS5 expression that finds a part in titles by its three-letter sequences; None if it is too short."""
    text = piece.text
    return all_of(text[start : start + TRIGRAM] for start in range(len(text) - TRIGRAM + 1))
