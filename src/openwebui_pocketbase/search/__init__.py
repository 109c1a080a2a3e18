"""The full-text index of chats: what it knows of a text, and what adds texts to it."""
