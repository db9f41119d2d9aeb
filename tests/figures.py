"""What tests measure for docs/reliability.md and docs/security.md, and the seed of what is random in them."""

import os
from collections.abc import Callable
from typing import Any

import pytest

SEED = "STRUM_TEST_SEED"
_FIGURE = "figure"

Figure = Callable[..., None]
"""`figure("F5", "first answer after the start", 12.3, "s", at_most=30)` asserts the bound, and notes what was seen."""


def seed_given() -> int:
    """The seed of this run: `make faults` chooses one, `make test` always has the same."""
    return int(os.environ.get(SEED, "1"))


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed of what is random in fault tests: {seed_given()} (repeat with {SEED})"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, ())]
    lines = sorted(value for report in reports for name, value in report.user_properties if name == _FIGURE)
    if lines:
        terminalreporter.section(f"figures, seed {seed_given()}")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def seed() -> int:
    """Decides what is random in this run; printed at its beginning and end."""
    return seed_given()


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Note a figure that a row of the table demands, and hold it against its bound."""

    def note(row: str, what: str, value: float, unit: str = "", *, at_most: float | None = None) -> None:
        bound = "" if at_most is None else f" (at most {at_most:g})"
        record_property(_FIGURE, f"{row:4} {what}: {value:.4g} {unit}{bound}")
        assert at_most is None or value <= at_most, f"{row}: {what}: {value:.4g} {unit}{bound}"

    return note
