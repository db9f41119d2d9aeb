from modules.configuration.tables import metadata
from tests.modules.migrated import differences


async def test_the_migrations_make_the_tables(database: str) -> None:
    assert await differences(database, metadata) == []
