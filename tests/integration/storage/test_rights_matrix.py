"""Who may write what, asked of the catalog for every table there is: one that is new is somebody's decision, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest

from fenhe.local.postgres import SUPERUSER
from storage.pool import connect
from storage.statements import trusted
from tests.support.databases import own_database
from tests.support.pipeline import DERIVED, MEMORY, RAW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

ROLES = ("fenhe_writer", "fenhe_reader", "fenhe_operator", "fenhe_notifier")
TAKEN_BACK = {*DERIVED, *MEMORY, "device_clock", "site_silence", "stuck_partition"}
"""What a worker writes, writes again and takes away."""
REWRITTEN = {"alarm", "checkpoint", "enpi_variable_day", "field_set_aside", "partition_progress"} | {
    "recompute_request",
    "weather_forecast",
}
APPENDED = {*RAW, "alarm_transition", "enpi_baseline", "enpi_coefficient", "ledger_entry", "ledger_total"} | {
    "log_loss",
    "notification_outbox",
    "quarantine",
}
NOTICES = {"notification", "notification_item"}
MAY = {
    # the newest books lie in parts, which are folded into entries: parts go, entries never do
    ("fenhe_writer", "INSERT"): TAKEN_BACK | REWRITTEN | APPENDED | {"ledger_part"},
    ("fenhe_writer", "UPDATE"): TAKEN_BACK | REWRITTEN,
    ("fenhe_writer", "DELETE"): TAKEN_BACK | {"ledger_part"},
    ("fenhe_notifier", "INSERT"): NOTICES,
    ("fenhe_notifier", "UPDATE"): NOTICES | {"notification_outbox"},
    ("fenhe_notifier", "DELETE"): NOTICES,
}
"""All that anybody but the owner may write. A table that is missing here must not be writable: say so in its migration
(REVOKE …, as 0281), or say here who writes it."""
COLUMNS = {
    ("fenhe_writer", "UPDATE", table, column)
    for table in ("ledger_entry", "ledger_total")
    for column in ("received", "stored", "duplicate", "quarantined")
}
FUNCTIONS = {
    "fenhe_writer": {"retention_step", "store_measure", "take_turn"},
    "fenhe_notifier": {"take_turn"},
    "fenhe_operator": {"alarm_acknowledge", "alarm_close", "alarm_comment", "alarm_out_of_service"}
    | {"alarm_return_to_service", "alarm_set_threshold", "alarm_shelve", "alarm_unshelve"}
    | {"maintenance_cancel", "maintenance_plan", "shift_note_write"},
}
"""Functions that act with their owner's rights, by who may call them; `old_chunks` does so on TimescaleDB alone."""
_RELATIONS = (
    " FROM unnest(%s::text[]) AS role, unnest(%s::text[]) AS may, pg_class c"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
)


@pytest.fixture(scope="module")
def name(postgres: Postgres) -> Iterator[str]:
    """A migrated database."""
    with own_database(postgres) as made:
        yield made


@pytest.fixture
def asked(postgres: Postgres, name: str) -> Iterator[psycopg.Connection]:
    """Its catalog."""
    with psycopg.connect(postgres.url(SUPERUSER, name), autocommit=True) as connection:
        yield connection


def found(connection: psycopg.Connection, query: LiteralString, *values: object) -> set[tuple[str, ...]]:
    """Rows of the catalog."""
    return {tuple(row) for row in connection.execute(query, values)}


def test_nobody_may_write_more_than_is_said_here(asked: psycopg.Connection) -> None:
    """Tables and views, whole ones and columns."""
    rights = ["INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"]
    whole = found(
        asked,
        "SELECT role, may, c.relname::text" + _RELATIONS + " AND has_table_privilege(role, c.oid, may)",
        list(ROLES),
        rights,
    )
    assert whole == {(*key, table) for key, tables in MAY.items() for table in tables}
    columns = found(
        asked,
        "SELECT role, may, c.relname::text, a.attname::text"
        + _RELATIONS.replace(" WHERE ", " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE ")
        + " AND NOT a.attisdropped AND NOT has_table_privilege(role, c.oid, may)"
        " AND has_column_privilege(role, c.oid, a.attnum, may)",
        list(ROLES),
        ["INSERT", "UPDATE"],
    )
    assert columns == COLUMNS


def test_functions_with_their_owners_rights_are_called_by_whom_they_were_made_for(asked: psycopg.Connection) -> None:
    """And by nobody else: PostgreSQL lets everybody call a function of which nothing is said."""
    calls = found(
        asked,
        "SELECT role, p.proname::text FROM unnest(%s::text[]) AS role, pg_proc p WHERE p.prosecdef"
        " AND p.pronamespace = 'public'::regnamespace AND has_function_privilege(role, p.oid, 'EXECUTE')"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
        list(ROLES),
    )
    assert calls - {("fenhe_writer", "old_chunks")} == {
        (role, function) for role, functions in FUNCTIONS.items() for function in functions
    }


def test_nobody_makes_anything_or_sets_a_sequence(asked: psycopg.Connection) -> None:
    """No schema takes a table of theirs, no sequence a number."""
    schemas = (
        "SELECT role, n.nspname::text FROM unnest(%s::text[]) AS role, pg_namespace n"
        " WHERE has_schema_privilege(role, n.oid, 'CREATE')"
    )
    sequences = (
        "SELECT role, c.relname::text FROM unnest(%s::text[]) AS role, pg_class c WHERE c.relkind = 'S'"
        " AND c.relnamespace = 'public'::regnamespace AND has_sequence_privilege(role, c.oid, 'UPDATE')"
    )
    assert found(asked, schemas, list(ROLES)) | found(asked, sequences, list(ROLES)) == set()


def test_a_worker_reaches_no_table_through_a_view(postgres: Postgres, name: str, asked: psycopg.Connection) -> None:
    """PostgreSQL writes through a simple view with the rights of the view's owner."""
    simple = found(
        asked,
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'"
        " AND pg_relation_is_updatable(c.oid, false) <> 0",
    )
    assert {("battery_set",), ("alarm_standing",)} <= simple
    with connect(postgres.url("fenhe_writer", name), name="test", autocommit=True) as connection:
        for (view,) in simple:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(trusted(f"DELETE FROM {view}"))  # noqa: S608 - the catalog's own names
