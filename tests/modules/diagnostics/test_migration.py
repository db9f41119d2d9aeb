from sqlalchemy.dialects.postgresql.base import ischema_names

from modules.diagnostics.tables import Xid8, metadata
from tests.modules.migrated import differences


async def test_the_migration_makes_the_tables_of_the_module(database, monkeypatch):
    monkeypatch.setitem(ischema_names, "xid8", Xid8)  # SQLAlchemy does not know it when it reads a table
    assert await differences(database, metadata) == []
