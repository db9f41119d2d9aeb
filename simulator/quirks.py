"""How real stations deviate from the specification, on request: a table of small functions.

Each was seen in the field. A quirk alters what is sent (payload or text), what is answered, or a habit of
the station. Several may be combined; they apply in the order they are asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulator import quirks_answers as answers
from simulator import quirks_payloads as payloads
from simulator.frames import Frame, Payload


@dataclass(frozen=True)
class Habits:
    """What a station does of itself; the defaults follow the specification.

    OCPP-J 1.6 §5.4: no BootNotification at a mere reconnect.
    """

    offers_subprotocol: bool = True
    reconnects: bool = True
    boots: bool = True
    boots_at_reconnect: bool = False
    repeats_boot_s: float | None = None
    counts_message_ids: bool = False
    keeps_message_id: bool = False
    counts_lost_links: bool = False
    resends_start: bool = False
    meters_after_stop: bool = False
    meters_before_boot: bool = False
    stops: bool = True
    flushes_history: bool = False
    answer_delay_s: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Quirk:
    """One deviation: what it is, and where it takes effect."""

    about: str
    payload: Callable[[str, Payload], Payload] | None = None
    text: Callable[[str, str], str] | None = None
    answer: Callable[[str, Frame], Frame | None] | None = None
    habits: Mapping[str, Any] = field(default_factory=dict)


QUIRKS: dict[str, Quirk] = {
    "naive-timestamps": Quirk("timestamps without a zone", payload=payloads.naive_timestamps),
    "short-offset": Quirk('timestamps with the offset "+02"', payload=payloads.short_offset),
    "clock-1970": Quirk("a clock that was never set", payload=payloads.clock_1970),
    "huge-transaction-id": Quirk("transactionId 2^63-1", payload=payloads.huge_transaction_id),
    "stop-id-zero": Quirk("StopTransaction with transactionId 0", payload=payloads.stop_id_zero),
    "invalid-json": Quirk('`"transactionId":,` in a frame', text=payloads.missing_transaction_id),
    "long-serial": Quirk("a serial number of 33 characters", payload=payloads.long_serial),
    "odd-meter-type": Quirk("a meterType that is too long", payload=payloads.odd_meter_type),
    "unit-hertz": Quirk("a frequency in Hertz", payload=payloads.frequency_in("Hertz")),
    "unit-hz": Quirk("a frequency in Hz", payload=payloads.frequency_in("Hz")),
    "wrong-context": Quirk("readings with the wrong context", payload=payloads.wrong_context),
    "corrupted-id-tag": Quirk("an id token with control characters", payload=payloads.corrupted_id_tag),
    "seqno-zero": Quirk("seqNo always 0", payload=payloads.seqno_zero),
    "v16-shapes": Quirk("1.6-shaped payloads on 2.x", payload=payloads.v16_shapes),
    "garbage-connector-count": Quirk(
        "NumberOfConnectors 1634030126", habits={"variables": {"NumberOfConnectors": "1634030126"}}
    ),
    "both-rate-units": Quirk('chargingRateUnit "Current,Power"', answer=answers.both_rate_units),
    "silent-reset": Quirk("Reset is never answered", answer=answers.silent_reset),
    "error-id-minus-one": Quirk('CALLERROR with the id "-1"', answer=answers.error_id_minus_one),
    "slow-answers": Quirk("commands answered after 40 s", habits={"answer_delay_s": 40.0}),
    "ids-restart": Quirk('message ids "1", "2", … on each connection', habits={"counts_message_ids": True}),
    "same-id-on-retry": Quirk("a retry keeps its message id", habits={"keeps_message_id": True}),
    "count-lost-links": Quirk("a lost link costs an attempt", habits={"counts_lost_links": True}),
    "start-resent": Quirk("the start is sent again after a lost link", habits={"resends_start": True}),
    "meters-after-stop": Quirk("MeterValues after the stop", habits={"meters_after_stop": True}),
    "meters-before-boot": Quirk("MeterValues before BootNotification", habits={"meters_before_boot": True}),
    "never-stops": Quirk("transactions that never end", habits={"stops": False}),
    "old-history": Quirk("an old transaction flushed at first connect", habits={"flushes_history": True}),
    "no-boot": Quirk("no BootNotification after the first connection", habits={"boots": False}),
    "boot-at-reconnect": Quirk("BootNotification at each reconnect", habits={"boots_at_reconnect": True}),
    "boot-repeated": Quirk(
        "BootNotification every 10 s with one id", habits={"repeats_boot_s": 10.0, "keeps_message_id": True}
    ),
    "no-subprotocol": Quirk("no Sec-WebSocket-Protocol header", habits={"offers_subprotocol": False}),
    "no-reconnect": Quirk("never dials again by itself", habits={"reconnects": False}),
    "redials-every-10-s": Quirk(
        "dials every 10 s",
        habits={"settings": {"backoff_minimum_s": 10, "backoff_random_s": 0, "backoff_repeats": 0}},
    ),
    "redials-late": Quirk(
        "dials again after 6 to 19 minutes",
        habits={"settings": {"backoff_minimum_s": 360, "backoff_random_s": 780, "backoff_repeats": 0}},
    ),
}


class UnknownQuirk(ValueError):
    """Asked for a quirk that is not in the table."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown quirk {name!r}; there are: {', '.join(sorted(QUIRKS))}")
        self.name = name


class Quirks:
    """The quirks of one station, combined."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._quirks = [_find(name) for name in names]
        self.habits = Habits()
        for quirk in self._quirks:
            self.habits = replace(self.habits, **_merged(self.habits, quirk.habits))

    def payload(self, action: str, payload: Payload) -> Payload:
        """Return what is sent instead of `payload`."""
        for quirk in self._quirks:
            if quirk.payload is not None:
                payload = quirk.payload(action, payload)
        return payload

    def text(self, action: str, text: str) -> str:
        """Return the text of a call that is sent instead of `text`."""
        for quirk in self._quirks:
            if quirk.text is not None:
                text = quirk.text(action, text)
        return text

    def answer(self, action: str, frame: Frame) -> Frame | None:
        """Return what is answered to a command instead of `frame`; None for silence."""
        answer: Frame | None = frame
        for quirk in self._quirks:
            if quirk.answer is not None and answer is not None:
                answer = quirk.answer(action, answer)
        return answer


def _find(name: str) -> Quirk:
    """Return a quirk of the table, or raise UnknownQuirk."""
    if name not in QUIRKS:
        raise UnknownQuirk(name)
    return QUIRKS[name]


def _merged(habits: Habits, change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changed fields; the mappings among them are united."""
    return {
        name: {**getattr(habits, name), **value} if isinstance(value, Mapping) else value
        for name, value in change.items()
    }
