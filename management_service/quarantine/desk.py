"""What an operator may do with what a module set aside."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from pydantic import ValidationError

from management_service.quarantine.domain import Quarantined, State
from management_service.quarantine.errors import AlreadyDealtWith, AuditRecordStays, NoSingleMessage, StandsStill
from management_service.quarantine.store import QuarantineStore
from modules.kernel.errors import InvalidRequest
from modules.kernel.work import Work
from shared_contracts.management import RequestAudited
from shared_contracts.message import Envelope, Event, MalformedBody


class Handling(Protocol):
    """What the desk needs of the module's consumer."""

    def contract_of(self, key: str) -> type[Event] | None:
        """The contract of a key; None where the module takes it unread. KeyError if it does not take it."""
        ...

    async def handle_one(self, work: Work, envelope: Envelope) -> str | None:
        """Handle a message in a savepoint; why it failed, or None."""
        ...

    async def handle_each(self, work: Work, envelopes: Sequence[Envelope]) -> None:
        """Handle messages, each in a savepoint; what fails is set aside."""
        ...


class Desk:
    """The quarantine of one module, and how it is worked on. Rows come locked by the work that changes them."""

    def __init__(self, module: str, store: QuarantineStore, handling: Handling, *, within_s: float) -> None:
        self.module = module
        self.store = store
        self._handling = handling
        self._within_s = within_s

    async def correct(self, work: Work, row: Quarantined, payload: bytes, key: str | None, *, by: str) -> Quarantined:
        """Put another payload in the place of the one that did not fit. The message stays what it is.

        Raises InvalidRequest where this does not fit either, or is to have another key, and AuditRecordStays.
        """
        _demand_waiting(row)
        envelopes = _envelopes_or_none(row)
        if len(envelopes) > 1:
            raise NoSingleMessage("Replay the batch: what fails of it is set aside message by message.")
        key = _key_of(envelopes[0] if envelopes else None, key)
        was = envelopes[0] if envelopes else Envelope(row.own_id, key, row.station_id, row.quarantined_at, b"")
        now = replace(was, key=key, payload=payload, station_id=self._station_in(key, payload, was.station_id))
        return await self.store.change(
            work,
            row,
            by=by,
            key=now.key,
            station_id=now.station_id,
            header=now.header(),
            body=payload,
            original=row.body if row.original is None else row.original,
            failure=None,
        )

    async def replay(self, work: Work, row: Quarantined, *, by: str) -> Quarantined:
        """Handle it again. Its effects and its new state are of one transaction, so that it counts once.

        Raises StandsStill for what does not return: it must not keep the row, or a connection of the API.
        """
        if row.state is State.REPLAYED:
            return row
        _demand_waiting(row)
        envelopes = _envelopes_or_none(row)
        if not envelopes:
            raise NoSingleMessage("This is no message: correct it, or discard it.")
        try:
            async with asyncio.timeout(self._within_s):
                failure = await self._handle(work, row, envelopes)
        except TimeoutError as error:
            raise StandsStill(f"It was not handled within {self._within_s:g} s.") from error
        state = State.REPLAYED if failure is None else State.WAITING
        return await self.store.change(work, row, by=by, state=state, failure=failure)

    async def discard(self, work: Work, row: Quarantined, *, by: str) -> Quarantined:
        """Mark it as not to be handled."""
        if row.state is State.DISCARDED:
            return row
        _demand_waiting(row)
        return await self.store.change(work, row, by=by, state=State.DISCARDED)

    async def _handle(self, work: Work, row: Quarantined, envelopes: Sequence[Envelope]) -> str | None:
        if row.addressee is not None:
            for envelope in envelopes:
                work.send_again(envelope, to_module=row.addressee)
            return None
        if len(envelopes) == 1:
            return await self._handling.handle_one(work, envelopes[0])
        await self._handling.handle_each(work, envelopes)
        return None

    def _station_in(self, key: str, payload: bytes, known: str | None) -> str | None:
        try:
            contract = self._handling.contract_of(key)
        except KeyError:
            raise _unfit_key(f"The module {self.module} does not take {key}.", "is not taken") from None
        if contract is None:
            return known
        try:
            return contract.model_validate_json(payload).station
        except ValidationError as error:
            raise InvalidRequest("The payload does not fit its contract.", errors=_fields(error)) from error


def _key_of(was: Envelope | None, wanted: str | None) -> str:
    """The key of a message, which nobody changes; what is none yet is given one, but never that of an audit record."""
    if was is not None and wanted not in {None, was.key}:
        raise _unfit_key(f"The message is a {was.key}.", "stays as it is")
    key = wanted if was is None else was.key
    if not key:
        raise _unfit_key("Say the key of the message.", "is missing")
    if key == RequestAudited.key:
        raise AuditRecordStays
    return key


def _unfit_key(detail: str, message: str) -> InvalidRequest:
    return InvalidRequest(detail, errors=[{"field": "key", "message": message}])


def _demand_waiting(row: Quarantined) -> None:
    if row.state is not State.WAITING:
        raise AlreadyDealtWith(state=row.state)


def _envelopes_or_none(row: Quarantined) -> list[Envelope]:
    try:
        return row.envelopes()
    except MalformedBody:
        return []


def _fields(error: ValidationError) -> list[dict[str, str]]:
    return [
        {"field": ".".join(("payload", *map(str, item["loc"]))), "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
