"""The frame log: both directions as they were, without secrets, and storable."""

import asyncio
import time

import orjson
import pytest

from communication_service.ocpp.versions import Version
from communication_service.recorder import Recorder
from communication_service.redaction import redacted
from shared_contracts.bus import Unroutable, shard_of
from shared_contracts.commands import GetLog, RawCall, SetVariables, VariableChange
from shared_contracts.message import Envelope
from shared_contracts.stations import Frame, FramesRecorded, StationsSeen
from tests.communication_service.edge import Edge, edge, until

CANARY = 'c4n4ry/+\\"ж'
BEAT = '[2,"7","Heartbeat",{}]'


async def frames(e: Edge, count: int) -> list[Frame]:
    await until(lambda: sum(len(event.frames) for event in e.heard(FramesRecorded)) >= count)
    return [frame for event in e.heard(FramesRecorded) for frame in event.frames]


async def test_the_frames_of_both_directions_are_kept_as_they_were() -> None:
    async with edge() as e, e.station() as station:
        answer = await station.call("Heartbeat", {}, "7")
        await station.send("no JSON")
        first, second, third = await frames(e, 3)

        assert [(one.station_id, one.direction) for one in (first, second, third)] == [
            ("CS1", "in"), ("CS1", "out"), ("CS1", "in"),
        ]  # fmt: skip
        assert (first.text, orjson.loads(second.text), third.text) == (BEAT, answer, "no JSON")
        assert first.at <= second.at <= third.at


async def test_no_frames_are_kept_where_the_settings_say_so() -> None:
    async with edge(frame_log=False) as e, e.station() as station:
        await station.silent()
        e.communication._recorder.flush()
        await asyncio.sleep(0.05)

        assert e.heard(FramesRecorded) == []


async def test_what_cannot_be_stored_is_replaced_and_what_is_endless_is_cut() -> None:
    async with edge() as e, e.raw() as socket:
        socket.send('[2,"\0","A"')
        socket.send(BEAT + " " * 100_000)
        first, *_, last = await frames(e, 3)

        assert first.text == '[2,"\ufffd","A"'
        assert len(last.text) <= 64 * 1024


@pytest.mark.parametrize("version", Version)
async def test_a_password_that_a_station_is_told_is_in_no_frame(version: Version) -> None:
    name = "AuthorizationKey" if version is Version.V16 else "BasicAuthPassword"
    changes = tuple(
        VariableChange(component="C", name=one, value=value) for one, value in (("A", "1"), (name, CANARY), ("B", "2"))
    )
    async with edge() as e, e.station(version) as station:
        telling = e.telling(SetVariables(variables=changes))
        for _ in range(3 if version is Version.V16 else 1):
            await station.answer()
        await telling
        kept = await frames(e, 2)

        text = "".join(one.text for one in kept)
        assert name in text
        assert "c4n4ry" not in text
        assert '"1"' in text
        assert '"2"' in text


async def test_the_credentials_in_an_address_are_in_no_frame() -> None:
    async with edge() as e, e.station() as station:
        location = "sftp://user:c4n4ry@files.example/logs"
        telling = e.telling(GetLog(location=location, request_id=1))
        await station.answer({})
        await telling
        call, _ = await frames(e, 2)

        assert "sftp://***@files.example/logs" in call.text


async def test_a_network_profiles_secrets_are_in_no_frame() -> None:
    data = {
        "ocppInterface": "Wired0", "ocppTransport": "JSON", "messageTimeout": 30, "ocppCsmsUrl": "wss://x",
        "securityProfile": 1, "basicAuthPassword": "c4n4ry" * 3,
        "apn": {"apn": "a", "apnAuthentication": "PAP", "apnPassword": "c4n4ry"},
        "vpn": {"server": "v", "user": "u", "password": "c4n4ry", "key": "c4n4ry", "type": "IPSec"},
    }  # fmt: skip
    async with edge() as e, e.station(Version.V21) as station:
        command = RawCall(action="SetNetworkProfile", payload={"configurationSlot": 1, "connectionData": data})
        telling = e.telling(command)
        await station.answer()
        await telling
        call, _ = await frames(e, 2)

        assert "c4n4ry" not in call.text
        assert "Wired0" in call.text


