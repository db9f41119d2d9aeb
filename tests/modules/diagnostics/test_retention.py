"""What goes on when old events have been dropped: who resumes too far back is told so, the rest carries on."""

import pytest
from sqlalchemy import text

from modules.diagnostics import replaying
from shared_contracts.diagnostics import ReplayEvents
from tests.harness import Running, running
from tests.modules.diagnostics.said import connected, hosted, sampled
from tests.modules.diagnostics.test_replaying import REPLAYS, finished, listening


async def drop_up_to(database: str, position: int) -> None:
    """What dropping the weeks up to there does to readers."""
    async with hosted(database) as context, context.work() as work:
        await work.execute(text('DELETE FROM diagnostics.events WHERE "offset" <= :position'), {"position": position})


async def positions(strum: Running) -> list[int]:
    _, page = await strum.api().get("/events")
    return sorted(int(event["position"]) for event in page["items"])


async def stream_status(strum: Running, after: int) -> tuple[int, str]:
    client = strum.api()
    headers = {"Last-Event-ID": str(after)} | client.headers
    async with client.session.get(f"{client.base}/stream", headers=headers) as response:
        is_problem = response.content_type.endswith("json")
        return response.status, (await response.json())["code"] if is_problem else response.content_type


@pytest.mark.parametrize("dropped", ["some", "all"])
async def test_a_client_that_resumes_before_what_is_kept_is_told_so(database: str, dropped: str) -> None:
    async with running(database, "diagnostics") as strum:
        await strum.publish(*(connected() for _ in range(4)))
        first, second, third, last = await positions(strum)
        assert await stream_status(strum, first) == (200, "text/event-stream")
        await drop_up_to(database, second if dropped == "some" else last)
        assert await stream_status(strum, first) == (410, "events_not_kept")
        assert await stream_status(strum, third) == (
            (200, "text/event-stream") if dropped == "some" else (410, "events_not_kept")
        )
        for fresh in (0, last):
            assert await stream_status(strum, fresh) == (200, "text/event-stream")


async def test_a_replay_under_way_ends_with_what_is_kept(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_BATCH", 5)
    monkeypatch.setattr(replaying, "_POLL_S", 3600)  # the service stands still; the test takes its steps
    async with running(database, "diagnostics") as strum:
        got = listening(strum)
        await strum.publish(*(sampled(energy_wh=energy_wh) for energy_wh in range(20)))
        told = await positions(strum)
        await strum.ask(ReplayEvents(to_module="statistics", keys=("stations.meters*",)))
        context = strum.management.hosted[0]
        async with context.work() as work:
            assert await replaying.send_next(work)
        await drop_up_to(database, told[14])
        for _ in range(3):
            async with context.work() as work:
                await replaying.send_next(work)
        _, page = await strum.api().get(REPLAYS)
        replay = await finished(strum, page["items"][0]["id"])
        await strum.publish(connected())
    assert (replay["events"], replay["sent"]) == (20, 10)
    assert len(got) == 10
