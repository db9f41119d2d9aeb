from simulator.latency import SAMPLE_SIZE, Latencies


def test_percentiles_hold_for_more_than_is_kept() -> None:
    latencies = Latencies()
    for number in range(3 * SAMPLE_SIZE):
        latencies.add(number / (3 * SAMPLE_SIZE))

    assert len(latencies._kept) == SAMPLE_SIZE
    assert abs(latencies.percentile(0.5) - 0.5) < 0.02
    assert abs(latencies.percentile(0.99) - 0.99) < 0.005


def test_there_is_no_percentile_of_nothing() -> None:
    assert Latencies().percentile(0.5) is None
