"""The status store in Azure Table Storage: a partition per station, an entity per item.

A write replaces an entity only if it is the one that was compared (ETag), so a late write never overwrites a newer,
whichever process makes it. The SDK repeats what fails with 5xx or a broken connection, with exponential back-off.
"""

import asyncio
import string
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import EdmType, EntityProperty, TableEntity, TableTransactionError, UpdateMode
from azure.data.tables.aio import TableServiceClient

from modules.diagnostics.domain import MOST_NUMBERED, MOST_STATUSES, Status
from modules.diagnostics.status_store import kind_of
from shared_contracts.stations import POD_SILENT

_AT_ONCE = 100  # entities in a transaction, the service's limit
_STATIONS_AT_ONCE = 16
_ATTEMPTS = 5
_PLAIN = frozenset((string.ascii_letters + string.digits + ".-:").encode())
_KEYS = ("PartitionKey", "RowKey")
_STATION = "station"
_CONFLICTS = frozenset({404, 409, 412})


class StatusContended(Exception):
    """Other processes kept changing the same statuses; the write may be tried again."""


class AzureStatusStore:
    """Implements `StatusStore`. The table is made when it is first needed, if it is missing."""

    def __init__(self, connection_string: str, table: str) -> None:
        self._service = TableServiceClient.from_connection_string(
            connection_string, retry_total=3, retry_backoff_factor=0.4, connection_timeout=5, read_timeout=15
        )
        self._table = self._service.get_table_client(table)
        self._name = table
        self._is_made = False
        self._places = asyncio.Semaphore(_STATIONS_AT_ONCE)

    async def put(self, statuses: Sequence[Status]) -> None:
        """One read and one transaction for each hundred items of a station; stations side by side."""
        await self._make_table()
        ordered = sorted(statuses, key=lambda status: status.station_id)
        async with asyncio.TaskGroup() as stations:
            for station_id, items in groupby(ordered, key=lambda status: status.station_id):
                stations.create_task(self._put_station(station_id, list(items)))

    async def remove(self, station_id: str, before: datetime) -> None:
        """One read, and one transaction for each hundred items."""
        await self._make_table()
        for _ in range(_ATTEMPTS):
            kept = [entity async for entity in self._partition(station_id, [*_KEYS, "ObservedAt"])]
            old = [entity for entity in kept if datetime.fromisoformat(entity["ObservedAt"]) <= before]
            removed = [
                await self._submit([("delete", entity, _unchanged(entity)) for entity in old[begin : begin + _AT_ONCE]])
                for begin in range(0, len(old), _AT_ONCE)
            ]
            if all(removed):
                return
        raise StatusContended(station_id)

    async def of_station(self, station_id: str) -> list[Status]:
        """The begin of one partition."""
        await self._make_table()
        found = self._table.query_entities(_of(station_id), results_per_page=MOST_STATUSES)
        return [_status(entity) async for entity in _first(found, MOST_STATUSES)]

    async def page(
        self, *, kind: str | None, state: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[Status]:
        """Read in the order of the keys, filtered by the service."""
        await self._make_table()
        station, item = map(escaped, after or ("", ""))
        asked = f"(PartitionKey gt '{station}' or (PartitionKey eq '{station}' and RowKey gt '{item}'))"
        asked += "" if kind is None else f" and Kind eq {_quoted(kind)}"
        asked += "" if state is None else f" and State eq {_quoted(state)}"
        found = self._table.query_entities(asked, results_per_page=limit)
        return [_status(entity) async for entity in _first(found, limit)]

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def _make_table(self) -> None:
        if not self._is_made:
            await self._service.create_table_if_not_exists(self._name)
            self._is_made = True

    async def _put_station(self, station_id: str, statuses: Sequence[Status]) -> None:
        async with self._places:
            for begin in range(0, len(statuses), _AT_ONCE):
                await self._put_newer(station_id, statuses[begin : begin + _AT_ONCE])

    async def _put_newer(self, station_id: str, statuses: Sequence[Status]) -> None:
        compared = ["RowKey", "Version", "ObservedAt"]
        compared += ["Body"] if any(status.item == _STATION for status in statuses) else []
        for _ in range(_ATTEMPTS):
            kept = {entity["RowKey"]: entity async for entity in self._partition(station_id, compared)}
            operations = _operations(statuses, kept)
            if not operations or await self._submit(operations):
                return
        raise StatusContended(station_id)

    async def _submit(self, operations: list[Any]) -> bool:
        """Whether all was as it had been read."""
        try:
            await self._table.submit_transaction(operations)
        except TableTransactionError as error:
            if error.status_code not in _CONFLICTS:
                raise
            return False
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            return False
        return True

    def _partition(self, station_id: str, select: list[str] | None = None) -> AsyncIterator[TableEntity]:
        return self._table.query_entities(_of(station_id), select=select)


async def _first(found: AsyncIterator[TableEntity], limit: int) -> AsyncIterator[TableEntity]:
    count = 0
    async for entity in found:
        yield entity
        count += 1
        if count == limit:
            return


def _of(station_id: str) -> str:
    """As OData asks for the entities of a station."""
    return f"PartitionKey eq '{escaped(station_id)}'"


def escaped(name: str) -> str:
    """A key of letters, digits, dots, dashes and colons: other bytes are `_` and two hexadecimal digits."""
    return "".join(chr(byte) if byte in _PLAIN else f"_{byte:02x}" for byte in name.encode())


def _quoted(text: str) -> str:
    """A literal of OData."""
    return "'" + text.replace("'", "''") + "'"


def _operations(statuses: Iterable[Status], kept: Mapping[str, TableEntity]) -> list[Any]:
    """What to do with each; new numbered items are taken while there is room for them."""
    room = MOST_NUMBERED - sum(":" in key for key in kept)
    operations = []
    for status in statuses:
        there = kept.get(escaped(status.item))
        if there is None and status.is_numbered:
            room -= 1
            if room < 0:
                continue
        if step := _operation(status, there):
            operations.append(step)
    return operations


def _operation(status: Status, kept: TableEntity | None) -> Any:
    """What to do with an entity: create it, replace the one that was read, or (None) leave it."""
    entity = {
        "PartitionKey": escaped(status.station_id),
        "RowKey": escaped(status.item),
        "StationId": status.station_id,
        "Item": status.item,
        "Kind": kind_of(status.item),
        "ObservedAt": status.observed_at.isoformat(),
        "Version": EntityProperty(status.version, EdmType.INT64),
        "Body": orjson.dumps(status.body).decode(),
    }
    if status.state is not None:
        entity["State"] = status.state
    if kept is None:
        return "create", entity
    if _order(kept) >= status.order:
        return None
    return "update", entity, {"mode": UpdateMode.REPLACE, **_unchanged(kept)}


def _order(kept: TableEntity) -> tuple[int, datetime]:
    """As of a status. The release before gave an end that was concluded from silence the version of a real one."""
    version, observed_at = kept["Version"].value, datetime.fromisoformat(kept["ObservedAt"])
    if kept["RowKey"] == _STATION and "Body" in kept and orjson.loads(kept["Body"]).get("reason") == POD_SILENT:
        version -= version % 2
    return version, observed_at


def _unchanged(entity: TableEntity) -> dict[str, Any]:
    """The condition that an entity still is the one that was read."""
    return {"etag": entity.metadata["etag"], "match_condition": MatchConditions.IfNotModified}


def _status(entity: Mapping[str, Any]) -> Status:
    return Status(
        entity["StationId"],
        entity["Item"],
        entity.get("State"),
        datetime.fromisoformat(entity["ObservedAt"]),
        entity["Version"].value,
        orjson.loads(entity["Body"]),
    )
