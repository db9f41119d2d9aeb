"""Shows that this database commits."""

from sqlalchemy import text

from modules.kernel.work import Work


async def write(work: Work) -> None:
    """Take a transaction id, so that the commit is written to disk; a database that only reads stores no start."""
    await work.execute(text("SELECT pg_current_xact_id()"))
