"""Ids in paths."""

from uuid import UUID


def uuid_of(text: str) -> UUID | None:
    """Read an id; None for what is none, which is then not found."""
    try:
        return UUID(text)
    except ValueError:
        return None
