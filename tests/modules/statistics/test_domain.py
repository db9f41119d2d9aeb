from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from modules.statistics.domain import session_of
from shared_contracts.transactions import TransactionEnded, TransactionState
from tests.modules.statistics.test_figures import ended


@pytest.mark.parametrize(
    ("started_at", "day"),
    [
        (datetime(2026, 3, 1, 23, 59, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 2, 0, 30, tzinfo=timezone(timedelta(hours=2))), date(2026, 3, 1)),
    ],
)
def test_a_session_belongs_to_the_day_on_which_it_began(started_at: datetime, day: date) -> None:
    assert session_of(ended(started_at=started_at, ended_at=started_at + timedelta(hours=9))).day == day


@pytest.mark.parametrize(
    ("fields", "attribute", "value"),
    [
        ({"energy_wh": None}, "energy_wh", 0),
        ({"ended_at": datetime(2026, 3, 1, tzinfo=UTC)}, "duration_s", 0),
        ({"id_token": None}, "id_token", ""),
        ({"id_token": "ABC"}, "id_token", "abc"),
        ({"state": TransactionState.FAILED}, "failed", True),
        ({"flags": ("suspect",)}, "suspect", True),
    ],
)
def test_what_is_odd_still_counts(fields: dict[str, Any], attribute: str, value: Any) -> None:
    event: TransactionEnded = ended(**fields)

    assert getattr(session_of(event), attribute) == value
