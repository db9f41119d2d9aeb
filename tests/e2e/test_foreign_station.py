"""A charge from boot to stop by a client that we did not write: the `ocpp` package's own ChargePoint.

OCPP 1.6 §4.2, §4.8, §4.10; OCPP 2.0.1 B01, E01-E07. Everything is read back from the API.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import enums as enums16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201

from tests.e2e.stack import Stack

TOKEN = "04A2B3C4D5"


class Connection:
    """What ChargePoint wants of a WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def recv(self) -> str:
        return await self._socket.receive_str()

    async def send(self, message: str) -> None:
        await self._socket.send_str(message)


@asynccontextmanager
async def connected(strum: Stack, kind: Any, station_id: str, subprotocol: str) -> AsyncIterator[Any]:
    url = f"{strum.ocpp_url}/{station_id}"
    async with strum.session.ws_connect(url, protocols=(subprotocol,)) as socket:
        station = kind(station_id, Connection(socket))
        reading = asyncio.create_task(station.start())
        try:
            yield station
        finally:
            reading.cancel()
            with contextlib.suppress(BaseException):
                await reading


def at(minute: int) -> str:
    return (datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


async def test_a_1_6_charge_is_read_back_from_the_api(strum: Stack) -> None:
    await strum.add_id_token(TOKEN)
    async with connected(strum, ChargePoint16, "FOREIGN-16", "ocpp1.6") as station:
        boot = await station.call(
            call16.BootNotification(charge_point_vendor="Vendor", charge_point_model="Model", firmware_version="1.2.3")
        )
        assert boot.status == enums16.RegistrationStatus.accepted
        status = call16.StatusNotification(
            connector_id=1, error_code=enums16.ChargePointErrorCode.no_error, status=enums16.ChargePointStatus.preparing
        )
        await station.call(status)
        authorized = await station.call(call16.Authorize(id_tag=TOKEN))
        assert authorized.id_tag_info["status"] == "Accepted"
        started = await station.call(
            call16.StartTransaction(connector_id=1, id_tag=TOKEN, meter_start=1000, timestamp=at(0))
        )
        assert started.id_tag_info["status"] == "Accepted"
        for minute, wh in ((10, 2000), (20, 3500)):
            sampled = {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
            values = [{"timestamp": at(minute), "sampled_value": [sampled]}]
            await station.call(
                call16.MeterValues(connector_id=1, transaction_id=started.transaction_id, meter_value=values)
            )
        live = await strum.eventually(
            "/transactions",
            lambda page: page["items"] and page["items"][0]["energy_wh"] == 2500,
            station_id="FOREIGN-16",
        )
        assert live["items"][0]["state"] == "charging"
        stopped = await station.call(
            call16.StopTransaction(
                meter_stop=5000,
                timestamp=at(30),
                transaction_id=started.transaction_id,
                reason=enums16.Reason.ev_disconnected,
                id_tag=TOKEN,
            )
        )
        assert stopped.id_tag_info["status"] == "Accepted"
        await station.call(call16.Heartbeat())
        await _read_back(strum, "FOREIGN-16", version="1.6", reason="EVDisconnected", samples=2)


async def test_a_2_0_1_charge_is_read_back_from_the_api(strum: Stack) -> None:
    await strum.add_id_token(TOKEN)
    async with connected(strum, ChargePoint201, "FOREIGN-201", "ocpp2.0.1") as station:
        boot = await station.call(
            call201.BootNotification(
                charging_station={"model": "Model", "vendor_name": "Vendor", "firmware_version": "1.2.3"},
                reason="PowerUp",
            )
        )
        assert boot.status == "Accepted"
        await station.call(
            call201.StatusNotification(timestamp=at(0), connector_status="Occupied", evse_id=1, connector_id=1)
        )
        id_token = {"id_token": TOKEN, "type": "ISO14443"}
        authorized = await station.call(call201.Authorize(id_token=id_token))
        assert authorized.id_token_info["status"] == "Accepted"
        await station.call(
            _event("Started", 0, at(0), 1000, "Authorized", evse={"id": 1, "connector_id": 1}, id_token=id_token)
        )
        await station.call(_event("Updated", 1, at(10), 2000, "MeterValuePeriodic"))
        await station.call(_event("Updated", 2, at(20), 3500, "MeterValuePeriodic"))
        await strum.eventually(
            "/transactions",
            lambda page: page["items"] and page["items"][0]["energy_wh"] == 2500,
            station_id="FOREIGN-201",
        )
        ended = _event("Ended", 3, at(30), 5000, "EVDeparted", stopped_reason="EVDisconnected")
        await station.call(ended)
        await _read_back(strum, "FOREIGN-201", version="2.0.1", reason="EVDisconnected", samples=4)


def _event(
    kind: str, number: int, timestamp: str, wh: int, trigger: str, *, stopped_reason: str | None = None, **fields: Any
) -> Any:
    info = {"transaction_id": "tx-of-the-station"} | ({"stopped_reason": stopped_reason} if stopped_reason else {})
    context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
    sampled = {"value": wh, "measurand": "Energy.Active.Import.Register", "context": context}
    return call201.TransactionEvent(
        event_type=kind,
        timestamp=timestamp,
        trigger_reason=trigger,
        seq_no=number,
        transaction_info=info,
        meter_value=[{"timestamp": timestamp, "sampled_value": [sampled]}],
        **fields,
    )


async def _read_back(strum: Stack, station_id: str, *, version: str, reason: str, samples: int) -> None:
    """Transaction, energy, statuses, events, frames and statistics."""
    page = await strum.eventually(
        "/transactions", lambda page: page["items"] and page["items"][0]["state"] == "finished", station_id=station_id
    )
    (transaction,) = page["items"]
    assert transaction["energy_wh"] == 4000
    assert transaction["reason"] == reason
    assert transaction["id_token"] == TOKEN
    assert datetime.fromisoformat(transaction["started_at"]) == datetime.fromisoformat(at(0))
    assert datetime.fromisoformat(transaction["ended_at"]) == datetime.fromisoformat(at(30))
    await strum.eventually(
        f"/transactions/{transaction['id']}/meter-values", lambda page: len(page["items"]) == samples, limit=500
    )

    station = await strum.get(f"/charging-stations/{station_id}")
    assert (station["connected"], station["vendor"], station["ocpp_version"]) == (True, "Vendor", version)
    await strum.eventually(
        f"/charging-stations/{station_id}/statuses",
        lambda body: any(item["item"].startswith("connector") for item in body["items"]),
    )
    stored = await strum.eventually(
        "/events",
        lambda page: "transactions.ended.v1" in {event["key"] for event in page["items"]},
        station_id=station_id,
        limit=500,
    )
    keys = {event["key"] for event in stored["items"]}
    assert {"stations.connected.v1", "stations.status_reported.v1", "transactions.started.v1"} <= keys
    await strum.eventually(
        f"/charging-stations/{station_id}/frames",
        lambda page: any("BootNotification" in frame["text"] for frame in page["items"]),
        limit=500,
    )
    figures = await strum.eventually(
        "/statistics/stations",
        lambda body: any(row["of"] == station_id and row["energy_wh"] == 4000 for row in body["items"]),
    )
    (row,) = [row for row in figures["items"] if row["of"] == station_id]
    assert (row["sessions"], row["duration_s"]) == (1, 1800)
