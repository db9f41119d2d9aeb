"""What events say about the latest state of things."""

from datetime import timedelta

import pytest

from modules.diagnostics import projection as projection_module
from modules.diagnostics.projection import Projection, connector_item, latest_values
from shared_contracts.message import Envelope
from shared_contracts.stations import POD_SILENT, ConnectorStatus, LogStatusReported, MeterReading, StationsSeen
from tests.modules.diagnostics.said import NOW, connected, disconnected, reported, sampled, started, told


def statuses(*events):
    projection = Projection()
    return [status for event in events for status in projection.statuses(Envelope.of(event))]


@pytest.mark.parametrize(
    ("evse_id", "connector_id", "item"),
    [(None, 0, "connector:0:0"), (None, 2, "connector:2:1"), (2, 1, "connector:2:1"), (1, 3, "connector:1:3")],
)
def test_connectors_of_all_versions_are_named_alike(evse_id, connector_id, item):
    assert connector_item(evse_id, connector_id) == item


@pytest.mark.parametrize(("evse_id", "connector_id"), [(None, 10_000), (10_000, 1), (1, 10_000), (0, 0)])
def test_large_numbers_are_numbers_of_connectors(evse_id, connector_id):
    found = statuses(reported(evse_id=evse_id, connector_id=connector_id), sampled(evse_id=evse_id))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("evse_id", "connector_id"), [(None, -1), (None, 10_001), (10_001, 1), (-1, 1), (1, 2**31 - 1)]
)
def test_absurd_numbers_have_no_status(evse_id, connector_id):
    number = connector_id if evse_id in (None, 1) else evse_id
    reading = (MeterReading(sampled_at=NOW, energy_wh=5),)
    told_of = (
        reported(evse_id=evse_id, connector_id=connector_id),
        sampled(connector_id=number),
        sampled(evse_id=number),
        told(evse_id=number, readings=reading),
    )
    assert statuses(*told_of) == []


def test_what_is_remembered_of_stations_is_bounded(monkeypatch):
    monkeypatch.setattr(projection_module, "_STATIONS", 3)
    monkeypatch.setattr(projection_module, "_TRANSACTIONS", 3)
    projection = Projection()
    for number in range(10):
        seen = StationsSeen(pod_id="p", seen_at=NOW, last_seen_at={f"CS-{number}": NOW})
        for event in (seen, started(f"CS-{number}", evse_id=1)):
            projection.statuses(Envelope.of(event))
    assert list(projection._seen_at) == ["CS-7", "CS-8", "CS-9"]
    assert len(projection._evse_of) == 3


def test_a_reported_status_is_kept_with_all_its_details():
    (status,) = statuses(reported(state=ConnectorStatus.FAULTED, error_code="GroundFailure", info="x"))
    assert (status.station_id, status.item, status.state) == ("CS-1", "connector:1:1", "faulted")
    assert status.body["error_code"] == "GroundFailure"
    assert status.body["raw_status"] == "faulted"


def test_the_later_of_two_reports_is_newer_whatever_the_clock_of_the_station_says():
    projection = Projection()
    first = Envelope.of(reported(reported_at=NOW))
    second = Envelope(**_same_moment(first, Envelope.of(reported(reported_at=NOW - timedelta(days=9999)))))
    (one,), (other,) = projection.statuses(first), projection.statuses(second)
    assert other.version > one.version


def test_the_end_of_an_old_connection_is_older_than_a_new_connection():
    new, old_end, new_end = statuses(connected(epoch=8), disconnected(epoch=7), disconnected(epoch=8))
    assert old_end.version < new.version < new_end.version
    assert [status.state for status in (new, new_end)] == ["connected", "disconnected"]


def test_only_the_real_end_of_a_connection_outranks_what_is_told_of_it_later():
    told = connected(epoch=8)
    lost = disconnected(epoch=8).model_copy(update={"reason": POD_SILENT, "disconnected_at": NOW + timedelta(1)})
    heard = told.model_copy(update={"heard_again_at": NOW + timedelta(2)})
    found = statuses(told, lost, heard, disconnected(epoch=8), connected(epoch=9))
    assert sorted(found, key=lambda status: status.order) == found
    assert len({status.order for status in found}) == len(found)


def test_meters_show_the_newest_of_each_measurement():
    readings = [
        MeterReading(sampled_at=NOW, energy_wh=300),
        MeterReading(sampled_at=NOW - timedelta(minutes=1), energy_wh=200, power_w=7000),
        MeterReading(sampled_at=NOW + timedelta(minutes=1)),
    ]
    assert latest_values(readings) == {"energy_wh": 300, "power_w": 7000, "sampled_at": NOW.isoformat()}


def test_samples_without_a_known_measurement_change_nothing():
    assert statuses(sampled(energy_wh=None)) == []


def test_a_transaction_that_began_with_an_id_token_has_its_meter_too():
    """The first report names the EVSE; one with an id token is no event, but that the transaction started is."""
    reading = (MeterReading(sampled_at=NOW, energy_wh=5),)
    (found,) = statuses(started(evse_id=2), told(readings=reading))
    assert found.item == "meter:2"


def test_a_transaction_remembers_its_evse_until_it_ends():
    reading = (MeterReading(sampled_at=NOW, energy_wh=5),)
    found = statuses(
        told(evse_id=2),
        told(readings=reading),
        told(kind="ended", readings=reading),
        told(readings=reading),
        told(transaction_ref="8", readings=reading),
    )
    assert [status.item for status in found] == ["meter:2", "meter:2"]


def test_a_station_is_seen_at_most_once_a_minute():
    moments = [NOW, NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)]
    found = statuses(*(StationsSeen(pod_id="p", seen_at=at, last_seen_at={"CS-1": at}) for at in moments))
    assert [status.observed_at for status in found] == [moments[0], moments[2]]


def test_log_uploads_have_a_status():
    (status,) = statuses(LogStatusReported(station_id="CS-1", status="Uploading", request_id=3, reported_at=NOW))
    assert (status.item, status.state, status.body["request_id"]) == ("log", "Uploading", 3)


def _same_moment(one, other):
    fields = {name: getattr(other, name) for name in ("key", "station_id", "occurred_at", "payload")}
    return fields | {"id": one.id[:12] + other.id[12:]}
