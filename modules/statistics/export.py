"""Figures as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence

from modules.statistics.domain import Figures

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the begin of a formula, in full width too: strangers choose what a reader reads."""

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
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _safe(cell: object) -> object:
    """Text that would be a formula, after any blanks, gets an apostrophe in front; numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell
