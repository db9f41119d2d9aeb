"""TLS of a running server: files that are read again, and handshakes that failed told of."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared_contracts.tls import TlsSettings

log = structlog.get_logger()

OnRefused = Callable[[ssl.SSLError], None]
"""Told of a handshake that failed, before the connection is closed."""


class LiveContext(ssl.SSLContext):
    """Stands for the newest context: each connection is made with what the files held when it came.

    A server is given this one once; connections keep the context that they began with.
    """

    _settings: TlsSettings
    _current: ssl.SSLContext

    @classmethod
    def of(cls, settings: TlsSettings, on_refused: OnRefused | None = None) -> "LiveContext":
        """Read the files. Raises OSError where one cannot be used."""
        live = cls(ssl.PROTOCOL_TLS_SERVER)
        live._settings = settings
        live.sslobject_class = _reporting(on_refused or (lambda _: None))
        live._current = live._read()
        return live

    def wrap_bio(self, *arguments: object, **options: object) -> ssl.SSLObject:
        """What an event loop calls for each connection."""
        return self._current.wrap_bio(*arguments, **options)  # type: ignore[arg-type]  # passed on as they come

    def reload(self) -> bool:
        """Read the files again; where they cannot be used, all stays as it is. Returns whether they could."""
        try:
            self._current = self._read()
        except OSError as error:
            log.error("certificates_unusable", error=repr(error))  # noqa: TRY400 -- the files are wrong, not the code
            return False
        log.info("certificates_read", files=[str(path) for path in self._settings.files()])
        return True

    def _read(self) -> ssl.SSLContext:
        context = self._settings.context()
        context.sslobject_class = self.sslobject_class
        return context


def _reporting(on_refused: OnRefused) -> type[ssl.SSLObject]:
    class Reporting(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                on_refused(error)
                raise

    return Reporting


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a handshake failed, in words that may be a label: the peer's certificate, the peer's age, or else."""

    kind: str
    detail: str

    @classmethod
    def of(cls, error: ssl.SSLError) -> "Refusal":
        """Tell what OpenSSL said."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return cls("certificate", error.verify_message)
        if error.reason in _TOO_WEAK:
            return cls("too_weak", error.reason)
        return cls("other", error.reason or "unknown")


_TOO_WEAK = frozenset({"NO_SHARED_CIPHER", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "NO_PROTOCOLS_AVAILABLE"})


async def watch_files(files: Sequence[Path], on_change: Callable[[], object], *, every_s: float) -> None:
    """Look at the files for ever, and say when one has changed, or came, or went; start it when they were read."""
    seen = [_changed_at(path) for path in files]
    while True:
        await asyncio.sleep(every_s)
        found = [_changed_at(path) for path in files]
        if found != seen:
            seen = found
            try:
                on_change()
            except Exception:
                log.exception("files_not_taken_up")


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
