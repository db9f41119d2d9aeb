"""The frame log over HTTP."""

from datetime import timedelta

import orjson

from shared_contracts.stations import Frame, FramesRecorded
from tests.harness import running
from tests.modules.diagnostics.said import NOW

FRAMES = "/charging-stations/CS-1/frames"
TEXTS = ('[2,"1","Heartbeat",{}]', '[3,"1",{"currentTime":"x"}]', '[2,"2","MeterValues",{"ü":"100%_\\"}]')


def frame(number: int, *, station_id: str = "CS-1", text: str | None = None) -> Frame:
    direction = ("in", "out")[number % 2]
    at = NOW + timedelta(seconds=number)
    return Frame(station_id=station_id, direction=direction, at=at, text=text or TEXTS[number % 3])


def recorded(count: int = 6) -> FramesRecorded:
    return FramesRecorded(frames=(*map(frame, range(count)), frame(9, station_id="CS-2")))


async def test_frames_of_a_station_are_listed_newest_first_in_pages(database):
    async with running(database, "diagnostics") as strum:
        await strum.publish(recorded(5), recorded(0))
        seen, query = [], {"limit": 2}
        while query:
            code, page = await strum.api().get(FRAMES, **query)
            assert code == 200
            seen += page["items"]
            query = {"limit": 2, "cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert [item["text"] for item in seen] == [frame(number).text for number in (4, 3, 2, 1, 0)]
    assert [item["direction"] for item in seen] == ["in", "out", "in", "out", "in"]


async def test_frames_of_the_same_moment_are_all_listed(database):
    async with running(database, "diagnostics") as strum:
        await strum.publish(FramesRecorded(frames=(frame(1),) * 5))
        _, first = await strum.api().get(FRAMES, limit=3)
        _, second = await strum.api().get(FRAMES, limit=3, cursor=first["next_cursor"])
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (3, 2, None)


async def test_frames_are_chosen_by_direction_text_and_time(database):
    cases = [
        ({"direction": "in"}, [4, 2, 0]),
        ({"contains": "meterVALUES"}, [5, 2]),
        ({"contains": "100%_\\"}, [5, 2]),
        ({"contains": "100_"}, []),
        ({"since": NOW + timedelta(seconds=4)}, [5, 4]),
        ({"until": NOW + timedelta(seconds=2)}, [1, 0]),
    ]
    async with running(database, "diagnostics") as strum:
        await strum.publish(recorded())
        for query, expected in cases:
            code, page = await strum.api().get(FRAMES, **query)
            moments = [frame(number).at.isoformat().replace("+00:00", "Z") for number in expected]
            assert (code, [item["at"] for item in page["items"]]) == (200, moments), query


async def test_frames_are_exported_as_ndjson_and_as_text(database):
    broken = frame(7, text='[2,"3",\r\n"X",{}]')
    async with running(database, "diagnostics") as strum:
        await strum.publish(FramesRecorded(frames=(frame(0), broken)))
        _, ndjson = await strum.api().get(f"{FRAMES}/export")
        _, text = await strum.api().get(f"{FRAMES}/export", format="text")
    assert [orjson.loads(line)["text"] for line in ndjson.splitlines()] == [broken.text, frame(0).text]
    first, second = text.splitlines()
    assert first.endswith(' out [2,"3", "X",{}]')
    assert second.endswith(f" in  {frame(0).text}")


async def test_a_station_without_frames_has_an_empty_log(database):
    async with running(database, "diagnostics") as strum:
        assert await strum.api().get(FRAMES) == (200, {"items": [], "next_cursor": None})
        assert await strum.api().get(f"{FRAMES}/export") == (200, "")
