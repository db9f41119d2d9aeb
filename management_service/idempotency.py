"""Idempotency-Key: the answer to a POST that acts is stored with its effects, and given again to a repeat."""

import hashlib

from aiohttp import web
from sqlalchemy import text

from modules.kernel.errors import Conflict, InvalidRequest
from modules.kernel.scopes import Principal
from modules.kernel.work import Work


class Idempotency:
    """One use of a key. `key` is scoped to the caller and the operation."""

    def __init__(self, schema: str, principal: Principal | None, operation: str, key: str, body: bytes) -> None:
        if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
            raise InvalidRequest(
                "Idempotency-Key has 1 to 255 characters of ASCII.",
                errors=[{"field": "Idempotency-Key", "message": "does not fit"}],
            )
        self._schema = schema
        scoped = f"{principal.user_id if principal else ''}:{operation}:{key}"
        self._key = hashlib.sha256(scoped.encode()).hexdigest()  # a path may be longer than what an index takes
        self._fingerprint = hashlib.sha256(body).hexdigest()

    async def earlier_answer(self, work: Work) -> web.Response | None:
        """Take the key, or return what was answered before; waits for a concurrent first use to commit."""
        taken = await work.execute(
            text(
                f'INSERT INTO "{self._schema}".idempotency (key, fingerprint) VALUES (:key, :fingerprint) '
                "ON CONFLICT DO NOTHING"
            ),
            {"key": self._key, "fingerprint": self._fingerprint},
        )
        if taken.rowcount:
            return None
        found = await work.execute(
            text(f'SELECT fingerprint, status, location, body FROM "{self._schema}".idempotency WHERE key = :key'),
            {"key": self._key},
        )
        row = found.one_or_none()
        if row is None:  # the first has given its key back since: there is no answer to it, and was trouble of ours
            raise Conflict("The first request with this Idempotency-Key has failed just now.")
        fingerprint, status, location, body = tuple(row)
        if fingerprint != self._fingerprint:
            raise InvalidRequest("This Idempotency-Key was used with another body.")
        if status is None:
            raise Conflict("The first request with this Idempotency-Key has not been answered yet.")
        headers = {"Idempotency-Replayed": "true"} | ({"Location": location} if location else {})
        kind = "application/json" if status < 400 else "application/problem+json"
        return web.Response(status=status, headers=headers, body=bytes(body) or None, content_type=kind)

    async def remember(self, work: Work, response: web.Response) -> None:
        """Store the answer."""
        await work.execute(
            text(
                f'UPDATE "{self._schema}".idempotency SET status = :status, location = :location, body = :body '
                "WHERE key = :key"
            ),
            {
                "key": self._key,
                "status": response.status,
                "location": response.headers.get("Location"),
                "body": response.body or b"",
            },
        )

    async def release(self, work: Work) -> None:
        """Give the key back: it is our trouble that there is no answer, and a repeat may act."""
        await work.execute(text(f'DELETE FROM "{self._schema}".idempotency WHERE key = :key'), {"key": self._key})
