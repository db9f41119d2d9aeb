import pytest

from simulator.frames import Call, Error, Result, dump, parse


@pytest.mark.parametrize(
    "frame",
    [Call("1", "Reset", {"type": "Hard"}), Result("1", {"status": "Accepted"}), Error("1", "NotSupported", "why", {})],
)
def test_a_frame_survives_the_wire(frame: Call | Result | Error) -> None:
    assert parse(dump(frame)) == frame


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '[2,"1"]', '[9,"1",{}]', '[2,1,"Reset",{}]', '[2,"1","Reset",[]]']
)
def test_what_is_no_frame_is_ignored(text: str) -> None:
    assert parse(text) is None


def test_an_error_may_lack_its_details() -> None:
    assert parse('[4,"1","GenericError"]') == Error("1", "GenericError", "")
