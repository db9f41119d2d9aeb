from modules.diagnostics.tables import metadata
from tests.modules.migrated import differences


async def test_the_migration_makes_the_tables_of_the_module(database):
    assert await differences(database, metadata) == []
