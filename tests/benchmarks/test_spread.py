import pytest

from benchmarks.spread import Figures, Spread, percentile


def test_the_median_of_an_even_number_of_runs_lies_between_the_middle_two() -> None:
    assert Spread.of([4.0, 1.0, 3.0, 10.0]) == Spread(3.5, 1.0, 10.0, (4.0, 1.0, 3.0, 10.0))


def test_nothing_is_said_of_no_runs() -> None:
    with pytest.raises(ValueError, match="no run"):
        Spread.of([])


@pytest.mark.parametrize(("percent", "value"), [(50, 50.0), (99, 99.0), (99.5, 100.0), (100, 100.0), (0, 1.0)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == value


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 99) == 7.0


def test_figures_are_gathered_run_by_run() -> None:
    figures = Figures()
    figures.add(rate=1.0, latency=5.0)
    figures.add(rate=3.0)

    assert figures.spreads() == {"rate": Spread(2.0, 1.0, 3.0, (1.0, 3.0)), "latency": Spread(5.0, 5.0, 5.0, (5.0,))}


def test_what_is_stored_has_four_significant_digits() -> None:
    stored = Spread.of([0.123456, 12345.6]).as_json()

    assert stored["runs"] == [0.1235, 12346.0]
