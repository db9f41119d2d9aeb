"""Makes a used database as good as new: cheaper than a copy of the template, where a test wrote rows and no more."""

from dataclasses import dataclass
from typing import Self

import asyncpg

_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

_STRUCTURE = f"""
WITH ours AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS} AND NOT c.relispartition
)
SELECT md5(string_agg(fact, E'\\n' ORDER BY fact)) FROM (
    SELECT concat_ws(' ', 'class', oid, relname, relnamespace, relowner, relkind, relacl, reloptions, relrowsecurity)
        FROM ours WHERE relkind NOT IN ('i', 'I')
    UNION ALL SELECT concat_ws(' ', 'index', oid, relname, indisvalid)
        FROM ours JOIN pg_index ON indexrelid = oid
    UNION ALL SELECT concat_ws(' ', 'column', attrelid, attname, atttypid, attnotnull, atthasdef, attisdropped, attacl)
        FROM pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM ours)
    UNION ALL SELECT concat_ws(' ', 'default', adrelid, adnum, pg_get_expr(adbin, adrelid))
        FROM pg_attrdef WHERE adrelid IN (SELECT oid FROM ours)
    UNION ALL SELECT concat_ws(' ', 'sequence', seqrelid, seqstart, seqincrement, seqmax) FROM pg_sequence
    UNION ALL SELECT concat_ws(' ', 'trigger', oid, tgname, tgenabled)
        FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM ours)
    UNION ALL SELECT concat_ws(' ', 'constraint', oid, conname, convalidated)
        FROM pg_constraint WHERE conrelid IN (SELECT oid FROM ours)
    UNION ALL SELECT concat_ws(' ', 'function', p.oid, proname, proacl, md5(prosrc))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_OURS}
    UNION ALL SELECT concat_ws(' ', 'type', t.oid, typname)
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {_OURS} AND typrelid = 0 AND typelem = 0
    UNION ALL SELECT concat_ws(' ', 'schema', n.oid, nspname, nspowner, nspacl)
        FROM pg_namespace n WHERE {_OURS}
    UNION ALL SELECT concat_ws(' ', 'rights', defaclrole, defaclnamespace, defaclacl) FROM pg_default_acl
    UNION ALL SELECT concat_ws(' ', 'setting', setrole, setconfig)
        FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = current_database()
    UNION ALL SELECT concat_ws(' ', 'database', datdba, datconnlimit, datallowconn, datacl)
        FROM pg_database WHERE datname = current_database()
) AS facts (fact)
"""

_TABLES = f"""
SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OURS} AND relkind = 'r' AND NOT relispartition
"""

_EMPTY = f"""
DO $do$
DECLARE
    name text;
    first bigint;
    used boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN
        SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND relkind = 'r' AND relispartition
    LOOP
        EXECUTE 'DROP TABLE ' || name;
    END LOOP;
    FOR name IN {_TABLES} AND format('%I.%I', nspname, relname) <> ALL (string_to_array('SEEDED', ' '))
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO used;
        IF used THEN
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
    FOR name, first IN
        SELECT format('%I.%I', nspname, relname), seqstart
        FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LOOP
        PERFORM setval(name, first, false);
    END LOOP;
END
$do$
"""


@dataclass(frozen=True)
class Pristine:
    """What a database is like that nobody has used: its structure, and the tables in which there are rows already."""

    structure: str
    seeded: tuple[str, ...]
    seeds: str

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> Self:
        """Look at a fresh copy of the template."""
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        seeded = [one for one in tables if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {one})")]
        return cls(await _structure(connection), tuple(seeded), await _rows(connection, seeded))

    async def restore(self, connection: asyncpg.Connection) -> bool:
        """Empty what a test filled; False where it changed something else, so that the database is of no more use."""
        gone = await connection.fetchval(
            "SELECT coalesce(bool_and(pg_terminate_backend(pid, 5000)), true) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        if not gone or await _structure(connection) != self.structure:
            return False
        if await _rows(connection, self.seeded) != self.seeds:
            return False
        await connection.execute(_EMPTY.replace("SEEDED", " ".join(self.seeded)))
        return True


async def _structure(connection: asyncpg.Connection) -> str:
    return str(await connection.fetchval(_STRUCTURE))


async def _rows(connection: asyncpg.Connection, tables: tuple[str, ...] | list[str]) -> str:
    if not tables:
        return ""
    every = " UNION ALL ".join(f"SELECT '{one}' || t::text FROM {one} t" for one in tables)
    return str(await connection.fetchval(f"SELECT string_agg(r, E'\\n' ORDER BY r) FROM ({every}) AS rows (r)"))
