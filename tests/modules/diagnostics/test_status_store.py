"""What every status store promises: the same tests for PostgreSQL and for Azure Table Storage (Azurite)."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from modules.diagnostics.azure_table import AzureStatusStore, escaped
from modules.diagnostics.domain import MOST_NUMBERED
from modules.diagnostics.status_store import PostgresStatusStore, StatusStore
from tests.modules.diagnostics.said import NOW, a_status, hosted
from tests.services.azurite import NodeMissing, PrivateAzurite


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAzurite]:
    server = PrivateAzurite(tmp_path_factory.mktemp("azurite"))
    try:
        server.start_blocking()
    except NodeMissing as missing:
        pytest.skip(str(missing))
    yield server
    server.stop_blocking()


@pytest.fixture
async def postgres_store(database: str) -> AsyncIterator[StatusStore]:
    async with hosted(database) as context:
        yield PostgresStatusStore(context)


@pytest.fixture
async def azure_stores(azurite: PrivateAzurite) -> AsyncIterator[tuple[StatusStore, StatusStore]]:
    table = f"t{secrets.token_hex(8)}"
    one, other = (AzureStatusStore(azurite.connection_string, table) for _ in range(2))
    yield one, other
    await one.close()
    await other.close()


@pytest.fixture(params=["postgres", "azure"])
def store(request: pytest.FixtureRequest) -> StatusStore:
    if request.param == "azure":
        return request.getfixturevalue("azure_stores")[0]
    return request.getfixturevalue("postgres_store")


async def test_what_was_put_is_found(store):
    status = a_status(text="ü \u2028 '\"\\", number=1.5, nothing=None, list=[1, {"a": True}])
    await store.put([status])
    assert await store.of_station("CS-1") == [status]


async def test_a_station_without_statuses_has_none(store):
    assert await store.of_station("CS-1") == []
    assert await store.page(kind=None, state=None, after=None, limit=10) == []


async def test_a_newer_status_replaces_an_older(store):
    await store.put([a_status(version=1, state="available", info="x")])
    await store.put([a_status(version=2, state=None)])
    assert await store.of_station("CS-1") == [a_status(version=2, state=None)]


async def test_a_late_status_never_replaces_a_newer(store):
    await store.put([a_status(version=2)])
    await store.put([a_status(version=1), a_status(item="meter:1", version=1)])
    assert [(status.item, status.version) for status in await store.of_station("CS-1")] == [
        ("connector:1:1", 2),
        ("meter:1", 1),
    ]


async def test_the_same_status_again_changes_nothing(store):
    await store.put([a_status(version=2)])
    await store.put([a_status(version=2)])
    assert await store.of_station("CS-1") == [a_status(version=2)]


async def test_of_one_version_the_later_status_replaces_the_earlier(store):
    early, late = a_status(version=2), replace(a_status(version=2, state=None), observed_at=NOW + timedelta(hours=1))
    for status in (early, late, early):
        await store.put([status])
    assert await store.of_station("CS-1") == [late]


@pytest.mark.parametrize(("reason", "shown"), [("pod_silent", "connected"), ("", "disconnected")])
async def test_an_end_that_the_release_before_concluded_from_silence_is_overtaken(store, reason, shown):
    """It stored such an end with the version of a real one."""
    ended = a_status(item="station", version=17, state="disconnected", reason=reason)
    heard = a_status(item="station", version=16, state="connected")
    await store.put([ended])
    await store.put([heard])
    await store.put([replace(heard, observed_at=ended.observed_at + timedelta(hours=1))])
    assert [status.state for status in await store.of_station("CS-1")] == [shown]


async def test_versions_have_64_bits(store):
    await store.put([a_status(version=1), a_status(item="station", version=2**31)])
    largest = a_status(version=1)
    await store.put([type(largest)("CS-1", "x", None, largest.observed_at, 2**63 - 1, {})])
    assert [status.version for status in await store.of_station("CS-1")] == [1, 2**31, 2**63 - 1]


async def test_the_newest_wins_among_writers_at_the_same_time(store):
    await asyncio.gather(*(store.put([a_status(version=version)]) for version in (3, 5, 1, 4, 2)))
    (status,) = await store.of_station("CS-1")
    assert status.version == 5


async def test_a_station_may_have_hundreds_of_items(store):
    statuses = [a_status(item=f"connector:{number}:1", version=number) for number in range(1, 251)]
    await store.put(statuses)
    await store.put([a_status(item="connector:250:1", version=999)])
    found = await store.of_station("CS-1")
    assert len(found) == 250
    assert max(status.version for status in found) == 999


async def test_a_station_that_invents_connectors_has_no_more_statuses_than_there_can_be(store):
    rest = [a_status(item=item) for item in ("firmware", "last_seen", "log", "station")]
    invented = [a_status(item=f"connector:{number}:1") for number in range(1000, 1000 + MOST_NUMBERED + 50)]
    await store.put([*rest, a_status(item="connector:1:1"), a_status("CS-2")])
    for begin in range(0, len(invented), 100):
        await store.put(invented[begin : begin + 100])
    await store.put([*invented, *rest, a_status("CS-2", "meter:9"), a_status(item="connector:1:1", version=2)])

    found = await store.of_station("CS-1")
    assert len(found) == MOST_NUMBERED + len(rest)
    assert a_status(item="connector:1:1", version=2) in found
    assert found[-1].item == "station"
    assert len(await store.of_station("CS-2")) == 2


@pytest.mark.parametrize("most", [5, 300])
async def test_of_a_station_that_has_more_only_so_many_are_shown(store, monkeypatch, most):
    """As of one that the release before let have any number."""
    monkeypatch.setattr(f"{type(store).__module__}.MOST_STATUSES", most)
    await store.put([a_status(item=f"connector:{number}:1") for number in range(10)])
    assert len(await store.of_station("CS-1")) == min(10, most)


@pytest.mark.parametrize("station_id", ["a/b\\c#d?e", "%41 %", "ü'\"_", "CS_41", "\U0001f600\x7f"])
async def test_any_name_is_a_station_of_its_own(store, station_id):
    status = a_status(station_id=station_id, item="connector:1:1")
    await store.put([status, a_status(station_id="A"), a_status(station_id="CSA")])
    assert await store.of_station(station_id) == [status]
    assert status in await store.page(kind=None, state=None, after=None, limit=10)


async def test_pages_cover_every_status_once(store):
    statuses = [a_status(f"CS {station}", f"meter:{item}") for station in range(3) for item in range(3)]
    await store.put(statuses)
    seen, after = [], None
    while page := await store.page(kind=None, state=None, after=after, limit=2):
        assert len(page) <= 2
        seen += page
        after = page[-1].station_id, page[-1].item
    assert sorted(seen, key=repr) == sorted(statuses, key=repr)
    assert [status.station_id for status in seen] == sorted(status.station_id for status in statuses)


async def test_a_page_may_be_of_one_kind_and_state(store):
    faulted = a_status("CS-1", "connector:1:1", state="faulted")
    others = [a_status("CS-2", state="available"), a_status("CS-3", "connectors", state="faulted")]
    await store.put([faulted, *others, a_status("CS-4", "connector", state="it's")])
    assert await store.page(kind="connector", state="faulted", after=None, limit=10) == [faulted]
    assert [status.station_id for status in await store.page(kind=None, state="it's", after=None, limit=10)] == ["CS-4"]
    assert await store.page(kind="connector", state="faulted", after=("CS-1", "connector:1:1"), limit=10) == []


async def test_what_is_known_of_a_station_up_to_a_moment_is_removed(store):
    late = a_status(item="meter:1", version=9)
    many = [a_status(item=f"connector:{number}:1", version=1) for number in range(150)]
    await store.put([late, *many, a_status("CS-2")])

    await store.remove("CS-1", many[0].observed_at)
    await store.remove("CS-3", many[0].observed_at)

    assert await store.of_station("CS-1") == [late]
    assert len(await store.of_station("CS-2")) == 1


async def test_two_processes_keep_the_newest_in_azure(azure_stores):
    one, other = azure_stores
    for version in range(1, 9, 2):
        await asyncio.gather(one.put([a_status(version=version)]), other.put([a_status(version=version + 1)]))
    assert [status.version for status in await one.of_station("CS-1")] == [8]


async def test_a_write_that_was_overtaken_after_it_compared_is_compared_again(azure_stores, monkeypatch):
    one, other = azure_stores
    await one.put([a_status(version=1)])
    submit = one._submit

    async def overtaken(operations):
        monkeypatch.setattr(one, "_submit", submit)
        await other.put([a_status(version=3)])
        return await submit(operations)

    monkeypatch.setattr(one, "_submit", overtaken)
    await one.put([a_status(version=2), a_status(item="meter:1", version=2)])
    assert [(each.item, each.version) for each in await one.of_station("CS-1")] == [
        ("connector:1:1", 3),
        ("meter:1", 2),
    ]


async def test_a_status_that_is_written_while_its_station_is_removed_stays_in_azure(azure_stores, monkeypatch):
    one, other = azure_stores
    await one.put([a_status(version=1), a_status(item="meter:1", version=1)])
    submit = one._submit

    async def overtaken(operations):
        monkeypatch.setattr(one, "_submit", submit)
        await other.put([a_status(version=9)])
        return await submit(operations)

    monkeypatch.setattr(one, "_submit", overtaken)
    await one.remove("CS-1", a_status(version=1).observed_at)
    assert [each.version for each in await one.of_station("CS-1")] == [9]


def test_escaped_keys_have_no_character_that_azure_refuses():
    names = ["a/b", "a\\b", "a#b", "a?b", "a\x1fb", "a\x7fb", "a\x85b", "a%b", "a_b", "a_2fb"]
    keys = [escaped(name) for name in names]
    assert len(set(keys)) == len(names)
    assert all(
        character.isascii() and (character.isalnum() or character in "_.-:") for key in keys for character in key
    )
