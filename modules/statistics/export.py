"""Figures as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence

from modules.statistics.domain import Figures

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")
"""What a spreadsheet takes for the begin of a formula: id tokens are what strangers present to a reader."""

_LINES = 500


async def lines(of: str, figures: Iterable[Figures]) -> AsyncIterator[bytes]:
    """A head line and a line for each group, in pieces; `of` names the groups."""
    rows: list[Sequence[object]] = [(of, "sessions", "failed", "suspect", "energy_wh", "duration_s")]
    for item in figures:
        rows.append((item.of, item.sessions, item.failed, item.suspect, item.energy_wh, item.duration_s))
        if len(rows) == _LINES:
            yield _written(rows)
            rows = []
    yield _written(rows)


def _written(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _safe(cell: object) -> object:
    """Text that would be a formula gets an apostrophe in front; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
