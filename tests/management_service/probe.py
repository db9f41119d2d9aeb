"""A module with nothing but what tests of the host need: notes by the API and by events.

The text of a note says what is to happen: `bad` cannot be stored, `kill` loses the database's connection once,
`hang` never returns (`hang once`: the first time), `slow` takes 0.1 s, `40001` and other codes are what the database
raises once.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, JsonValue
from sqlalchemy import Column, Identity, Integer, MetaData, Table, Text, insert, select, text, update
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from modules import catalogue
from modules.kernel.errors import Conflict, NotFound, PreconditionFailed, Unavailable
from modules.kernel.http import Body, Call, Created, NoQuery, Page, Paging, View, delete, get, patch, post
from modules.kernel.module import Module, answer, handle, handle_many
from modules.kernel.scopes import Scope
from modules.kernel.tables import kernel_tables
from modules.kernel.work import AfterCommit, Work
from shared_contracts.bus import NoHandler
from shared_contracts.message import Event, Reply, Request
from tests.harness import Running, running

metadata = MetaData(schema="probe")
kernel_tables(metadata)
notes = Table(
    "notes",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("text", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)


class Noted(Event):
    key: ClassVar[str] = "probe.noted.v1"
    station_id: str = "CS1"
    text: str | None


class ManyNoted(Event):
    key: ClassVar[str] = "probe.many_noted.v1"
    station_id: str = "CS1"
    text: str | None


class Copied(Event):
    key: ClassVar[str] = "probe.copied.v1"
    station_id: str = "CS1"
    text: str


class Answered(Reply):
    text: str = ""


class Ask(Request[Answered]):
    key: ClassVar[str] = "probe.ask.v1"
    text: str = ""


class AskNobody(Request[Answered]):
    key: ClassVar[str] = "nobody.ask.v1"


class NewNote(Body):
    text: Annotated[str, Field(min_length=1, max_length=2_000_000)]
    number: int = 0
    more: dict[str, JsonValue] = {}


class NoteChange(Body):
    text: str


class NoteView(View):
    id: int
    text: str
    revision: int


class NoteFilter(Paging):
    tags: list[str] = []


class Probe:
    """What the handlers did, beyond the database."""

    killed: ClassVar[set[str]] = set()
    answered: ClassVar[int] = 0


async def _store(work: Work, note: str | None) -> None:
    if note == "bad":
        raise ValueError("cannot be stored")
    if note is not None and note.startswith("kill") and note not in Probe.killed:
        Probe.killed.add(note)
        await work.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    if note is not None and note.startswith("hang") and note not in Probe.killed:
        if note == "hang once":
            Probe.killed.add(note)
        await asyncio.Event().wait()
    if note is not None and note.startswith("slow"):
        await asyncio.sleep(0.1)
    await _raise(work, note)
    await work.execute(insert(notes).values(text=note))


async def _raise(work: Work, code: str | None) -> None:
    if code is not None and re.fullmatch(r"[0-9][0-9A-Z]{4}", code) and code not in Probe.killed:
        Probe.killed.add(code)
        await work.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '{code}'; END $$"))


async def note(event: Noted, work: Work) -> None:
    """Stored, and said again."""
    work.publish(Copied(text=event.text or ""))
    await _store(work, event.text)


async def note_many(events: Sequence[ManyNoted], work: Work) -> None:
    """Stored at once."""
    for event in events:
        if event.text is not None and event.text.startswith("say"):
            work.publish(Copied(station_id=event.station_id, text=event.text))
    await work.execute(insert(notes).values([{"text": event.text} for event in events]))


async def respond(request: Ask, work: Work) -> Answered:
    """The text says how."""
    match request.text:
        case "refuse":
            raise Conflict("no")
        case "break":
            raise RuntimeError("a secret")
        case "kill":
            await work.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    await _raise(work, request.text)
    return Answered(text=request.text)


async def list_notes(call: Call[NoteFilter, None], work: Work) -> Page[NoteView]:
    """List notes."""
    statement = select(notes).order_by(notes.c.id)
    if call.query.tags:
        statement = statement.where(notes.c.text.in_(call.query.tags))
    return Page[NoteView](items=[NoteView(**row) for row in (await work.execute(statement)).mappings()])


async def add_note(call: Call[NoQuery, NewNote], work: Work) -> Created[NoteView]:
    """Add a note."""
    if call.body.text == "break":
        raise RuntimeError("a secret")
    await work.execute(select(notes).where(notes.c.id == call.body.number))
    statement = insert(notes).values(text=call.body.text).returning(*notes.c)
    view = NoteView(**(await work.execute(statement)).mappings().one())
    work.publish(Copied(text=call.body.text))
    return Created(view, f"/notes/{view.id}")


_OUR_TROUBLE: Mapping[str, Exception] = {
    "away": NoHandler("another module"),
    "busy": Unavailable("not now"),
    "crowded": PoolTimeoutError("no connection is free"),
    "lost": ConnectionResetError("the database's"),
}


async def add_later(call: Call[NoQuery, NewNote], work: Work) -> AfterCommit[NoteView]:
    """Add a note, then answer."""
    created = await add_note(call, work)

    async def answer_() -> NoteView:
        Probe.answered += 1
        if call.body.text == "refuse":
            raise Conflict("no", reason="because")
        if call.body.text in _OUR_TROUBLE and Probe.answered == 1:
            raise _OUR_TROUBLE[call.body.text]
        return created.view

    return AfterCommit(answer_)


async def _find(work: Work, note_id: str) -> NoteView:
    row = (await work.execute(select(notes).where(notes.c.text == note_id))).mappings().first()
    if row is None:
        raise NotFound(note_id=note_id)
    return NoteView(**row)


async def get_note(call: Call[NoQuery, None], work: Work) -> NoteView:
    """Show a note."""
    return await _find(work, call.path["note"])


async def change_note(call: Call[NoQuery, NoteChange], work: Work) -> NoteView:
    """Change a note."""
    found = await _find(work, call.path["note"])
    if call.if_match not in {None, found.revision}:
        raise PreconditionFailed(revision=found.revision)
    changed = {"text": call.body.text, "revision": found.revision + 1}
    await work.execute(update(notes).where(notes.c.id == found.id).values(changed))
    return found.model_copy(update=changed)


async def remove_note(call: Call[NoQuery, None], work: Work) -> None:
    """Remove a note."""
    found = await _find(work, call.path["note"])
    await work.execute(notes.delete().where(notes.c.id == found.id))


async def ask_nobody(call: Call[NoQuery, None], work: Work) -> NoteView:
    """Ask a module that is not there."""
    await work.ask(AskNobody())
    raise AssertionError


async def open_to_all(call: Call[NoQuery, None], work: Work) -> Page[NoteView]:
    """Show nothing."""
    return Page[NoteView](items=[])


module = Module(
    name="probe",
    tables=metadata,
    routes=(
        get("/open", open_to_all, None),
        get("/notes", list_notes, Scope.STATIONS_READ),
        post("/notes", add_note, Scope.STATIONS_WRITE, status=201),
        post("/notes/later", add_later, Scope.STATIONS_WRITE),
        get("/notes/{note}", get_note, Scope.STATIONS_READ),
        patch("/notes/{note}", change_note, Scope.STATIONS_WRITE),
        delete("/notes/{note}", remove_note, Scope.STATIONS_WRITE),
        get("/nobody", ask_nobody, Scope.STATIONS_READ),
    ),
    handlers=(handle(Noted, note), handle_many(ManyNoted, note_many), answer(Ask, respond)),
)


@asynccontextmanager
async def probing(database: str, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> AsyncIterator[Running]:
    """The host with this module alone."""
    await prepare(database, monkeypatch)
    async with running(database, "probe", **settings) as strum:
        yield strum


async def prepare(database: str, monkeypatch: pytest.MonkeyPatch, probe: Module = module) -> None:
    """Put the module in the place of all others; its tables are made where they are not there."""
    monkeypatch.setattr(catalogue, "NAMES", ("probe",))
    monkeypatch.setattr(catalogue, "load", lambda name: {"probe": probe}[name])
    Probe.killed.clear()
    Probe.answered = 0
    await execute(database, "CREATE SCHEMA IF NOT EXISTS probe")
    engine = create_async_engine(database)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


async def execute(database: str, statement: str, **values: Any) -> list[Any]:
    """Run one statement on a connection of its own; returns its rows."""
    engine = create_async_engine(database)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        await engine.dispose()


async def texts(database: str) -> list[str]:
    """The notes, in the order in which they were stored."""
    return [row[0] for row in await execute(database, "SELECT text FROM probe.notes ORDER BY id")]
