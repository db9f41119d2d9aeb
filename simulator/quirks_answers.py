"""Quirks that alter how a station answers a command: another frame, or None for silence."""

from dataclasses import replace

from simulator.frames import Error, Frame, Result


def both_rate_units(action: str, frame: Frame) -> Frame:
    """Both units of a charging rate at once in a composite schedule."""
    if action != "GetCompositeSchedule" or not isinstance(frame, Result):
        return frame
    for name in ("chargingSchedule", "schedule"):
        if name in frame.payload:
            schedule = frame.payload[name] | {"chargingRateUnit": "Current,Power"}
            return replace(frame, payload=frame.payload | {name: schedule})
    return frame


def silent_reset(action: str, frame: Frame) -> Frame | None:
    """The socket goes before the answer."""
    return None if action == "Reset" else frame


def error_id_minus_one(_: str, frame: Frame) -> Frame:
    """Every command is refused with an id that matches no call."""
    return Error("-1", "RpcFrameworkError", f"cannot read {frame.message_id}"[:255])
