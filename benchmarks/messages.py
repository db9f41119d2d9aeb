"""What the stations of the load generator say in OCPP 1.6, written as real stations write it."""

import time
from datetime import UTC, datetime

from benchmarks import frames

_NUMBER = b"%010d"
"""All numbers have one width, so that all MeterValues have one length and their frame header is made once."""

_PHASES = (("L1", "15.98", "230.4"), ("L2", "15.97", "231.1"), ("L3", "16.02", "229.8"))


def call_id(number: int) -> bytes:
    """The message id of the CALL with this number."""
    return _NUMBER % number


def start_transaction(number: int, id_tag: str) -> bytes:
    """The frame of a StartTransaction (§4.8)."""
    payload = f'{{"connectorId":1,"idTag":"{id_tag}","meterStart":0,"timestamp":"{_now()}"}}'
    return _call(number, "StartTransaction", payload)


def stop_transaction(number: int, transaction_id: int) -> bytes:
    """The frame of a StopTransaction (§4.10)."""
    payload = f'{{"meterStop":0,"timestamp":"{_now()}","transactionId":{transaction_id}}}'
    return _call(number, "StopTransaction", payload)


class MeterValues:
    """MeterValues (§4.7) of a charge on three phases: eight samples, about 1 kB, each unlike the one before."""

    def __init__(self, transaction_id: int | None = None) -> None:
        transaction = "" if transaction_id is None else f'"transactionId":{transaction_id},'
        body = (
            f'[2,"$NUMBER","MeterValues",{{"connectorId":1,{transaction}"meterValue":[{{"timestamp":"$TIME",'
            f'"sampledValue":[{_samples()}]}}]}}]'
        )
        self._template = body.encode().replace(b"$NUMBER", _NUMBER).replace(b"$TIME", b"%b.%03dZ")
        self._second, self._second_text = 0, b""
        self.size = len(self._text(0))
        self._header = frames.text(bytes(self.size))[: -self.size]

    def frame(self, number: int) -> bytes:
        """The frame of the CALL with this number; its meter shows as many watt-hours."""
        return self._header + self._text(number)

    def _text(self, number: int) -> bytes:
        second, millisecond = divmod(time.time_ns() // 1_000_000, 1000)
        if second != self._second:
            self._second, self._second_text = (
                second,
                f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}".encode(),
            )
        return self._template % (number, self._second_text, millisecond, number)


def _samples() -> str:
    samples = [
        _sample("$NUMBER", "Energy.Active.Import.Register", "Wh"),
        _sample("11040.5", "Power.Active.Import", "W"),
    ]
    for phase, current, voltage in _PHASES:
        samples += (_sample(current, "Current.Import", "A", phase), _sample(voltage, "Voltage", "V", f"{phase}-N"))
    return ",".join(samples)


def _sample(value: str, measurand: str, unit: str, phase: str = "") -> str:
    named = f'"phase":"{phase}",' if phase else ""
    return (
        f'{{"value":"{value}","context":"Sample.Periodic","measurand":"{measurand}",{named}'
        f'"location":"Outlet","unit":"{unit}"}}'
    )


def _call(number: int, action: str, payload: str) -> bytes:
    return frames.text(b'[2,"%b","%b",%b]' % (call_id(number), action.encode(), payload.encode()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
