from datetime import UTC, datetime, timedelta

import pytest

from modules.users.errors import TooManyAttempts
from modules.users.throttle import Throttle

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def _spent(attempts: int = 3, window_s: int = 600) -> Throttle:
    throttle = Throttle(attempts, window_s)
    for _ in range(attempts):
        throttle.admit("a@b", "10.0.0.1", NOW)
    return throttle


def test_after_so_many_failures_one_waits_for_the_rest_of_the_window() -> None:
    with pytest.raises(TooManyAttempts) as refused:
        _spent().admit("A@B", "10.0.0.1", NOW + timedelta(seconds=100))

    assert refused.value.extra["retry_after_s"] == 500


def test_waiting_is_over_with_the_window_even_for_who_kept_trying() -> None:
    throttle = _spent()
    for second in range(0, 600, 60):
        with pytest.raises(TooManyAttempts):
            throttle.admit("a@b", "10.0.0.1", NOW + timedelta(seconds=second))

    throttle.admit("a@b", "10.0.0.1", NOW + timedelta(seconds=600))


def test_other_addresses_and_other_accounts_are_not_affected() -> None:
    throttle = _spent()
    throttle.admit("a@b", "10.0.0.2", NOW)
    throttle.admit("c@b", "10.0.0.1", NOW)


def test_the_right_password_takes_the_failures_back() -> None:
    throttle = _spent()
    throttle.forgive("a@b", "10.0.0.1")
    throttle.admit("a@b", "10.0.0.1", NOW)
