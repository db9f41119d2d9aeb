from benchmarks.ground import Size
from benchmarks.report import HEADLINES, Target, report
from benchmarks.spread import Spread


def test_the_file_has_the_nine_headlines_as_medians() -> None:
    spreads = {name: Spread.of([1.0, 5.0, 3.0]) for name in (*HEADLINES, "edge_over_echo", "half_load_p99_ms")}

    written = report(spreads, Size(), {"python": "3"})

    assert {name: written[name] for name in HEADLINES} == dict.fromkeys(HEADLINES, 3.0)
    assert written["figures"]["command_p50_ms"] == {
        "median": 3.0,
        "least": 1.0,
        "greatest": 5.0,
        "runs": [1.0, 5.0, 3.0],
    }
    assert len(written["targets"]) == 9
    assert written["machine"]["cores"] >= 1
    assert written["measured_at"].endswith("+00:00")


def test_what_was_not_measured_is_not_in_the_file() -> None:
    written = report({"command_p50_ms": Spread.of([2.0])}, Size(), {})

    assert "idle_kib_per_connection" not in written
    assert list(written["targets"]) == ["command_p50_ms"]


def test_a_target_is_met_from_its_side() -> None:
    assert Target("rate", 10, at_least=True).judge(10)["met"]
    assert not Target("rate", 10, at_least=True).judge(9.9)["met"]
    assert Target("latency", 10, at_least=False).judge(9.9)["met"]
    assert not Target("latency", 10, at_least=False).judge(10.1)["met"]
