"""What waits to be published, and the batches that it leaves in."""

import asyncio
from dataclasses import dataclass, field

from shared_contracts.message import Envelope, new_id, pack


@dataclass(slots=True)
class Waiting:
    """An envelope, and who waits for it to be durable. What is `perishable` is not sent once nobody waits."""

    envelope: Envelope
    size: int
    only: str | None
    future: asyncio.Future[None]
    put_at: float
    perishable: bool = False

    @property
    def given_up(self) -> bool:
        """Whether it is not to be sent any more."""
        return self.perishable and self.future.done()


@dataclass(slots=True)
class Batch:
    """What goes out in one body. `only` is the one consumer it is for, `keys` the distinct keys in it."""

    shard: int
    only: str | None
    keys: set[str]
    waiting: list[Waiting]
    id: str = field(default_factory=new_id)
    _body: bytes | None = None

    @property
    def given_up(self) -> bool:
        """Whether it is not to be sent any more. All in it is perishable, or nothing is."""
        return self.waiting[0].given_up

    @property
    def envelopes(self) -> tuple[Envelope, ...]:
        """The envelopes in their order."""
        return tuple(item.envelope for item in self.waiting)

    @property
    def body(self) -> bytes:
        """The packed bytes, made once, so that a retry is the same to the byte."""
        if self._body is None:
            self._body = pack([item.envelope for item in self.waiting])
        return self._body