@pytest.mark.parametrize(
    "text",
    [
        '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"c4n4ry"}]}]',
        '[3,"1",{"configurationKey":[{"value":"c4n4ry","key":"authorizationkey","readonly":false}]}]',
        r'[2,"1","ChangeConfiguration",{"key":"Authorizatio\u006eKey","value":"c4n4ry"}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"c4n4',
        '[2,"1","SetVariables",{"setVariableData":[{"attributeValue":"c4n4ry","variable":{"name":"BASICAUTHPASSWORD"}}]}]',
        '[2,"1","NotifyReport",{"reportData":[{"variable":{"name":"BasicAuthPassword"},'
        '"variableAttribute":[{"type":"Target"},{"value":"c4n4ry"}]}]}]',
        '[2,"1","NotifyEvent",{"eventData":[{"actualValue":"c4n4ry","variable":{"name":"basicAuthPassword"}}]}]',
        '[2,"1","A",{"location":"ftp://u:c4n4ry@h/"}]',
        r'[2,"1","A",{"location":"ftp:\/\/u:c4n4ry@h\/"}]',
        '[2,"1","A",{"location":"HTTPS://u:p@c4n4ry@h/"}]',
        r'[2,"1","A",{"location":"ftp://me:s3\"c4n4ry@files"}]',
        r'[2,"1","A",{"location":"ftp:\/\/me:\\\"c4n4ry\\@files\/x"}]',
        r'[2,"1","A",{"location":"ftp://me:\u0416c4n4ry@files"}]',
        r'[2,"1","A",{"location":"ftp://u:c4n4ry\"@a/ ftps://u\":c4n4ry@b","other":"sftp://\"c4n4ry@c"}]',
        r'[2,"1","DataTransfer",{"data":"{\"location\":\"ftp://me:s3\\\"c4n4ry@files\"}"}]',
        r'[2,"1","DataTransfer",{"data":"{\"location\":\"ftp:\\\/\\\/me:\\\\c4n4ry\u20ac\\u20ac@files\"}"}]',
        r"no JSON: ftp://me:\"c4n4ry\@files",
        f'[2,"1","A",{{"basicAuthPassword":"c4n4ry","a":{"[" * 2000}{"]" * 2000}}}]',
    ],
)
def test_no_spelling_of_a_secret_gets_through(text: str) -> None:
    assert "c4n4ry" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        BEAT,
        '[2,"7","A",{"mail":"someone@example.org"}]',
        '[2,"7","A",{"url":"https://example.org/a@b"}]',
        '[2,"7","DataTransfer",{"key":"value"}]',
        '[2,"7","A",{"url":"https://example.org","mail":"someone@example.org"}]',
        r'[2,"7","A",{"url":"https://example.org\\","mail":"someone@example.org"}]',
        r'[2,"7","A",{"url":"https:\/\/example.org\/a@b"}]',
        r'[2,"7","A",{"text":"see https://example.org\nor someone@example.org"}]',
        r'[2,"7","A",{"data":"{\"url\":\"https://example.org\",\"mail\":\"someone@example.org\"}"}]',
        r'[2,"7","A",{"data":"{\"url\":\"https://example.org\\\\\",\"mail\":\"someone@example.org\"}"}]',
        '[2,"7","NotifyReport",{"reportData":[{"variable":{"name":"PasswordLength"},"variableAttribute":[{"value":"9"}]}]}]',
    ],
)
def test_a_frame_without_secrets_stays_as_it_is(text: str) -> None:
    assert redacted(text) == text


def test_of_two_addresses_each_is_masked_and_what_is_between_and_after_them_stays() -> None:
    text = r'[2,"1","A",{"a":"ftp://u:\"p@one/x@y","b":"\"z@","c":"sftp:\/\/v:\\@two","mail":"someone@example.org"}]'
    shown = r'[2,"1","A",{"a":"ftp://***@one/x@y","b":"\"z@","c":"sftp:\/\/***@two","mail":"someone@example.org"}]'
    assert redacted(text) == shown


@pytest.mark.parametrize("part", ["ftp://", r"ftp://\"", r"\"", r"\\\"", r'"ftp://\\\"', "a:", "a@", r"\@", "ftp://u@"])
def test_a_frame_of_900_kb_is_looked_through_at_once(part: str) -> None:
    """It is done where the frames of every other station wait."""
    began = time.process_time()
    redacted("@ftp://" + part * (900_000 // len(part)))
    assert time.process_time() - began < 1.0


async def test_frames_beyond_what_may_wait_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("communication_service.recorder._WAITING_BYTES", 200)
    async with edge() as e, e.station() as station:
        gate = e.modules.hold("events")
        before = e.metric("strum_ocpp_frames_dropped_total")
        for _ in range(10):
            await station.silent()
            e.communication._recorder.flush()
        dropped = e.metric("strum_ocpp_frames_dropped_total") - before
        gate.set()

        assert 10 <= dropped < 20, "the first ones were kept"
        await frames(e, int(20 - dropped))


async def test_frames_that_no_queue_takes_are_counted_as_dropped() -> None:
    async with edge() as e, e.station() as station:
        before = e.metric("strum_ocpp_frames_dropped_total")
        with pytest.raises(Unroutable):
            await asyncio.gather(*(e.bus.probe("nobody", shard) for shard in range(e.bus.limits.shards)))
        await station.silent()
        await until(lambda: e.metric("strum_ocpp_frames_dropped_total") == before + 2)


async def test_signs_of_life_are_told_on_though_one_time_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("communication_service.recorder._FLUSH_S", 0.01)
    monkeypatch.setattr("communication_service.recorder._SEEN_S", 0.01)
    failed = asyncio.Event()

    def fail(*_: object) -> None:
        failed.set()
        raise RuntimeError("nobody thought of this")

    async with edge() as e:
        with monkeypatch.context() as broken:
            broken.setattr(e.communication._recorder, "_flush_frames", fail)
            await asyncio.wait_for(failed.wait(), 5)
        told = len(e.heard(StationsSeen))
        await e.hears(StationsSeen, told + 2)


async def test_signs_of_life_go_through_every_shard_in_turn() -> None:
    """Else a pod would count as dead now and then while one of four queues is full or gone."""
    async with edge() as e:
        recorder = Recorder(e.bus, "another pod", keep_frames=False)
        for _ in range(8):
            recorder.flush()

        def sent() -> list[Envelope]:
            seen = [envelope for envelope in e.modules.events if envelope.key == StationsSeen.key]
            return [envelope for envelope in seen if envelope.read(StationsSeen).pod_id == "another pod"]

        await until(lambda: len(sent()) == 8)
        assert sorted(shard_of(envelope, 4) for envelope in sent()) == [0, 0, 1, 1, 2, 2, 3, 3]
